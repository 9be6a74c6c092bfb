// What the console knows of roll calls, and every act on the one of the chosen conference. Events carry what changed of them.
import { computed, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import * as store from './store.js';
import * as conf from './conference_store.js';

/** Results in the order of their keys 1 to 8; the last one leaves the site for later. @type {Ortoo.Result[]} */
export const results = ['present', 'present_late', 'no_picture', 'no_sound', 'no_answer', 'unreachable', 'excused', 'not_called'];

/** @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.RollCall>>} heads; with entries once they were asked or changed */
const rollcalls = signal(new Map());

/** Of the chosen conference: the open one, else the newest. */
export const rollcall = computed(() => {
	const own = [...rollcalls.value.values()].filter((r) => r.conference === conf.conferenceId.value);
	return own.find((r) => r.state !== 'closed') ?? own.sort((a, b) => b.opened_ms - a.opened_ms)[0] ?? null;
});
export const isOpen = computed(() => Boolean(rollcall.value) && rollcall.value?.state !== 'closed');
export const entries = computed(() => rollcall.value?.entries ?? []);
export const current = computed(() => entries.value.find((e) => e.turn) ?? null);
export const closedOnes = computed(() => [...rollcalls.value.values()].filter((r) => r.state === 'closed').sort((a, b) => b.closed_ms - a.closed_ms));
/** Keys 1 to 8 are results now, not sites. */
export const takesKeys = computed(() => conf.tab.value === 'roll' && isOpen.value && Boolean(current.value) && store.mayCommand.value);

/** A key does this while a site is on the screen (screens.md). @param {Ortoo.Result} result */
const says = (result) => () => record(result);
const coded = () => current.value?.code?.state === 'shown';
/** @type {{ key: string, text: string, run: () => void, when: () => boolean }[]} */
export const keyed = [
	{ key: 'Enter', text: 'key.roll_present', run: says('present'), when: () => true }, { key: 'a', text: 'key.roll_no_answer', run: says('no_answer'), when: () => true },
	{ key: 'p', text: 'key.roll_no_picture', run: says('no_picture'), when: () => true }, { key: 's', text: 'key.roll_no_sound', run: says('no_sound'), when: () => true },
	{ key: 'l', text: 'key.roll_late', run: says('present_late'), when: () => true }, { key: 'q', text: 'key.roll_code', run: code, when: () => true },
	{ key: 'y', text: 'key.roll_code_right', run: () => codeSaid(true), when: coded }, { key: 'w', text: 'key.roll_code_wrong', run: () => codeSaid(false), when: coded },
];

/** Saved lists and their hours. @type {import('../vendor/signals.js').Signal<Ortoo.RollSchedule[]>} */
export const schedules = signal([]);

export async function loadSchedules() {
	schedules.value = (await store.client.call('rollcall.schedules').catch(() => null))?.schedules ?? schedules.value;
}

/** @param {{ id: string, why: string }} p */
async function scheduled(p) {
	await loadSchedules();
	const name = schedules.value.find((s) => s.id === p.id)?.name ?? '';
	if (p.why === 'ran') {
		store.say(t('schedule.ran_say', { name }));
	} else if (p.why === 'missed') {
		store.say(t('schedule.missed_say', { name }));
	}
}

export function code() {
	void act('rollcall.code');
}

/** @param {boolean} right */
export function codeSaid(right) {
	void act('rollcall.code_said', { right });
}

export function listen() {
	store.client.on('rollcall.schedule', (p) => void scheduled(p));
	store.client.onUp(() => void refresh());
	store.client.on('rollcall.changed', (p) => merge(p.rollcall, p.whole));
}

/** @param {Ortoo.RollCall} fresh */
function keep(fresh) {
	const old = rollcalls.value.get(fresh.id);
	rollcalls.value = new Map(rollcalls.value).set(fresh.id, fresh);
	if (old && old.state !== 'closed' && fresh.state === 'closed') {
		store.say(t('roll.over', { name: fresh.name }));
	}
}

/** An event tells the head and the entries that changed. @param {Ortoo.RollCall} fresh @param {boolean} whole */
function merge(fresh, whole) {
	const known = rollcalls.value.get(fresh.id)?.entries;
	const news = new Map((fresh.entries ?? []).map((e) => [e.site, e]));
	keep(whole ? fresh : { ...fresh, entries: known?.map((e) => news.get(e.site) ?? e) });
	if (!whole && !known) {
		void load(fresh.id);
	}
}

async function refresh() {
	const list = await store.client.call('rollcall.list', { limit: 100 }).catch(() => null);
	if (list) {
		rollcalls.value = new Map(list.rollcalls.map((/** @type {Ortoo.RollCall} */ r) => [r.id, { ...r, entries: rollcalls.value.get(r.id)?.entries }]));
		await Promise.all([...rollcalls.value.values()].filter((r) => r.state !== 'closed').map((r) => load(r.id)));
	}
}

/** @param {string} id with its entries @returns {Promise<Ortoo.RollCall | null>} */
export async function load(id) {
	const fresh = await store.client.call('rollcall.get', { id }).catch(() => null);
	if (fresh) {
		keep(fresh);
	}
	return fresh;
}

/** @param {string} method @param {object} [params] */
export async function act(method, params = {}) {
	const fresh = rollcall.value ? await store.attempt(store.client.call(method, { id: rollcall.value.id, ...params })) : null;
	if (fresh) {
		keep(fresh);
	}
	return fresh;
}

/** @param {object} form @returns {Promise<void>} */
export async function open(form) {
	const fresh = await store.client.call('rollcall.open', form);
	keep(fresh);
	conf.choose(fresh.conference);
	store.mode.value = 'conference';
	conf.tab.value = 'roll';
}

/** F3: start, go on, or the next one with what was measured. */
export function next() {
	conf.tab.value = 'roll';
	const r = rollcall.value;
	if (!r || r.state === 'closed') {
		store.dialog.value = { name: 'rollcall' };
	} else if (r.state !== 'running') {
		void act('rollcall.run', { on: true });
	} else {
		void act('rollcall.next');
	}
}

export function pause() {
	void act('rollcall.run', { on: rollcall.value?.state !== 'running' });
}

/** A result of the one on the screen, and on. @param {Ortoo.Result} result */
export function record(result) {
	const at = entries.value.findIndex((e) => e.turn);
	if (result !== 'not_called') {
		void act('rollcall.next', { result });
		return;
	}
	const after = entries.value.slice(at + 1).find((e) => e.result === 'not_called');
	if (after) {
		void act('rollcall.jump', { site: after.site });
	}
}

/** The one that was on the screen before is called again; the excused are not disturbed. */
export function back() {
	const at = entries.value.findIndex((e) => e.turn);
	const before = entries.value.slice(0, at).filter((e) => e.shown_ms > 0).at(-1);
	if (before) {
		void act('rollcall.jump', { site: before.site });
	}
}

/** @param {Ortoo.RollEntry} e @param {Ortoo.Result} result @param {string} [why] */
export function mark(e, result, why) {
	const before = e.result;
	void act('rollcall.mark', { site: e.site, result, ...(why ? { why } : {}) }).then((r) => r && store.say(t('roll.marked', { name: e.name, result: t(`result.${result}`) }),
		() => void act('rollcall.mark', { site: e.site, result: before })));
}
