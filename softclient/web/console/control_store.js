// Conference control: what the chosen conference is made to see, who asks for what, and every act of it.
import { computed } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { raise, settleAlarms } from './alarms.js';
import * as store from './store.js';
import * as conf from './conference_store.js';

export const control = computed(() => conf.conference.value?.control ?? null);
export const broadcasting = computed(() => (control.value?.broadcast.mode ?? 'none') !== 'none');
export const waiting = computed(() => conf.parties.value.filter((p) => p.control?.waiting && conf.isThere(p)));
/** Parts of the chosen conference that talk apart. */
export const parts = computed(() => conf.openOnes.value.filter((c) => c.control?.parent === conf.conferenceId.value));
/** Who takes part: can be broadcast, given the floor, polled. */
export const active = computed(() => conf.parties.value.filter((p) => conf.isThere(p) && p.role !== 'observer' && !p.control?.waiting));

/** @param {string} method @param {object} [params] */
export async function order(method, params = {}) {
	const id = conf.conference.value?.id;
	return id ? conf.took(await store.attempt(store.client.call(method, { conference: id, ...params }))) : null;
}

/** The chosen site, when it can be acted on; else people are told. */
function chosen() {
	const p = conf.party.value;
	if (!p || !active.value.includes(p)) {
		store.say(t('ctl.pick'));
		return null;
	}
	return p;
}

/** @param {string} mode @param {object} [more] */
export function broadcast(mode, more = {}) {
	void order('conference.broadcast', { mode, ...more });
}

/** @param {Ortoo.Party | null} [p] */
export function broadcastSite(p = chosen()) {
	if (p) {
		broadcast('site', { party: p.id });
	}
}

/** @param {Ortoo.Party | null} [p] */
export function giveFloor(p = chosen()) {
	if (p) {
		void order('floor.give', { party: p.id });
	}
}

export function freeDiscussion() {
	void order('conference.free_discussion');
}

/** True when there was something to stop: the escape key asks. */
export function stopBroadcast() {
	const on = conf.mayAct.value && broadcasting.value;
	if (on) {
		broadcast('none');
	}
	return on;
}

/** Who looks: our own seat, else the chair. */
export function viewer() {
	const seat = conf.joined.value;
	return (seat && conf.parties.value.find((p) => p.id === seat.party)) || active.value.find((p) => p.role === 'chair') || null;
}

/** The chosen site's picture for the viewer; the same again: back to what all see. */
export function viewSite() {
	const p = chosen();
	const who = viewer();
	if (p && who) {
		void order('party.view_site', { party: who.id, ...(who.view === p.id ? {} : { site: p.id }) });
	} else if (p) {
		store.say(t('ctl.no_viewer'));
	}
}

/** The poll that keys mean: what is broadcast, else the viewer's. */
export function poll() {
	const c = control.value;
	const who = viewer();
	return c?.broadcast.poll ? { poll: c.broadcast.poll, more: {} } : who?.control?.poll ? { poll: who.control.poll, more: { viewer: who.id } } : null;
}

/** @param {'next' | 'pause' | 'resume'} step */
export function pollStep(step) {
	const now = poll();
	if (now) {
		void order('poll.step', { step, ...now.more });
	}
}

/** Our own hand: up, or down again. */
export function raiseHand() {
	const seat = conf.joined.value;
	if (seat) {
		void order(control.value?.hands.some((h) => h.party === seat.party) ? 'floor.cancel' : 'floor.request', { party: seat.party });
	}
}

export function admitNext() {
	if (waiting.value[0]) {
		void order('lobby.admit', { party: waiting.value[0].id });
	}
}

/** @param {boolean} barge */
export async function listenIn(barge) {
	await conf.join(false, barge ? 'conference.barge_in' : 'conference.monitor');
}

export function listen() {
	store.client.on('conference.notice', (n) => {
		const name = conf.nameOfAny(n.party);
		const text = t(`notice.${n.what}`, { name, minutes: n.minutes ?? 0 });
		if (n.what === 'waits' || n.what === 'ends') {
			raise({ key: `${n.what}-${n.party ?? n.conference}`, level: 2, text });
		} else {
			store.say(text);
			settleAlarms(`waits-${n.party}`);
		}
	});
}
