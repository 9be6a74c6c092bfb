// What the console knows, as signals, and every act that changes it. Screens read signals and call acts.
import { batch, computed, signal } from '../lib/view.js';
import { Client, rest } from '../lib/api.js';
import { MediaLink } from '../lib/rtc.js';
import { language, t } from '../lib/i18n.js';
import { errorText } from '../lib/ui.js';
import { raise, settleAlarms } from './alarms.js';

const UNDO_MS = 5000;
const LOG_PAGE = 200;
const STATS_FRESH_MS = 10000;

/** @type {import('../vendor/signals.js').Signal<Ortoo.Session | null | undefined>} undefined while unknown, null when logged out */
export const session = signal(undefined);
export const client = new Client();
/** @type {import('../vendor/signals.js').Signal<MediaLink | null>} */
export const media = signal(null);

/** @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.Incident>>} */
export const incidents = signal(new Map());
/** @type {import('../vendor/signals.js').Signal<string | null>} */
export const incidentId = signal(null);
/** @type {import('../vendor/signals.js').Signal<string | null>} */
export const sceneId = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Wall[]>} */
export const walls = signal([]);
/** @type {import('../vendor/signals.js').Signal<string | null>} */
export const wallId = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Directory>} */
export const directory = signal({ divisions: [], sites: [], people: [], devices: [] });
/** @type {import('../vendor/signals.js').Signal<Ortoo.LogRecord[]>} */
export const log = signal([]);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Config>} */
export const config = signal({});
/** @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.SceneStats & { at_ms: number }>>} */
export const stats = signal(new Map());
/** @type {import('../vendor/signals.js').Signal<Set<string>>} */
export const speaking = signal(new Set());
export const engine = signal('up');
/** @type {import('../vendor/signals.js').Signal<Map<string, string>>} addresses of links made here; shown once by the gateway, kept until the page goes */
export const linkUrls = signal(new Map());

/** What covers the screen. @type {import('../vendor/signals.js').Signal<{ name: string, [key: string]: any } | null>} */
export const dialog = signal(null);
/** @type {import('../vendor/signals.js').Signal<'scene' | 'links' | 'log' | 'talk' | 'report'>} */
export const tab = signal('scene');
/** Which screen: the incident's or the conference's. @type {import('../vendor/signals.js').Signal<'incident' | 'conference'>} */
export const mode = signal(location.hash === '#conference' ? 'conference' : 'incident');
export const mapOpen = signal(false);
/** @type {import('../vendor/signals.js').Signal<{ text: string, bad: boolean, at_ms: number, undo: (() => void) | null } | null>} */
export const line = signal(null);
/** @type {import('../vendor/signals.js').Signal<null | 'asking' | 'one' | 'all'>} */
export const talking = signal(null);
export const listening = signal(true);

export const incident = computed(() => incidents.value.get(incidentId.value ?? '') ?? null);
export const openIncidents = computed(() => [...incidents.value.values()].filter((i) => !i.closed_ms));
/** @type {import('../vendor/signals.js').ReadonlySignal<Ortoo.Scene[]>} */
export const scenes = computed(() => incident.value?.scenes ?? []);
export const scene = computed(() => scenes.value.find((s) => s.id === sceneId.value) ?? null);
/** The chosen wall, or one that somebody can see. */
export const wall = computed(() => walls.value.find((w) => w.id === wallId.value) ?? walls.value.find((w) => w.online) ?? walls.value[0] ?? null);
export const mayCommand = computed(() => ['administrator', 'dispatcher'].includes(session.value?.role ?? ''));
/** Acts on the chosen incident make sense: it is open, and this operator may. */
export const mayAct = computed(() => mayCommand.value && Boolean(incident.value) && !incident.value?.closed_ms);
export const mayAudit = computed(() => ['administrator', 'auditor'].includes(session.value?.role ?? ''));
export const isAdmin = computed(() => session.value?.role === 'administrator');

/** Pictures worth showing: the party is there or was a moment ago. @param {Ortoo.Scene} s */
export function hasPicture(s) {
	return ['connecting', 'present', 'degraded', 'held'].includes(s.state) && Boolean(s.video ?? true);
}

/** Stream ids follow from the scene, the gateway's own words win. @param {Ortoo.Scene} s @param {'video' | 'audio'} kind */
export function streamOf(s, kind) {
	return s[kind] || `${s.id}.${kind}`;
}

/** @param {string} id */
export function freshStats(id) {
	const row = stats.value.get(id);
	return row && Date.now() - row.at_ms < STATS_FRESH_MS ? row : null;
}

/* ---- event line and undo ---- */

/** @type {{ timer: number, run: () => void } | null} */
let pending = null;
let lineTimer = 0;

