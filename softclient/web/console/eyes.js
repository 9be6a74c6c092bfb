// Four eyes: an act that waits for a second administrator is remembered here and done as soon as that one has said yes.
import { signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import * as store from './store.js';
import { rest } from '../lib/api.js';
import { raise, settleAlarms } from './alarms.js';

/** @typedef {{ id: string, subject: string, actor: string, method: string, text: string, state: string, by?: string | null, asked_ms: number, until_ms: number, ended_ms: number }} Approval */

/** @type {import('../vendor/signals.js').Signal<Approval[]>} */
export const approvals = signal([]);
/** Own calls that wait, by the id of their request. @type {Map<string, { run: () => Promise<any>, done: (reply: any) => void }>} */
const held = new Map();

/** @param {Approval} a */
export function isOwn(a) {
	return a.subject === store.session.value?.subject;
}

/** An act in words. @param {Approval} a */
export function textOf(a) {
	return t('eyes.of', { name: a.actor.replace(/^u:/, ''), what: t(`eyes.${a.method}`), text: a.text === '{}' ? '' : a.text });
}

/**
 * A call that may need a second administrator: its reply, perhaps minutes later; null when it failed or was refused.
 * @param {string} method @param {object} [params] @param {{ timeout_ms?: number, post?: boolean }} [options] post: over REST
 */
export async function secured(method, params = {}, options = {}) {
	const run = () => (options.post ? rest(method, params) : store.client.call(method, params, options));
	try {
		return await run();
	} catch (e) {
		const error = /** @type {{ code?: string, why?: string }} */ (e);
		if (error.code !== 'approval' || !error.why) {
			return store.attempt(Promise.reject(e));
		}
		store.say(t('eyes.waits', { id: error.why }));
		void refresh();
		return new Promise((done) => held.set(/** @type {string} */ (error.why), { run, done }));
	}
}

/** @param {Approval} a */
async function settle(a) {
	const mine = held.get(a.id);
	if (!mine || a.state === 'waiting') {
		return;
	}
	held.delete(a.id);
	if (a.state === 'approved') {
		store.say(t('eyes.approved', { id: a.id }));
		mine.done(await store.attempt(mine.run()));
	} else {
		store.say(t('eyes.over', { id: a.id, state: t(`eyes.${a.state}`) }));
		mine.done(null);
	}
}

/** Everything that waits, anew. */
export async function refresh() {
	if (store.session.value?.role === 'viewer' || !store.session.value) {
		return;
	}
	const reply = await store.attempt(store.client.call('approval.list'));
	approvals.value = reply?.approvals ?? approvals.value;
	for (const a of approvals.value) {
		if (a.state === 'waiting' && !isOwn(a) && store.isAdmin.value) {
			raise({ key: `approval-${a.id}`, level: 2, text: textOf(a), open: 'approvals' });
		} else if (a.state !== 'waiting') {
			settleAlarms(`approval-${a.id}`, a.by?.replace(/^account:/, ''));
		}
		void settle(a);
	}
}

/** @param {Approval} a @param {boolean} approve */
export async function decide(a, approve) {
	await store.attempt(store.client.call('approval.decide', { id: a.id, approve }));
}

export function listen() {
	store.client.on('approval.changed', () => void refresh());
	store.client.onUp(() => void refresh());
}
