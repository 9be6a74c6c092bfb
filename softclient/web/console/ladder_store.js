// Call-and-acknowledge as the console knows it. The list and the siren come on demand; this much is always there.
import { computed, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { raise, settleAlarms } from './alarms.js';
import * as store from './store.js';
import * as conf from './conference_store.js';

/** @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.CallAck>>} */
const all = signal(new Map());
/** The siren over everything, once its module is here. @type {import('../vendor/signals.js').Signal<any>} */
export const overlay = signal(null);
/** The Mongolian ribbon, once it is wanted. @type {import('../vendor/signals.js').Signal<any>} */
export const ribbon = signal(null);
const RIBBON = 'ortoo.ribbon';

/** @param {boolean} [on] */
export async function toggleRibbon(on = !ribbon.value) {
	ribbon.value = on ? (await import('./ribbon.js')).Ribbon : null;
	document.body.classList.toggle('with-ribbon', on);
	localStorage.setItem(RIBBON, on ? '1' : '');
}

/** Who would fail now: an alarm as soon as it is known, gone with the next check that finds nobody. @param {Ortoo.Ready | null} r */
function readiness(r) {
	if (r?.state === 'closed' && r.failing) {
		raise({ key: `ready-${r.id}`, level: 2, text: t('alarm.ready', { count: r.failing }) });
	} else if (r?.state === 'closed') {
		settleAlarms('ready-');
	}
}

export const list = computed(() => [...all.value.values()].sort((a, b) => b.opened_ms - a.opened_ms));

/** What sounds at consoles and nobody confirmed. @typedef {{ c: Ortoo.CallAck, row: Ortoo.CallAckRow }} Sounding */
export const sounding = computed(() => {
	for (const c of list.value) {
		const row = c.state === 'running' && c.rows.find((r) => ['sent', 'delivered'].includes(r.state) && r.ways.some((w) => w.channel === 'page' && w.to === 'console' && ['sent', 'delivered'].includes(w.state)));
		if (row) {
			return { c, row };
		}
	}
	return null;
});

/** @param {Ortoo.CallAck} fresh */
function changed(fresh) {
	const old = all.value.get(fresh.id);
	all.value = new Map(all.value).set(fresh.id, fresh);
	for (const row of fresh.rows) {
		const before = old?.rows.find((r) => r.row === row.row);
		if (before && !before.acked_ms && row.acked_ms) {
			store.say(t('event.acked', { post: row.post, name: row.name }));
		}
	}
	if (old && fresh.spent > old.spent) {
		raise({ key: `callack-${fresh.id}`, level: 1, text: t('alarm.callack', { text: fresh.text.slice(0, 40), count: fresh.spent }) });
	} else if (!fresh.spent || fresh.state === 'closed') {
		settleAlarms(`callack-${fresh.id}`);
	}
	void look();
}

/** Last row whose siren this console said it shows. */
let told = '';

async function look() {
	const now = sounding.value;
	const key = now && `${now.c.id}/${now.row.row}`;
	if (!now || !key || key === told || !store.mayCommand.value) {
		return;
	}
	told = key;
	overlay.value ??= (await import('./ladder_siren.js')).Siren;
	void store.client.call('callack.seen', { callack: now.c.id, row: now.row.row }).catch(() => {});
}

/** Confirms for the duty officer who sits here, and goes into the conference. @param {Sounding} s */
export async function confirm(s) {
	const params = { callack: s.c.id, row: s.row.row };
	const reply = await store.attempt(store.client.call('callack.ack', params));
	if (!reply) {
		return;
	}
	store.mode.value = 'conference';
	conf.choose(s.c.conference);
	await conf.join(false);
	void store.client.call('callack.ack', params).catch(() => {}); // now that this console is a party, the list says so
}

export function listen() {
	store.client.onUp(async () => {
		const reply = await store.client.call('callack.list', { limit: 20 }).catch(() => null);
		if (reply) {
			all.value = new Map(reply.callacks.map((/** @type {Ortoo.CallAck} */ c) => [c.id, c]));
			void look();
		}
	});
	store.client.onUp(() => void store.client.call('ready.get').then(readiness).catch(() => {}));
	store.client.on('ready.changed', (p) => readiness(p.ready));
	if (localStorage.getItem(RIBBON)) {
		void toggleRibbon(true);
	}
	store.client.on('callack.changed', (p) => changed(p.callack));
}
