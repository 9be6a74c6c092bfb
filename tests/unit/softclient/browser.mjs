// The least of a browser that the pages' plain modules need: enough to run them in node, with time that the test moves.
import { pathToFileURL } from 'node:url';
import { join, resolve } from 'node:path';

export const web = resolve(process.env.ORTOO_WEB ?? 'softclient/web');
export const load = (path) => import(pathToFileURL(join(web, path)));

globalThis.location = new URL('https://console.example/');
globalThis.document = { documentElement: { dataset: {} }, addEventListener() {}, removeEventListener() {}, hidden: false };
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
Object.defineProperty(globalThis, 'navigator', { value: { onLine: true, userAgent: 'test' }, configurable: true });
globalThis.localStorage = { getItem: () => null, setItem() {} };

/** A WebSocket whose other end is the test. */
export class FakeSocket {
	static all = [];
	constructor(url) {
		this.url = String(url);
		this.sent = [];
		FakeSocket.all.push(this);
	}

	static get last() {
		return FakeSocket.all.at(-1);
	}

	send(text) {
		this.sent.push(JSON.parse(text));
	}

	close() {}

	says(object) {
		this.onmessage({ data: JSON.stringify(object) });
	}

	/** Calls of one method that wait for an answer here. */
	asked(method) {
		return this.sent.filter((m) => m.method === method);
	}
}
globalThis.WebSocket = FakeSocket;