/** One line at the bottom, with an undo for five seconds. @param {string} text @param {(() => void) | null} [undo] */
export function say(text, undo = null) {
	show(text, false, undo);
}

/** @param {string} text @param {boolean} bad @param {(() => void) | null} undo */
function show(text, bad, undo) {
	line.value = { text, bad, at_ms: Date.now(), undo };
	clearTimeout(lineTimer);
	lineTimer = undo ? setTimeout(() => (line.value = line.value && { ...line.value, undo: null }), UNDO_MS) : 0;
}

/** Runs an act and puts its failure on the event line. @template T @param {Promise<T>} promise @returns {Promise<T | null>} */
export async function attempt(promise) {
	try {
		return await promise;
	} catch (e) {
		show(errorText(e), true, null);
		return null;
	}
}

/** For what cannot be taken back: it happens only when five seconds have passed without undo. @param {string} text @param {() => void} run */
export function later(text, run) {
	flush();
	const timer = setTimeout(flush, UNDO_MS);
	pending = { timer, run };
	show(t('undo.soon', { text }), false, () => {
		clearTimeout(timer);
		pending = null;
		show(t('undo.done', { text }), false, null);
	});
}

export function flush() {
	if (pending) {
		clearTimeout(pending.timer);
		const { run } = pending;
		pending = null;
		run();
	}
}

export function undo() {
	line.value?.undo?.();
}

/* ---- session ---- */

/** Asks who we are; decides between the log-in form and the console. */
export async function start() {
	try {
		const who = await rest('auth.whoami');
		enter(who);
	} catch (e) {
		session.value = null;
		const code = /** @type {{ code?: string }} */ (e).code;
		if (code !== 'unauthenticated') {
			show(errorText(e), true, null);
		}
	}
}

/** @param {Ortoo.Session} who */
export function enter(who) {
	if (['wall', 'room', 'field'].includes(who.role)) {
		session.value = null;
		return;
	}
	session.value = who;
	if (who.limited) {
		return;
	}
	if (who.second_factor_wanted) {
		say(t('factor.remind'));
	}
	client.open();
	if (who.role !== 'auditor') { // an auditor reads, pictures are not shown to him
		media.value = new MediaLink(client, 'con');
		media.value.addSource('audio');
	}
}

export async function logout() {
	await attempt(rest('auth.logout'));
	location.reload();
}

/** Subscriptions that live as long as the page. */
export function listen() {
	client.onUp(() => void refresh());
	client.on('incident.changed', (p) => changed(p.incident));
	client.on('incident.alarm', (p) => markReached(p.incident, p.step, p.minutes, p.text));
	client.on('wall.changed', (p) => wallChanged(p.wall));
	client.on('directory.changed', () => void loadDirectory());
	client.on('access.changed', () => void refresh());
	client.on('scene.stats', (p) => (stats.value = new Map(stats.value).set(p.scene, { ...p, at_ms: Date.now() })));
	client.on('scene.level', (p) => {
		const next = new Set(speaking.value);
		p.speaking ? next.add(p.scene) : next.delete(p.scene);
		speaking.value = next;
	});
	client.on('system.state', (p) => engineChanged(p.engine));
	client.on('session.ended', () => (session.value = null));
}

/** A mark of the ladder without a scene on the wall. @param {string} id @param {number} step @param {number} minutes @param {string} text @param {number} [at_ms] */
function markReached(id, step, minutes, text, at_ms) {
	raise({
		key: `step-${id}-${step}`, level: 1, incident: id, step, at_ms,
		text: t('alarm.of', { number: incidents.value.get(id)?.number ?? '', text: (language.value === 'zh-CN' && text) || t('alarm.step', { minutes }) }),
	});
}

/** Marks that were reached before this page came and that nobody has acknowledged. */
function raiseWaiting() {
	for (const i of openIncidents.value) {
		i.escalations.filter((e) => e.state === 'fired').forEach((e) => markReached(i.id, e.step, e.minutes, e.text_zh ?? '', e.fired_ms));
	}
}

/** A real incident comes before a drill, the newest first. */
function firstToShow() {
	const real = openIncidents.value.filter((i) => !i.drill);
	return (real.length ? real : openIncidents.value).reduce((a, b) => (a && a.t0_ms > b.t0_ms ? a : b), /** @type {Ortoo.Incident | null} */ (null))?.id ?? null;
}

/** @param {string} state */
function engineChanged(state) {
	engine.value = state ?? 'up';
	if (state === 'down') {
		raise({ key: 'engine', level: 2, text: t('alarm.engine') });
	} else if (state === 'up') {
		settleAlarms('engine');
	}
}

