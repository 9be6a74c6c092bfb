// The client API of the gateway: JSON-RPC over one WebSocket that mends itself, and REST for what needs a cookie set.
import { signal } from './view.js';
import { language } from './i18n.js';

const BACKOFF_MIN_MS = 200;
const BACKOFF_MAX_MS = 5000;
const CALL_MS = 10000;
const SYNC_EVERY_MS = 60000;
const SYNC_PROBES = 4;
const CLOSE_UNAUTHENTICATED = 4401;

/** A refusal by the gateway, or by the line when code is `offline` or `timeout`. */
export class ApiError extends Error {
	/** @param {string} code @param {string} message @param {string} [why] */
	constructor(code, message, why) {
		super(message);
		this.code = code;
		this.why = why ?? '';
	}
}

/** @param {any} error body of an error in either form, JSON-RPC or REST */
function toApiError(error) {
	const data = error?.data ?? error ?? {};
	const code = String(data.name ?? (typeof data.code === 'string' ? data.code : null) ?? error?.code ?? 'internal');
	const zh = data.message_zh ?? error?.message_zh;
	const en = error?.message ?? data.message ?? code;
	return new ApiError(code, language.value === 'zh-CN' && zh ? zh : en, data.why ?? error?.why);
}

/**
 * One method over REST. The four openers (login, set-up, link, device) exist only here, because they set the cookie.
 * @param {string} method @param {object} [params] @param {number} [timeout_ms]
 * @returns {Promise<any>}
 */
export async function rest(method, params = {}, timeout_ms = CALL_MS) {
	/** @type {Response} */
	let reply;
	const late = new AbortController(); // AbortSignal.timeout is not in phones of 2021
	const timer = setTimeout(() => late.abort(), timeout_ms);
	try {
		reply = await fetch(`/api/v1/${method}`, {
			method: 'POST', body: JSON.stringify(params), credentials: 'same-origin', cache: 'no-store',
			headers: { 'Content-Type': 'application/json' }, signal: late.signal,
		});
	} catch (e) {
		throw new ApiError(navigator.onLine ? 'unreachable' : 'offline', String(e));
	} finally {
		clearTimeout(timer);
	}
	const body = await reply.json().catch(() => null);
	if (!reply.ok) {
		throw toApiError(body?.error ?? { code: reply.status === 429 ? 'rate_limited' : 'internal', message: reply.statusText });
	}
	return body;
}

/**
 * @typedef {{ method: string, params: object, resolve: (v: any) => void, reject: (e: Error) => void, timer: number }} Call
 * @typedef {{ timeout_ms?: number }} CallOptions
 */

/** One self-mending connection. Calls made while it is down wait for it until their own time-out. */
export class Client {
	/** @param {'field' | 'device' | ''} [kind] whose cookie counts: a phone's link, a screen's token, or an account's log-in */
	constructor(kind = '') {
		this.url = new URL(kind ? `/ws?as=${kind}` : '/ws', location.href);
		this.url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
		this.url.hash = '';
		/** @type {import('../vendor/signals.js').Signal<'idle' | 'connecting' | 'up' | 'down' | 'ended'>} */
		this.state = signal('idle');
		this.clock = { offset_ms: 0, error_ms: -1 };
		/** @type {WebSocket | null} */
		this.socket = null;
		/** @type {Map<number, Call>} */
		this.sent = new Map();
		/** @type {Map<number, Call>} */
		this.waiting = new Map();
		/** @type {Map<string, Set<(params: any) => void>>} */
		this.listeners = new Map();
		/** @type {Set<() => void>} */
		this.upListeners = new Set();
		this.next_id = 1;
		this.backoff_ms = BACKOFF_MIN_MS;
		this.retry = 0;
		this.sync = 0;
		this.onOnline = () => this.hurry();
	}

	open() {
		addEventListener('online', this.onOnline);
		this.connect();
	}

	/** Ends for good; every open call fails. @param {string} [why] */
	close(why = 'closed') {
		removeEventListener('online', this.onOnline);
		clearTimeout(this.retry);
		clearInterval(this.sync);
		this.state.value = 'ended';
		this.socket?.close();
		this.socket = null;
		for (const call of [...this.sent.values(), ...this.waiting.values()]) {
			clearTimeout(call.timer);
			call.reject(new ApiError('offline', why));
		}
		this.sent.clear();
		this.waiting.clear();
	}

	/** The server's clock as well as we know it. */
	now() {
		return Date.now() + this.clock.offset_ms;
	}

