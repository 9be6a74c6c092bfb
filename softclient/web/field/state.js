// The field page's life, from the link to the wall. Screens read the signals, buttons call the acts.
//
//   opening -> ready -> asking -> live <-> paused        any -> ended / trouble
import { computed, signal } from '../lib/view.js';
import { ApiError, Client, rest } from '../lib/api.js';
import { MediaLink } from '../lib/rtc.js';
import { errorText } from '../lib/ui.js';
import { battery, inAppBrowser, keepAwake, openCamera, openPicture, thinLine, troubleOf, watchPlace } from './device.js';

const FIGURES_MS = 1000;
const HEARD_ENERGY = 0.0005;
const HEARD_LEVEL = 0.01;
const LOW_BATTERY = 20;
const HEAVY_LOSS = 0.12;
/** Looks in a row: quickly down to the small picture, slowly back up. */
const WEAK_LOOKS = 3;
const STRONG_LOOKS = 20;

/** @type {import('../vendor/signals.js').Signal<'opening' | 'in_app' | 'ready' | 'asking' | 'live' | 'ended' | 'trouble'>} */
export const phase = signal('opening');
/** Key below `trouble.` or `ended.` in the texts. */
export const cause = signal('');
export const detail = signal('');
/** @type {import('../vendor/signals.js').Signal<Ortoo.Session | null>} */
export const session = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Incident | null>} */
export const incident = signal(null);
/** @type {import('../vendor/signals.js').Signal<MediaStream | null>} */
export const picture = signal(null);
/** @type {import('../vendor/signals.js').Signal<MediaStream | null>} */
export const sound = signal(null);
export const muted = signal(false);
export const hearing = signal(false);
export const soundBlocked = signal(false);
export const placeRefused = signal(false);
/** One bar of signal: only the small picture is sent. */
export const weak = signal(false);
export const online = signal(navigator.onLine);
export const figures = signal({ fps: 0, rtt_ms: 0, loss: 0 });

export const client = new Client('field');
export const media = new MediaLink(client, 'fld');
export const mine = computed(() => incident.value?.scenes.find((s) => s.id === session.value?.scene) ?? null);
/** When the wall really drew this scene; 0 = not yet. */
export const wallAt = computed(() => mine.value?.stamps.first_drawn_ms ?? 0);

/** @type {'environment' | 'user'} */
let facing = 'environment';
/** @type {MediaStream | null} */
let camera = null;
let stopPlace = () => {};
let heard = false;
/** Muted from the console: the console may also take it back, which it may not when the officer did it himself. */
let muted_there = false;
let energy = 0;

/** @param {string} kind @param {string} [text] */
function stamp(kind, text) {
	client.call('scene.stamp', { kind, at_ms: Math.round(client.now()), ...(text ? { detail: text } : {}) }, { timeout_ms: 60000 }).catch(() => {});
}

/** @param {'ended' | 'trouble'} to @param {string} why @param {string} [text] */
function stop(to, why, text = '') {
	phase.value = to;
	cause.value = why;
	detail.value = text;
}

/** @param {unknown} e */
function refusedLink(e) {
	const code = e instanceof ApiError ? e.code : 'internal';
	if (['expired', 'used', 'revoked', 'not_found', 'ended', 'invalid'].includes(code)) {
		stop('ended', { ended: 'closed', invalid: 'not_found' }[code] ?? code);
	} else {
		stop('trouble', ['offline', 'unreachable', 'rate_limited'].includes(code) ? code : 'server', errorText(e));
	}
}

/** Opens the link of the address; a page that is loaded again goes on with the session it already has. */
export async function open(even_in_app = false) {
	if (inAppBrowser() && !even_in_app) {
		phase.value = 'in_app';
		return;
	}
	phase.value = 'opening';
	const token = decodeURIComponent(location.pathname.split('/')[2] ?? '');
	try {
		enter(await rest('link.open', { token })); // this phone's own cookie may open it again
	} catch (e) {
		refusedLink(e);
	}
}

/** @param {Ortoo.Session} who */
function enter(who) {
	session.value = who;
	client.open();
	client.on('incident.changed', (p) => changed(p.incident));
	client.on('link.ended', (p) => finish(p.why ?? 'closed'));
	client.on('session.ended', (p) => finish(p.why === 'closed' ? 'closed' : 'expired'));
	client.onUp(() => void client.call('incident.get', { id: who.incident }).then(changed).catch(() => {})); // else the next change tells
	media.addSource('audio', { receive: true });
	media.addSource('video', { layers: true });
	media.onSound = (stream) => (sound.value = stream);
	phase.value = 'ready';
	if (inAppBrowser()) {
		stamp('in_app_browser');
	}
}

