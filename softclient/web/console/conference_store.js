// What the console knows of conferences, and every act that changes them. The gateway sends whole objects.
import { batch, computed, signal } from '../lib/view.js';
import { MediaLink } from '../lib/rtc.js';
import { t } from '../lib/i18n.js';
import { errorText } from '../lib/ui.js';
import { raise, settleAlarms } from './alarms.js';
import * as store from './store.js';

const FLOW_FRESH_MS = 10000;
const MOVE_MS = 1500;
let missing_ms = 0;

/** @type {import('../vendor/signals.js').Signal<Map<string, Ortoo.Conference>>} */
const conferences = signal(new Map());
/** @type {import('../vendor/signals.js').Signal<string | null>} */
export const conferenceId = signal(null);
/** @type {import('../vendor/signals.js').Signal<string | null>} */
export const partyId = signal(null);
/** Cell that is being assigned. @type {import('../vendor/signals.js').Signal<number | null>} */
export const cellAt = signal(null);
/** @type {import('../vendor/signals.js').Signal<Map<string, { sends: Ortoo.Flow, gets: Ortoo.Flow, at_ms: number }>>} */
const flows = signal(new Map());
/** @type {import('../vendor/signals.js').Signal<Ortoo.Trunk[]>} */
export const trunks = signal([]);
/** @type {import('../vendor/signals.js').Signal<'site' | 'floor' | 'roll' | 'call' | 'ack' | 'content' | 'lines'>} */
export const tab = signal('site');

/** @typedef {{ party: string, conference: string, audio: string, video: string, link: MediaLink, mic: MediaStreamTrack | null, screen: MediaStreamTrack | null }} Joined */
/** @type {import('../vendor/signals.js').Signal<Joined | null>} */
export const joined = signal(null);
export const micOpen = signal(false);

export const openOnes = computed(() => [...conferences.value.values()].filter((c) => c.state === 'open'));
export const conference = computed(() => conferences.value.get(conferenceId.value ?? '') ?? null);
export const parties = computed(() => conference.value?.parties ?? []);
export const party = computed(() => parties.value.find((p) => p.id === partyId.value) ?? null);
export const program = computed(() => conference.value?.views.find((v) => v.id === 'program') ?? conference.value?.views[0] ?? null);
/** What somebody else shows: whose it is, and its stream. */
export const slides = computed(() => {
	const holder = parties.value.find((p) => p.id === conference.value?.content.holder);
	return holder?.slides && holder.id !== joined.value?.party ? { name: holder.name, stream: holder.slides } : null;
});
/** The large picture is the content instead of the program, as long as there is some. */
export const slidesLarge = signal(false);
export const mayAct = computed(() => store.mayCommand.value && conference.value?.state === 'open');

const THERE = ['connecting', 'present', 'degraded', 'held'];

/** @param {Ortoo.Party} p */
export function isThere(p) {
	return THERE.includes(p.state);
}

/** @param {Ortoo.Party} p */
export function isBeingCalled(p) {
	return p.state === 'calling' || p.state === 'ringing';
}

/** An address that was dialled by hand and is not there: it can be called again or taken out, nothing else. @param {Ortoo.Party} p */
export function isOut(p) {
	return !p.site && !isThere(p) && !isBeingCalled(p);
}

/** Figures of the last seconds, else those of the object. @param {Ortoo.Party} p */
export function flowOf(p) {
	const row = flows.value.get(p.id);
	return row && Date.now() - row.at_ms < FLOW_FRESH_MS ? row : { sends: p.sends, gets: p.gets };
}

/** @param {string | null | undefined} id */
export function nameOf(id) {
	return parties.value.find((p) => p.id === id)?.name ?? '';
}

/** Of whatever conference that is known here. @param {string} id */
export function nameOfAny(id) {
	for (const c of conferences.value.values()) {
		const p = c.parties.find((x) => x.id === id);
		if (p) {
			return p.name;
		}
	}
	return '';
}

/* ---- what the gateway says ---- */

export function listen() {
	const { client } = store;
	client.onUp(() => void refresh());
	client.on('conference.changed', (p) => changed(p.conference));
	client.on('party.level', (p) => patchParty(p.conference, p.party, { speaking: p.speaking }));
	client.on('party.stats', (p) => (flows.value = new Map(flows.value).set(p.party, { sends: p.sends, gets: p.gets, at_ms: Date.now() })));
	client.on('trunk.changed', (p) => trunkMoved(p.trunk));
}