	/** Runs now if up, and again after every reconnect. @param {() => void} fn @returns {() => void} stops it */
	onUp(fn) {
		this.upListeners.add(fn);
		if (this.state.value === 'up') {
			fn();
		}
		return () => this.upListeners.delete(fn);
	}

	/** @param {string} event @param {(params: any) => void} fn @returns {() => void} stops it */
	on(event, fn) {
		const set = this.listeners.get(event) ?? new Set();
		this.listeners.set(event, set.add(fn));
		return () => set.delete(fn);
	}

	/** @param {string} method @param {object} [params] @param {CallOptions} [options] @returns {Promise<any>} */
	call(method, params = {}, options = {}) {
		return new Promise((resolve, reject) => {
			const id = this.next_id++;
			const timer = setTimeout(() => {
				this.sent.delete(id);
				this.waiting.delete(id);
				reject(new ApiError(this.state.value === 'up' ? 'timeout' : 'offline', method));
			}, options.timeout_ms ?? CALL_MS);
			const call = { method, params, resolve, reject, timer };
			if (this.state.value === 'ended') {
				clearTimeout(timer);
				reject(new ApiError('offline', method));
			} else if (this.state.value === 'up') {
				this.send(id, call);
			} else {
				this.waiting.set(id, call);
			}
		});
	}

	/** @param {number} id @param {Call} call */
	send(id, call) {
		this.sent.set(id, call);
		this.socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method: call.method, params: call.params }));
	}

	connect() {
		this.state.value = 'connecting';
		const socket = new WebSocket(this.url);
		this.socket = socket;
		socket.onopen = () => this.opened();
		socket.onmessage = (e) => this.received(e.data);
		socket.onclose = (e) => socket === this.socket && this.lost(e.code);
	}

	opened() {
		this.state.value = 'up';
		this.backoff_ms = BACKOFF_MIN_MS;
		for (const [id, call] of this.waiting) {
			this.send(id, call);
		}
		this.waiting.clear();
		void this.syncClock();
		clearInterval(this.sync);
		this.sync = setInterval(() => void this.syncClock(), SYNC_EVERY_MS);
		this.upListeners.forEach((fn) => fn());
	}

	/** @param {number} code */
	lost(code) {
		this.socket = null;
		clearInterval(this.sync);
		for (const call of this.sent.values()) {
			clearTimeout(call.timer);
			call.reject(new ApiError('offline', call.method));
		}
		this.sent.clear();
		if (code === CLOSE_UNAUTHENTICATED) {
			this.close('unauthenticated');
			this.emit('session.ended', { why: 'unauthenticated' });
			return;
		}
		this.state.value = 'down';
		this.retry = setTimeout(() => this.connect(), this.backoff_ms * (0.75 + Math.random() / 2));
		this.backoff_ms = Math.min(this.backoff_ms * 2, BACKOFF_MAX_MS);
	}

	/** The network is back or the page was woken: do not wait for the timer. */
	hurry() {
		if (this.state.value === 'down') {
			clearTimeout(this.retry);
			this.connect();
		}
	}

	/** @param {string} data */
	received(data) {
		const message = JSON.parse(data);
		if (message.method) {
			this.emit(message.method, message.params ?? {});
			return;
		}
		const call = this.sent.get(message.id);
		if (!call) {
			return;
		}
		this.sent.delete(message.id);
		clearTimeout(call.timer);
		if (message.error) {
			call.reject(toApiError(message.error));
		} else {
			call.resolve(message.result);
		}
	}

	/** @param {string} event @param {any} params */
	emit(event, params) {
		this.listeners.get(event)?.forEach((fn) => fn(params));
	}

	/** The probe with the shortest round trip gives the offset; half of that trip bounds its error. */
	async syncClock() {
		let best_ms = Infinity;
		for (let i = 0; i < SYNC_PROBES; i++) {
			try {
				const begin = performance.now();
				const client_ms = Date.now();
				const { server_ms } = await this.call('time.sync', { client_ms }, { timeout_ms: 3000 });
				const trip_ms = performance.now() - begin;
				if (trip_ms < best_ms) {
					best_ms = trip_ms;
					this.clock = { offset_ms: Math.round(server_ms - client_ms - trip_ms / 2), error_ms: Math.ceil(trip_ms / 2) };
				}
			} catch {
				return;
			}
			await new Promise((done) => setTimeout(done, 100));
		}
	}
}
