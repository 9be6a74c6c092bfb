// What the duty page knows, and its acts. News from the gateway say what changed; it is then asked for again.
import { computed, signal } from '../lib/view.js';
import { Client, rest } from '../lib/api.js';
import { has, t } from '../lib/i18n.js';
import { errorText } from '../lib/ui.js';

export const tabs = /** @type {const} */ (['roster', 'handover', 'watch', 'zero', 'contacts']);
/** @typedef {typeof tabs[number]} Tab */

/** @type {import('../vendor/signals.js').Signal<Ortoo.Session | null | undefined>} */
export const session = signal(undefined);
export const client = new Client();
/** @type {import('../vendor/signals.js').Signal<Tab>} */
export const tab = signal(tabs.find((x) => `#${x}` === location.hash) ?? 'roster');
/** @type {import('../vendor/signals.js').Signal<Ortoo.Directory>} */
export const directory = signal({ divisions: [], sites: [], people: [], devices: [] });
/** @type {import('../vendor/signals.js').Signal<Ortoo.DutyMonth | null>} */
export const month = signal(null);
export const wantedMonth = signal('');
export const placeId = signal('');
/** @type {import('../vendor/signals.js').Signal<Ortoo.DutyNow[]>} */
export const now = signal([]);
/** @type {import('../vendor/signals.js').Signal<Ortoo.DutyAlarm[]>} */
export const alarms = signal([]);
/** @type {import('../vendor/signals.js').Signal<Ortoo.HandoverSheet | null>} */
export const sheet = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.WatchEntry[]>} */
export const entries = signal([]);
/** @type {import('../vendor/signals.js').Signal<{ day: string, kind: string, person: string }>} */
export const filter = signal({ day: '', kind: '', person: '' });
/** @type {import('../vendor/signals.js').Signal<Ortoo.ZeroDay | null>} */
export const zero = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.ZeroMonth | null>} */
export const counts = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Contacts | null>} */
export const contacts = signal(null);
/** @type {import('../vendor/signals.js').Signal<{ text: string, bad: boolean } | null>} */
export const line = signal(null);

export const mayCommand = computed(() => ['administrator', 'dispatcher'].includes(session.value?.role ?? ''));
export const place = computed(() => month.value?.places.find((p) => p.place === placeId.value) ?? null);

/** @param {string} text */
export function say(text) {
	line.value = { text, bad: false };
}

/** @template T @param {Promise<T>} promise @returns {Promise<T | null>} */
export async function attempt(promise) {
	try {
		return await promise;
	} catch (e) {
		line.value = { text: errorText(e), bad: true };
		return null;
	}
}

/** An act: its failure is on the line, its success too when there are words for it. @param {string} method @param {object} params @param {string} [done] */
export async function act(method, params, done) {
	const reply = await attempt(client.call(method, params));
	if (reply !== null && done) {
		say(done);
	}
	return reply;
}

/** @param {string} name @param {string} csv */
export function saveCsv(name, csv) {
	const url = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
	Object.assign(document.createElement('a'), { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {string} shift */
export function shiftName(shift) {
	return has(`shift.${shift}`) ? t(`shift.${shift}`) : shift;
}

/** 480 -> 08:00 @param {number} minute */
export function clockOf(minute) {
	return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** 2026-12 and -1 -> 2026-11 @param {string} of @param {number} by */
export function monthStep(of, by) {
	const [year, m] = of.split('-').map(Number);
	const n = year * 12 + m - 1 + by;
	return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`;
}

/** What an alarm says. @param {Ortoo.DutyAlarm} a */
export function alarmText(a) {
	return t(`dutyalarm.${a.kind}`, { n: a.n, subject: has(`reportrow.${a.subject}`) ? t(`reportrow.${a.subject}`) : a.subject, division: a.division_name || t('duty.everywhere') });
}

/* ---- loading ---- */
export async function loadMonth() {
	const reply = await attempt(client.call('duty.roster', { ...(wantedMonth.value ? { month: wantedMonth.value } : {}), ...(placeId.value ? { place: placeId.value } : {}) }));
	if (!reply) {
		return;
	}
	if (!reply.places.some((/** @type {Ortoo.DutyPlace} */ p) => p.place === placeId.value) && reply.places.length) {
		placeId.value = reply.places[0].place;
		await loadMonth();
		return;
	}
	wantedMonth.value = reply.month;
	month.value = reply;
}

async function loadNow() {
	now.value = (await attempt(client.call('duty.now')))?.places ?? now.value;
}

async function loadAlarms() {
	alarms.value = (await attempt(client.call('duty.alarms')))?.alarms ?? alarms.value;
}

async function loadSheet() {
	sheet.value = (await attempt(client.call('handover.sheet'))) ?? sheet.value;
}

export async function loadEntries() {
	const { day, kind, person } = filter.value;
	const from_ms = day ? new Date(`${day}T00:00:00`).getTime() : 0;
	const params = { limit: 1000, ...(day ? { from_ms, to_ms: from_ms + 86400000 } : {}), ...(kind ? { kind } : {}), ...(person ? { person } : {}) };
	entries.value = (await attempt(client.call('watch.list', params)))?.entries ?? entries.value;
}

async function loadZero() {
	zero.value = (await attempt(client.call('zero.day'))) ?? zero.value;
	counts.value = (await attempt(client.call('zero.month', { month: zero.value?.day.slice(0, 7) ?? '' }))) ?? counts.value;
}

async function loadContacts() {
	contacts.value = (await attempt(client.call('contact.list'))) ?? contacts.value;
}

async function loadDirectory() {
	directory.value = (await attempt(client.call('directory.get'))) ?? directory.value;
}

/** What is asked for again when it changed. @type {Record<string, () => Promise<void>>} */
const loaders = { roster: async () => { await Promise.all([loadMonth(), loadNow()]); }, handover: async () => { await Promise.all([loadSheet(), loadNow()]); }, log: loadEntries, zero: loadZero, contacts: loadContacts };

async function loadAll() {
	await loadDirectory();
	await Promise.all([loadMonth(), loadNow(), loadAlarms(), loadSheet(), loadEntries(), loadZero(), loadContacts()]);
}

/** @param {Tab} to */
export function turnTo(to) {
	tab.value = to;
	history.replaceState(null, '', `#${to}`);
}

export async function start() {
	try {
		session.value = await rest('auth.whoami');
	} catch {
		session.value = null;
		return;
	}
	client.onUp(() => void loadAll());
	client.on('duty.changed', ({ what }) => void loaders[what]?.());
	client.on('duty.alarm', () => void Promise.all([loadAlarms(), loadSheet()]));
	client.on('incident.changed', () => void Promise.all([loadAlarms(), loadSheet()]));
	client.on('directory.changed', () => void loadAll());
	client.on('session.ended', () => (session.value = null));
	client.open();
}