/** Everything again after each (re)connect: events may have been missed. */
async function refresh() {
	const [list, wallList, dir, conf] = await Promise.all([
		attempt(client.call('incident.list', { open_only: true, limit: 50 })),
		attempt(client.call('wall.list')),
		attempt(client.call('directory.get')),
		attempt(client.call('config.get')),
	]);
	batch(() => {
		if (list) {
			incidents.value = new Map(list.incidents.map((/** @type {Ortoo.Incident} */ i) => [i.id, i]));
			if (!incident.value) {
				choose(firstToShow());
			}
		}
		walls.value = wallList?.walls ?? walls.value;
		directory.value = dir ?? directory.value;
		config.value = conf ?? config.value;
	});
	raiseWaiting();
	log.value = [];
	void loadLog();
}

async function loadDirectory() {
	directory.value = await attempt(client.call('directory.get')) ?? directory.value;
}

/* ---- incidents ---- */

/** @param {Ortoo.Incident} fresh */
function changed(fresh) {
	const old = incidents.value.get(fresh.id);
	incidents.value = new Map(incidents.value).set(fresh.id, fresh);
	if (!incident.value) {
		choose(fresh.id);
	}
	for (const s of fresh.scenes) {
		const before = old?.scenes.find((x) => x.id === s.id);
		if (before && before.state !== s.state) {
			sceneChanged(s);
		}
	}
	fresh.escalations.filter((e) => e.state !== 'fired').forEach((e) => settleAlarms(`step-${fresh.id}-${e.step}`, e.acked_by?.replace(/^u:/, '')));
	if (fresh.closed_ms) {
		settleAlarms(`step-${fresh.id}-`);
	}
	if (fresh.id === incidentId.value) {
		if (!scene.value && fresh.scenes.length) {
			sceneId.value = fresh.scenes[0].id;
		}
		scheduleLog();
	}
}

/** @param {Ortoo.Scene} s */
function sceneChanged(s) {
	const lost = ['failed', 'unreachable'].includes(s.state);
	if (lost) {
		raise({ key: `scene-${s.id}`, level: 2, incident: s.incident, text: t('alarm.scene', { name: s.name, state: t(`state.${s.state}`) }) });
	} else {
		settleAlarms(`scene-${s.id}`);
		say(t('event.scene', { name: s.name, state: t(`state.${s.state}`) }));
	}
}

/** @param {string | null} id */
export function choose(id) {
	batch(() => {
		incidentId.value = id;
		sceneId.value = incidents.value.get(id ?? '')?.scenes[0]?.id ?? null;
		log.value = [];
	});
	void loadLog();
}

/** @param {object} form @returns {Promise<Ortoo.Incident>} */
export async function openIncident(form) {
	const fresh = await client.call('incident.open', form);
	changed(fresh);
	choose(fresh.id);
	say(t('event.opened', { number: fresh.number }));
	return fresh;
}

export function closeIncident() {
	const closing = incident.value;
	if (closing) {
		later(t('act.close_incident', { number: closing.number }), () =>
			void attempt(client.call('incident.close', { id: closing.id, reason: t('close_reason') })));
	}
}

/** @param {Ortoo.Escalation} step */
export async function acknowledge(step) {
	if (incident.value) {
		await attempt(client.call('escalation.ack', { incident: incident.value.id, step: step.step }));
	}
}

let logTimer = 0;
function scheduleLog() {
	clearTimeout(logTimer);
	logTimer = setTimeout(() => void loadLog(), 500);
}

async function loadLog() {
	const id = incidentId.value;
	if (!id || client.state.value !== 'up') {
		return;
	}
	const after_seq = log.value.at(-1)?.seq ?? 0;
	const page = await attempt(client.call('incident.log', { id, after_seq, limit: LOG_PAGE }));
	if (page && id === incidentId.value) {
		const known = log.value.at(-1)?.seq ?? 0;
		log.value = [...log.value, ...page.records.filter((/** @type {Ortoo.LogRecord} */ r) => r.seq > known)];
	}
}

/** @param {string} text */
export async function note(text) {
	if (incident.value && text.trim()) {
		await attempt(client.call('incident.note', { id: incident.value.id, text: text.trim() }));
		scheduleLog();
	}
}

/* ---- links ---- */

/** @param {{ person?: string, guest_name?: string, channel?: string, phone?: string }} who */
export async function issueLink(who) {
	if (!incident.value) {
		return null;
	}
	const reply = await attempt(client.call('link.issue', { channel: 'copy', ...who, incident: incident.value.id }));
	if (reply?.link) {
		const url = new URL(reply.link.url, location.href).href;
		linkUrls.value = new Map(linkUrls.value).set(reply.link.id, url);
		return /** @type {Ortoo.Link} */ ({ ...reply.link, url });
	}
	return null;
}

