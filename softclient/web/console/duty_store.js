// Who is on watch at which place, for names' tips and rows; and alarms of duty and of reports in the list behind the bell.
import { signal } from '../lib/view.js';
import { has, t } from '../lib/i18n.js';
import * as store from './store.js';
import { raise, settleAlarms } from './alarms.js';

const AGAIN_MS = 5 * 60 * 1000; // a shift ends without anybody telling us

/** Place -> names and leader. @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.DutyNow>>} */
const watch = signal(new Map());

/** "On watch: ..." of a site or division, or nothing. @param {string | null | undefined} place */
export function onWatch(place) {
	const row = watch.value.get(place ?? '') ?? watch.value.get(store.directory.value.sites.find((s) => s.id === place)?.division ?? '');
	const names = row?.people.map((p) => [p.name, p.phone].filter(Boolean).join(' ')).join(t('duty.mark')) ?? '';
	return names ? t('duty.on_watch', { names }) : '';
}

/** Names alone, for a row. @param {string} place */
export function watchNames(place) {
	return watch.value.get(place)?.people.map((p) => p.name).join(t('duty.mark')) ?? '';
}

async function load() {
	const reply = await store.client.call('duty.now').catch(() => null);
	if (reply) {
		watch.value = new Map(reply.places.map((/** @type {Ortoo.DutyNow} */ p) => [p.place, p]));
	}
}

/** @param {Ortoo.DutyAlarm} a */
function take(a) {
	if (a.kind === 'step') {
		return; // marks of the ladder come by themselves
	}
	if (!a.stands) {
		settleAlarms(`duty-${a.key}`);
		return;
	}
	const subject = has(`reportrow.${a.subject}`) ? t(`reportrow.${a.subject}`) : a.subject;
	const incident = a.incident ? store.incidents.value.get(a.incident) : null;
	const text = t(`dutyalarm.${a.kind}`, { n: a.n, subject, division: a.division_name || t('filter.all') });
	raise({ key: `duty-${a.key}`, level: a.cls, text: incident ? `${incident.kind} · ${incident.place}: ${text}` : text, ...(a.incident ? { incident: a.incident } : {}) });
}

export function listen() {
	store.client.onUp(() => {
		void load();
		store.client.call('duty.alarms').then((r) => r.alarms.forEach(take), () => {});
	});
	store.client.on('duty.changed', ({ what }) => ['roster', 'handover'].includes(what) && void load());
	store.client.on('duty.alarm', ({ alarm }) => take(alarm));
	setInterval(() => store.client.state.value === 'up' && void load(), AGAIN_MS);
}