/** Everything again after each (re)connect. */
async function refresh() {
	const [list, lines] = await Promise.all([
		store.client.call('conference.list', { open_only: true, limit: 100 }).catch(() => null),
		store.client.call('trunk.list').catch(() => null),
	]);
	batch(() => {
		if (list) {
			conferences.value = new Map(list.conferences.map((/** @type {Ortoo.Conference} */ c) => [c.id, c]));
		}
		trunks.value = lines?.trunks ?? trunks.value;
		if (!conference.value) {
			choose(openOnes.value[0]?.id ?? null);
		}
	});
	checkSeat();
}

/** @param {Ortoo.Conference} fresh */
function changed(fresh) {
	const old = conferences.value.get(fresh.id);
	conferences.value = new Map(conferences.value).set(fresh.id, fresh);
	slidesLarge.value = slidesLarge.value && Boolean(slides.value);
	if (!conference.value || (conference.value.state === 'closed' && conferenceId.value !== fresh.id && fresh.state === 'open')) {
		choose(fresh.id);
	}
	for (const p of fresh.parties) {
		const before = old?.parties.find((x) => x.id === p.id);
		if (before && before.state !== p.state) {
			partyMoved(p, isThere(before));
		}
	}
	const wanting = fresh.content.asking.find((id) => !old?.content.asking.includes(id));
	if (old && wanting) {
		store.say(t('content.wants', { name: fresh.parties.find((p) => p.id === wanting)?.name ?? '' }));
	}
	checkSeat();
}

/** A site that was there and is lost wants a look; others are news. @param {Ortoo.Party} p @param {boolean} was_there */
function partyMoved(p, was_there) {
	const text = t('event.scene', { name: p.name, state: t(`state.${p.state}`) });
	if (was_there && ['failed', 'unreachable'].includes(p.state)) {
		raise({ key: `party-${p.id}`, level: 2, text });
	} else {
		settleAlarms(`party-${p.id}`);
		store.say(text);
	}
}

/** @param {Ortoo.Trunk} x */
function trunkMoved(x) {
	const before = trunks.value.find((old) => old.name === x.name);
	trunks.value = [...trunks.value.filter((old) => old.name !== x.name), x].sort((a, b) => a.name.localeCompare(b.name));
	if (before?.state === 'up' && x.state !== 'up') {
		raise({ key: `trunk-${x.name}`, level: 2, text: t('alarm.trunk', { name: x.name, state: t(`trunk.${x.state}`) }) });
	} else if (x.state === 'up') {
		settleAlarms(`trunk-${x.name}`);
	}
}

/** @param {string} id @param {string} who @param {Partial<Ortoo.Party>} patch */
function patchParty(id, who, patch) {
	const c = conferences.value.get(id);
	if (c) {
		conferences.value = new Map(conferences.value).set(id, { ...c, parties: c.parties.map((p) => (p.id === who ? { ...p, ...patch } : p)) });
	}
}

/** That the token waits for our screen has been said. */
let offered = false;

/** Our own seat is gone when the conference ended or somebody took us out. */
function checkSeat() {
	const seat = joined.value;
	const c = seat && conferences.value.get(seat.conference);
	const missing = Boolean(seat && c && !c.parties.some((p) => p.id === seat.party));
	const other = missing ? openOnes.value.find((x) => x.parties.some((p) => p.id === seat?.party)) : null;
	if (seat && other) { // moved: the call goes on, its sound comes from the other mix
		joined.value = { ...seat, conference: other.id, audio: `mix.${other.id}.a.${seat.party}` };
		store.say(t('join.moved', { name: other.name }));
	} else if (missing && missing_ms === 0) { // its new conference is told of in a moment, or it was removed
		missing_ms = Date.now();
		setTimeout(() => {
			checkSeat();
			missing_ms = 0;
		}, MOVE_MS);
	} else if (missing && Date.now() - missing_ms < MOVE_MS - 100) {
		return;
	} else if (seat && c && (c.state === 'closed' || !c.parties.some((p) => p.id === seat.party && isThere(p)))) {
		dropSeat();
		store.say(t('join.ended'));
	} else if (seat?.screen && c && c.content.holder !== seat.party) {
		void closeScreen(seat);
		store.say(t('content.taken'));
	} else if (seat && !seat.screen && c?.content.holder === seat.party && !offered) {
		offered = true;
		store.say(t('content.yours'));
	}
	offered = offered && c?.content.holder === seat?.party;
}