/** @param {Ortoo.Incident} fresh */
function changed(fresh) {
	incident.value = fresh;
	const me = fresh.scenes.find((s) => s.id === session.value?.scene);
	if (me && Boolean(me.muted) !== muted.value && (me.muted || muted_there)) {
		muted_there = Boolean(me.muted);
		setMuted(muted_there);
	}
	if (fresh.closed_ms) {
		finish('closed');
	}
}

/** @param {string} why */
function finish(why) {
	if (phase.value === 'ended') {
		return;
	}
	stopPlace();
	camera?.getTracks().forEach((t) => t.stop());
	picture.value = null;
	media.close();
	client.close();
	stop('ended', ['closed', 'revoked', 'expired'].includes(why) ? why : 'closed');
}

/** The big button. Runs inside a tap, so that camera and sound may start. */
export async function go() {
	phase.value = 'asking';
	stamp('camera_asked');
	try {
		camera = await openCamera(facing);
	} catch (e) {
		const trouble = window.isSecureContext ? troubleOf(e) : 'insecure';
		stamp(trouble === 'no_camera' ? 'no_camera' : 'camera_refused', String(e));
		stop('trouble', trouble);
		return;
	}
	stamp('camera_granted', camera.getVideoTracks()[0]?.label);
	picture.value = camera;
	await media.setTrack('audio', camera.getAudioTracks()[0]);
	await media.setTrack('video', camera.getVideoTracks()[0]);
	camera.getVideoTracks()[0].contentHint = 'motion';
	media.open();
	phase.value = 'live';
	void keepAwake();
	stopPlace = watchPlace((p) => client.call('scene.position', p, { timeout_ms: 30000 }).catch(() => {}), () => (placeRefused.value = true));
	void sayBattery(true);
}

export async function switchCamera() {
	facing = facing === 'environment' ? 'user' : 'environment';
	await replacePicture();
}

/** A new picture track; phones give only one camera at a time, so the old one is let go first. */
async function replacePicture() {
	const old = camera?.getVideoTracks()[0];
	old?.stop();
	try {
		const track = await openPicture(facing);
		camera = new MediaStream([...(camera?.getAudioTracks() ?? []), track]);
		picture.value = camera;
		await media.setTrack('video', track);
	} catch (e) {
		stop('trouble', troubleOf(e));
	}
}

/** @param {boolean} on */
function setMuted(on) {
	muted.value = on;
	camera?.getAudioTracks().forEach((t) => (t.enabled = !on));
}

export function toggleMute() {
	setMuted(!muted.value);
	muted_there = false;
	client.call('scene.mute', { on: muted.value }).catch(() => {});
}

/** The officer ends it himself; a tap on the big button starts again. */
export function end() {
	stopPlace();
	camera?.getTracks().forEach((t) => t.stop());
	location.reload();
}

/** @param {boolean} first */
async function sayBattery(first) {
	const percent = await battery();
	if (percent !== null && (first || percent <= LOW_BATTERY)) {
		stamp('battery', `${percent}%`);
	}
}

let weak_looks = 0;
let strong_looks = 0;

/** The encoder thins its picture by itself; this is for lines that lose so much, or are so thin, that two pictures hurt both. @param {number} loss */
function judgeLine(loss) {
	const bad = thinLine() || loss > HEAVY_LOSS;
	weak_looks = bad ? weak_looks + 1 : 0;
	strong_looks = bad ? 0 : strong_looks + 1;
	if (thinLine() || weak_looks >= WEAK_LOOKS) {
		weak.value = true;
	} else if (strong_looks >= STRONG_LOOKS) {
		weak.value = false;
	}
	void media.setSmallOnly(weak.value);
}

/** A stamp only when sound of the other side really came out of the decoder, never on a mere track. */
async function look() {
	if (phase.value !== 'live') {
		return;
	}
	const now = await media.stats();
	judgeLine(now.loss);
	figures.value = { fps: Math.round(now.fps), rtt_ms: now.rtt_ms, loss: now.loss };
	const gained = now.sound_energy - energy;
	energy = now.sound_energy;
	hearing.value = gained > HEARD_ENERGY || now.sound_level > HEARD_LEVEL;
	if (hearing.value && !heard && !soundBlocked.value) {
		heard = true;
		stamp('heard_dispatcher');
	}
}

async function visibility() {
	if (phase.value !== 'live') {
		return;
	}
	if (document.hidden) {
		stamp('paused');
		return;
	}
	stamp('resumed');
	client.hurry();
	void keepAwake();
	if (camera?.getVideoTracks()[0]?.readyState !== 'live') {
		await replacePicture();
	}
	if (media.pc?.connectionState !== 'connected') {
		media.lost();
	}
}

export function watch() {
	setInterval(() => void look(), FIGURES_MS);
	setInterval(() => void sayBattery(false), 60000);
	document.addEventListener('visibilitychange', () => void visibility());
	addEventListener('online', () => (online.value = true));
	addEventListener('offline', () => (online.value = false));
}
