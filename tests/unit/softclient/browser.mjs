// The least of a browser that the pages' plain modules need: enough to run them in node, with time that the test moves.
import { pathToFileURL } from 'node:url';
import { webcrypto } from 'node:crypto';
import { join, resolve } from 'node:path';

export const web = resolve(process.env.ORTOO_WEB ?? 'softclient/web');
export const load = (path) => import(pathToFileURL(join(web, path)));

globalThis.location = new URL('https://console.example/');
globalThis.document = { documentElement: { dataset: {} }, addEventListener() {}, removeEventListener() {}, hidden: false };
globalThis.crypto ??= webcrypto;  // node 18 keeps it apart
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

/** Timers that go off when a test says so. node's own mock.timers cannot be trusted in Debian 12's node 18. */
export class HeldTimers {
	constructor() {
		this.now = 0;
		this.next_id = 1;
		this.due = new Map();
		const arm = (repeat) => (fn, ms = 0, ...args) => {
			const id = this.next_id++;
			this.due.set(id, { at: this.now + ms, fn: () => fn(...args), every: repeat ? Math.max(ms, 1) : 0 });
			return id;
		};
		const disarm = (id) => void this.due.delete(id);
		Object.assign(globalThis, { setTimeout: arm(false), setInterval: arm(true), clearTimeout: disarm, clearInterval: disarm });
	}

	tick(ms) {
		const end = this.now + ms;
		for (;;) {
			const [id, timer] = [...this.due].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0] ?? [];
			if (!timer) {
				break;
			}
			this.now = timer.at;
			if (timer.every) {
				timer.at += timer.every;
			} else {
				this.due.delete(id);
			}
			timer.fn();
		}
		this.now = end;
	}
}