/** @param {string | null} id */
export function choose(id) {
	batch(() => {
		conferenceId.value = id;
		partyId.value = conferences.value.get(id ?? '')?.parties[0]?.id ?? null;
		cellAt.value = null;
	});
}

/* ---- acts ---- */

/** Sends an act about the chosen conference; the refusal goes to the event line. @param {string} method @param {object} [params] */
export async function act(method, params = {}) {
	const c = conference.value;
	const own = ['conference.', 'endpoint.', 'trunk.'].some((head) => method.startsWith(head)) ? { id: c?.id } : { conference: c?.id };
	return c ? took(await store.attempt(store.client.call(method, { ...own, ...params }))) : null;
}

/** A reply that is a conference is news like any other. @param {any} reply */
export function took(reply) {
	if (reply?.parties && reply.number) {
		changed(reply);
	}
	return reply;
}

/** @param {object} form @returns {Promise<void>} */
export async function open(form) {
	const fresh = await store.client.call('conference.open', form);
	changed(fresh);
	choose(fresh.id);
	store.say(t('event.conference', { number: fresh.number }));
}

export function end() {
	const c = conference.value;
	if (c) {
		void store.attempt(store.client.call('conference.close', { id: c.id })).then((fresh) => fresh && changed(fresh));
	}
}

/** @param {Partial<Ortoo.View>} patch of the program's look; members that are left out stay */
export function look(patch) {
	const v = program.value;
	if (v) {
		const next = { ...v, ...patch };
		void act('conference.layout', {
			view: v.id, ...(patch.layout ? { layout: patch.layout } : {}), auto: next.auto, titles: next.titles, clock: next.clock, banner: next.banner ?? '', alarm: next.alarm ?? '', ...(patch.crawl !== undefined ? { crawl: patch.crawl ?? '' } : {}),
		});
	}
}

/** @param {number} cell @param {Ortoo.CellMode} mode @param {{ party?: string, parties?: string[], interval_ms?: number }} [more] */
export async function setCell(cell, mode, more = {}) {
	const v = program.value;
	const before = v?.cells.find((x) => x.cell === cell);
	if (v && cell < v.cells.length && await act('conference.cell', { view: v.id, cell, mode, ...more })) {
		const back = before && { ...(before.party ? { party: before.party } : {}), ...(before.parties.length ? { parties: before.parties, interval_ms: before.interval_ms } : {}) };
		store.say(t('event.cell', { cell: cell + 1, what: mode === 'fixed' ? nameOf(more.party) : t(`cell.${mode}`) }),
			before ? () => void act('conference.cell', { view: v.id, cell, mode: before.mode, ...back }) : null);
	}
}

/** Shift and a digit: the chosen site into that cell. @param {number} n from 1 */
export function intoCell(n) {
	if (party.value && mayAct.value) {
		void setCell(n - 1, 'fixed', { party: party.value.id });
	}
}

/** @param {Ortoo.Party} p */
export function muteMic(p) {
	void act('party.mic_mute', { party: p.id, on: !p.mic_muted });
}

/** @param {Ortoo.Party} p */
export function muteSpeaker(p) {
	void act('party.speaker_mute', { party: p.id, on: !p.speaker_muted });
}

/** All but chairs; a second press takes it back. */
export function muteAll() {
	const on = !parties.value.every((p) => p.mic_muted || p.role === 'chair');
	void act('party.mic_mute', { party: '*', on }).then((r) => r && store.say(t(on ? 'event.muted_all' : 'event.unmuted_all')));
}

export async function callAbsent() {
	const reply = await act('party.call_absent');
	if (reply) {
		store.say(t('event.called', { count: reply.called }));
	}
}

/** @param {Ortoo.Party} p called again as it was called before */
export function callAgain(p) {
	void act('party.call', p.site ? { site: p.site } : { address: p.address ?? '', name: p.name });
}

/** @param {Ortoo.Party} p */
export function hangUp(p) {
	const again = p.direction === 'out' && (p.site || p.address) ? () => callAgain(p) : null;
	void act('party.hangup', { party: p.id }).then((r) => r && store.say(t('event.hung_up', { name: p.name }), again));
}

/** @param {Ortoo.Party} p */
export function remove(p) {
	store.later(t('act.remove', { name: p.name }), () => void act('party.remove', { party: p.id }));
}

