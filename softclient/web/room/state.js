// The room page's life: token, name plate, ring, call, and back. Screens read the signals, buttons call the acts.
//
//   closed -> idle -> ringing -> in call -> idle        (the gateway holds the call; a page that starts again comes back into it)
import { batch, computed, effect, signal } from '../lib/view.js';
import { ApiError, Client, rest } from '../lib/api.js';
import { MediaLink } from '../lib/rtc.js';
import { t } from '../lib/i18n.js';
import { errorText } from '../lib/ui.js';
import { lineTest, openRoom, testDevices } from './devices.js';

const KEY = 'ortoo.device';
const RETRY_MS = 3000;
const REPORT_MS = 10 * 60 * 1000;
const FIGURES_MS = 2000;

export const client = new Client('device');
/** @type {import('../vendor/signals.js').Signal<Ortoo.Session | null>} */
export const session = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Room | null>} */
export const room = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Conference | null>} */
export const conference = signal(null);
/** @typedef {{ party: string, conference: string, audio: string, video: string, link: MediaLink, media: MediaStream }} Seat */
/** @type {import('../vendor/signals.js').Signal<Seat | null>} */
export const seat = signal(null);
export const trouble = signal('');
export const note = signal('');
export const soundRefused = signal(false);
/** @type {import('../vendor/signals.js').Signal<{ url: string, expires_ms: number } | null>} */
export const invitation = signal(null);
export const testing = signal(false);
/** @type {import('../vendor/signals.js').Signal<{ rtt_ms: number, loss: number, fps: number }>} */
export const figures = signal({ rtt_ms: 0, loss: 0, fps: 0 });

export const call = computed(() => room.value?.call ?? null);
export const siren = computed(() => room.value?.siren ?? null);
export const inCall = computed(() => Boolean(seat.value && call.value?.party === seat.value.party));
export const ringing = computed(() => Boolean(call.value && ['calling', 'ringing'].includes(call.value.state) && !inCall.value));
/** Another page of this room has the call. */
export const elsewhere = computed(() => Boolean(call.value && !ringing.value && !inCall.value && call.value.taken));
export const own = computed(() => conference.value?.parties.find((p) => p.id === seat.value?.party) ?? null);
/** Who can see this room now. */
export const watchers = computed(() => (conference.value?.parties ?? []).filter((p) => p.id !== seat.value?.party && ['present', 'degraded', 'held'].includes(p.state)));

/** The token of the address is kept, so that a kiosk that starts again needs no hands. */
function deviceToken() {
	const given = decodeURIComponent(location.hash.slice(1));
	try {
		if (given) {
			localStorage.setItem(KEY, given);
			history.replaceState(null, '', location.pathname + location.search);
		}
		return given || localStorage.getItem(KEY) || '';
	} catch {
		return given;
	}
}

const token = deviceToken();

export async function open() {
	try {
		session.value = await rest('device.open', { token });
		trouble.value = '';
		client.open();
	} catch (e) {
		const final = e instanceof ApiError && ['revoked', 'not_found', 'expired', 'unauthenticated', 'credentials', 'invalid'].includes(e.code);
		trouble.value = final ? t('room.bad_token', { why: errorText(e) }) : errorText(e);
		if (!final) {
			setTimeout(() => void open(), RETRY_MS);
		}
	}
}

/** @param {Ortoo.Room} fresh */
function told(fresh) {
	if (room.value && fresh.device !== room.value.device) {
		return;
	}
	batch(() => {
		room.value = fresh;
		if (!fresh.call || fresh.call.party !== seat.value?.party) {
			drop();
		}
	});
}

async function refresh() {
	told(await client.call('room.get'));
	if (call.value) {
		conference.value = await client.call('conference.get', { id: call.value.conference }).catch(() => null);
	}
}

/** Closes camera and connection; the gateway need not be told. */
function drop() {
	const before = seat.value;
	if (before) {
		seat.value = null;
		conference.value = null;
		invitation.value = null;
		before.media.getTracks().forEach((x) => x.stop());
		before.link.close();
	}
}