/** Several officers at once; with one the code is shown at once for the phone in front of the desk. @param {string[]} people */
export async function issueLinks(people) {
	/** @type {Ortoo.Link[]} */
	const made = [];
	for (const person of people) {
		const link = await issueLink({ person });
		if (link) {
			made.push(link);
		}
	}
	if (made.length) {
		tab.value = 'links';
		say(t('event.links', { count: made.length }));
	}
	if (made.length === 1) {
		dialog.value = { name: 'link', id: made[0].id };
	}
}

/** @param {Ortoo.Link} link */
export function revokeLink(link) {
	later(t('act.revoke', { name: link.name }), () => void attempt(client.call('link.revoke', { link: link.id })));
}

/* ---- scenes and wall ---- */

/** @param {Ortoo.Scene} s */
export function removeScene(s) {
	later(t('act.remove', { name: s.name }), () => void attempt(client.call('scene.remove', { scene: s.id })));
}

/** @param {Ortoo.Scene[]} list */
export function removeScenes(list) {
	later(t('act.remove', { name: list.map((s) => s.name).join(', ') }), () => list.forEach((s) => void attempt(client.call('scene.remove', { scene: s.id }))));
}

/** @param {Ortoo.Scene} s */
export function muteScene(s) {
	void attempt(client.call('scene.mute', { scene: s.id, on: !s.muted }));
}

/** @param {Ortoo.Wall} fresh */
function wallChanged(fresh) {
	const old = walls.value.find((w) => w.id === fresh.id);
	walls.value = old ? walls.value.map((w) => (w.id === fresh.id ? fresh : w)) : [...walls.value, fresh];
	for (const w of fresh.windows) {
		const key = `wall-${fresh.id}-${w.window}`;
		if (w.state === 'frozen') {
			raise({ key, level: 2, text: t('alarm.frozen', { wall: fresh.name, window: w.window }) });
		} else {
			settleAlarms(key);
		}
	}
}

/** One key: the scene goes to the window asked for, or where the gateway finds room. @param {Ortoo.Scene | null} s @param {number} [window] */
export async function push(s, window) {
	const on = wall.value;
	if (!s || !on) {
		show(t(on ? 'event.no_scene' : 'event.no_wall'), true, null);
		return;
	}
	const reply = await attempt(client.call('wall.push', { wall: on.id, scene: s.id, ...(window ? { window } : {}) }));
	if (reply) {
		const before = on.windows.find((w) => w.window === reply.window)?.scene;
		say(t('event.pushed', { name: s.name, wall: on.name, window: reply.window }), () => void restore(on.id, reply.window, before));
	}
}

/** @param {string} wallOf @param {number} window @param {string | null | undefined} before */
async function restore(wallOf, window, before) {
	const act = before ? client.call('wall.push', { wall: wallOf, scene: before, window }) : client.call('wall.clear', { wall: wallOf, window });
	if (await attempt(act)) {
		say(t('undo.back'));
	}
}

/** @param {Ortoo.Window} w */
export async function clearWindow(w) {
	const on = wall.value;
	if (on && await attempt(client.call('wall.clear', { wall: on.id, window: w.window }))) {
		say(t('event.cleared', { window: w.window }), () => void restore(on.id, w.window, w.scene));
	}
}

/** @param {number} layout */
export function setLayout(layout) {
	if (wall.value) {
		void attempt(client.call('wall.layout', { wall: wall.value.id, layout }));
	}
}

/* ---- talk ---- */

/** @type {MediaStreamTrack | null} */
let microphone = null;
/** @type {{ incident: string, scenes: string[] } | null} */
let talkTo = null;

async function openMicrophone() {
	if (microphone?.readyState === 'live') {
		return microphone;
	}
	const asked = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
	microphone = asked.getAudioTracks()[0];
	microphone.enabled = false;
	media.value?.open();
	await media.value?.setTrack('audio', microphone);
	return microphone;
}

/** Pressed: this console's microphone goes to one scene or to all. @param {'one' | 'all'} whom */
export async function talk(whom) {
	const target = whom === 'all' ? '*' : sceneId.value;
	if (talking.value || !incident.value || !target || !mayCommand.value) {
		return;
	}
	talking.value = 'asking';
	try {
		const track = await openMicrophone();
		if (talking.value !== 'asking') {
			return; // released while the browser was asking for permission
		}
		talkTo = { incident: incident.value.id, scenes: [target] };
		await client.call('talk.set', { ...talkTo, on: true });
		track.enabled = true;
		talking.value = whom;
	} catch (e) {
		talking.value = null;
		const refused = e instanceof DOMException;
		show(refused ? t('talk.no_microphone') : errorText(e), true, null);
	}
}

/** Released. */
export function hush() {
	if (!talking.value) {
		return;
	}
	talking.value = null;
	if (microphone) {
		microphone.enabled = false;
	}
	if (talkTo) {
		void attempt(client.call('talk.set', { ...talkTo, on: false }));
		talkTo = null;
	}
}