/** Our own screen: begins, or ends. */
export function contentKey() {
	void (joined.value?.screen ? stopScreen() : shareScreen());
}

export function turnStage() {
	slidesLarge.value = Boolean(slides.value) && !slidesLarge.value;
}

/** Taken away, with the way back for five seconds. */
export async function revokeContent() {
	const holder = conference.value?.content.holder;
	if (holder && await act('content.revoke')) {
		store.say(t('event.revoked', { name: nameOf(holder) }), () => void giveContent(holder));
	}
}

/** The token goes to that party, whoever has it. @param {string} to */
export async function giveContent(to) {
	const holder = conference.value?.content.holder;
	if (!holder || holder === to || await act('content.revoke')) {
		await act('content.take', { party: to });
	}
}

/** @param {number} by */
export function step(by) {
	const list = parties.value;
	const at = list.findIndex((p) => p.id === partyId.value);
	if (list.length) {
		partyId.value = list[(at + by + list.length) % list.length].id;
		cellAt.value = null;
	}
}

/* ---- this console as a party ---- */

/** @param {MediaStreamConstraints} what */
async function openTracks(what) {
	try {
		return await navigator.mediaDevices.getUserMedia(what);
	} catch (e) {
		store.say(t('talk.no_microphone'));
		return new MediaStream();
	}
}

/** @param {boolean} camera @param {string} [how] also barging in, or listening only */
export async function join(camera, how = 'conference.join') {
	const c = conference.value;
	if (!c || joined.value) {
		return;
	}
	const tracks = await openTracks({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true }, video: camera && { width: { ideal: 1280 }, height: { ideal: 720 } } });
	const reply = how === 'conference.join' ? await act(how, {}) : await store.attempt(store.client.call(how, { conference: c.id }));
	if (!reply) {
		tracks.getTracks().forEach((x) => x.stop());
		return;
	}
	const link = new MediaLink(store.client, 'cnf');
	const [mic] = tracks.getAudioTracks();
	link.party = reply.party;
	link.addSource('audio', { track: mic ?? null });
	if (camera) {
		link.addSource('video', { track: tracks.getVideoTracks()[0] ?? null });
	}
	if (mic && how === 'conference.monitor') {
		mic.enabled = false;
	}
	micOpen.value = Boolean(mic?.enabled);
	joined.value = { ...reply, link, mic: mic ?? null, screen: null };
	link.open();
}

/** Closes what this console sends; the gateway need not be told. */
function dropSeat() {
	const seat = joined.value;
	if (seat) {
		seat.screen?.stop();
		seat.link.sources.forEach((s) => s.track?.stop());
		seat.link.close();
		joined.value = null;
		micOpen.value = false;
	}
}

export async function leave() {
	const seat = joined.value;
	if (seat) {
		dropSeat();
		await store.attempt(store.client.call('conference.leave', { id: seat.conference }));
	}
}

/** Our own microphone at the source: nothing goes out while it is shut. @param {boolean} on */
export function openMic(on) {
	if (joined.value?.mic) {
		joined.value.mic.enabled = on;
		micOpen.value = on;
	}
}

/** First the token, then the picture: two at once would only fight. */
export async function shareScreen() {
	const seat = joined.value;
	if (!seat || seat.screen) {
		return;
	}
	/** @type {MediaStream} */
	let media;
	try {
		media = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } } });
	} catch (e) {
		store.say(t('content.no_screen'));
		return;
	}
	const [screen] = media.getVideoTracks();
	try {
		changed(await store.client.call('content.take', { conference: seat.conference }));
	} catch (e) {
		screen.stop();
		store.say(errorText(e));
		return;
	}
	offered = true;
	screen.contentHint = 'detail';
	screen.onended = () => void stopScreen();
	joined.value = { ...seat, screen };
	await seat.link.publish('video', 'slides', screen);
}

/** @param {Joined} seat */
async function closeScreen(seat) {
	if (seat.screen) {
		seat.screen.onended = null;
		seat.screen.stop();
		joined.value = { ...seat, screen: null };
		await seat.link.publish('video', 'slides', null);
	}
}

export async function stopScreen() {
	const seat = joined.value;
	if (seat?.screen) {
		await closeScreen(seat);
		await store.attempt(store.client.call('content.release', { conference: seat.conference }));
	}
}