let answering = '';

/** Takes the call: camera first, so that nobody waits for a picture that cannot come. */
export async function answer() {
	const c = call.value;
	if (!c || answering === c.party || seat.value?.party === c.party) {
		return;
	}
	answering = c.party;
	try {
		const media = await openRoom();
		note.value = media.getVideoTracks().length ? '' : t('room.no_camera');
		const reply = await client.call('room.answer', { party: c.party });
		const link = new MediaLink(client, 'rom');
		link.party = reply.party;
		link.addSource('audio', { track: media.getAudioTracks()[0] ?? null });
		link.addSource('video', { track: media.getVideoTracks()[0] ?? null });
		drop();
		seat.value = { ...reply, link, media };
		conference.value = await client.call('conference.get', { id: reply.conference }).catch(() => null);
		link.open();
	} catch (e) {
		note.value = errorText(e);
	}
	answering = '';
}

export function refuse() {
	if (call.value) {
		void client.call('room.refuse', { party: call.value.party }).catch((e) => (note.value = errorText(e)));
	}
}

export function leave() {
	const before = seat.value;
	if (before) {
		drop();
		void client.call('conference.leave', { id: before.conference }).catch((e) => (note.value = errorText(e)));
	}
}

/** The room's own key; what the dispatcher shut it cannot open. */
export function muteSelf() {
	const me = own.value;
	if (me) {
		void client.call('party.mic_mute', { conference: me.conference, party: me.id, on: !me.mic_muted }).catch((e) => (note.value = errorText(e)));
	}
}

export async function invite() {
	try {
		invitation.value = invitation.value ? null : await client.call('room.invite');
	} catch (e) {
		note.value = errorText(e);
	}
}

export async function confirm() {
	const s = siren.value;
	if (s) {
		await client.call('callack.ack', { callack: s.callack, row: s.row }).catch((e) => (note.value = errorText(e)));
	}
}

/** Camera, microphone and line, told to the gateway; not during a call, whose camera it would take. */
export async function selfTest() {
	if (testing.value || seat.value || call.value) {
		return;
	}
	testing.value = true;
	const [devices, line] = await Promise.all([testDevices(), lineTest(client)]);
	await client.call('room.report', { ...devices, ...line, loss: 0, sound: !soundRefused.value, agent: navigator.userAgent.slice(0, 200) }).catch(() => {});
	testing.value = false;
}

async function look() {
	const link = seat.value?.link;
	if (link) {
		const { rtt_ms, loss, fps } = await link.stats();
		figures.value = { rtt_ms, loss, fps };
	}
}

export function listen() {
	let tested = false;
	client.onUp(() => void refresh().then(() => {
		if (!tested) {
			tested = true;
			void selfTest();
		}
	}).catch(() => {}));
	client.on('room.changed', (p) => told(p.room));
	client.on('conference.changed', (p) => {
		if (p.conference.id === seat.value?.conference) {
			conference.value = p.conference;
		}
	});
	client.on('session.ended', () => {
		drop();
		session.value = null;
		trouble.value = t('room.ended');
		setTimeout(() => location.reload(), RETRY_MS);
	});
	effect(() => {
		const c = call.value;
		const back = c && !ringing.value && !c.taken && !seat.value; // this room's call, and no page has it: after a crash
		if (c && client.state.value === 'up' && (back || (ringing.value && c.auto))) {
			queueMicrotask(() => void answer());
		}
	});
	let shown = '';
	effect(() => {
		const s = siren.value;
		const key = s ? `${s.callack}/${s.row}` : '';
		if (key && key !== shown) {
			queueMicrotask(() => void client.call('callack.seen', { callack: s?.callack, row: s?.row }).catch(() => {}));
		}
		shown = key;
	});
	setInterval(() => void look(), FIGURES_MS);
	setInterval(() => void selfTest(), REPORT_MS);
}
