// Room page (kiosk): name plate and clock while idle, a large answer key while it rings, the conference full screen, the siren of a
// call-and-acknowledge. Nothing to log in, nothing that needs a mouse.
import { byId, effect, html, render, useEffect, useRef } from '../lib/view.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { attach, Glyph, LanguageButton, Picture, Sound, tick } from '../lib/ui.js';
import { Qr } from '../lib/qr.js';
import * as state from './state.js';
import { sound } from './devices.js';
import { ZeroKey } from './zero.js';

const POINTER_MS = 3000;
const FRESH_HOUR = 4;
const FRESH_AFTER_MS = 12 * 3600 * 1000;

/** Registered with the gateway or not: shape, word, colour. */
function Line() {
	const up = state.client.state.value === 'up';
	return html`<span class=${`line ${up ? 'up' : 'down'}`} role="status" data-line=${up ? 'up' : 'down'}><${Glyph} shape=${up ? 'present' : 'failed'} />${t(up ? 'room.registered' : 'room.not_registered')}</span>`;
}

function Drill() {
	return state.call.value?.drill || state.siren.value?.drill ? html`<strong class="drill">${t('drill')}</strong>` : null;
}

function Plate() {
	const r = state.room.value;
	return html`<div class="plate"><b>${r?.site_name ?? r?.name ?? state.session.value?.name ?? 'Ortoo'}</b>${r?.site_name ? html`<span>${r.name}</span>` : null}</div>`;
}

function Health() {
	const h = state.room.value?.health;
	if (!h || state.testing.value) {
		return html`<p class="health">${t('room.testing')}</p>`;
	}
	const rows = [['camera', h.camera], ['mic', h.microphone], ['sound', !state.soundRefused.value]];
	return html`<ul class="health" aria-label=${t('room.health')}>${rows.map(([what, good]) => html`<li class=${good ? 'good' : 'bad'} data-health=${what}>
			<${Glyph} shape=${good ? 'check' : 'cross'} />${t(`room.${what}.${good ? 'good' : 'bad'}`)}</li>`)}
		<li class=${h.rtt_ms < 300 ? 'good' : 'bad'} data-health="line"><${Glyph} shape=${h.rtt_ms < 300 ? 'check' : 'cross'} />${t('room.rtt', { ms: h.rtt_ms, jitter: h.jitter_ms })}</li></ul>`;
}

function Idle() {
	void tick.value;
	const answer = state.room.value?.answer;
	return html`<main class="idle"><${Plate} /><time>${hms(state.client.now())}</time>
		<p class="line-row"><${Line} />${answer ? html`<span>${t(`room.answer.${answer}`)}</span>` : null}</p>
		${state.trouble.value ? html`<p class="trouble" role="alert">${state.trouble.value}</p>` : html`<${Health} />`}<${ZeroKey} />
		${state.call.value?.kind === 'check' ? html`<p class="privacy" data-camera="open"><span class="light" aria-hidden="true"></span>${t('room.checking')}</p>` : null}
		<div class="keys"><button onClick=${() => void state.selfTest()} disabled=${state.testing.value}>${t('room.test')}</button>
			<button onClick=${fullScreen}>${t('room.full')}</button><${LanguageButton} /></div></main>`;
}

function Ring() {
	const c = state.call.value;
	const ref = useRef(/** @type {HTMLButtonElement | null} */ (null));
	useEffect(() => ref.current?.focus(), []);
	return html`<main class="ring"><${Drill} /><${Plate} /><h1>${c?.name}</h1><p>${t(`room.kind.${c?.kind}`)} · ${c?.number}</p>
		<div class="keys"><button ref=${ref} class="huge go" onClick=${() => void state.answer()}><${Glyph} shape="camera" />${t('room.take')}</button>
			<button class="huge no" onClick=${state.refuse}><${Glyph} shape="cross" />${t('room.refuse')}</button></div>
		<p class="small">${t('room.take_help')}</p></main>`;
}

/** @param {{ media: MediaStream }} p */
function Self(p) {
	const ref = useRef(/** @type {HTMLVideoElement | null} */ (null));
	useEffect(() => {
		if (ref.current) {
			attach(ref.current, new MediaStream(p.media.getVideoTracks()));
		}
	}, [p.media]);
	return html`<video ref=${ref} class="self" autoplay playsinline muted aria-label=${t('room.self')}></video>`;
}

/** The camera is open: said by shape and word as long as it is. */
function Privacy() {
	const names = state.watchers.value.map((p) => p.name);
	const open = state.seat.value?.media.getVideoTracks().length;
	return html`<p class="privacy" data-camera=${open ? 'open' : 'none'}><span class="light" aria-hidden="true"></span>${t(open ? 'room.camera_on' : 'room.camera_off')}
		<span class="who" data-watchers=${names.length}>${names.length ? t('room.watched_by', { names: names.slice(0, 6).join(t('room.comma')), count: names.length }) : t('room.watched_by_nobody')}</span></p>`;
}

function Invitation() {
	const i = state.invitation.value;
	return i ? html`<aside class="invitation"><${Qr} text=${i.url} label=${t('room.scan')} /><p>${t('room.scan')}</p></aside>` : null;
}

function InCall() {
	void tick.value;
	const seat = state.seat.value;
	const me = state.own.value;
	if (!seat) {
		return null;
	}
	const up = seat.link.state.value === 'up';
	const { rtt_ms, loss } = state.figures.value;
	return html`<main class="call" data-link=${seat.link.state.value}>
		<${Picture} key=${seat.party} class="program" link=${seat.link} stream=${seat.video} label=${t('room.program')} />
		<${Sound} link=${seat.link} stream=${seat.audio} onRefused=${() => (state.soundRefused.value = true)} />
		<header><${Plate} /><${Drill} /><span>${state.call.value?.name} · ${state.call.value?.number}</span><time>${hms(state.client.now())}</time></header>
		${up ? null : html`<p class="wait" role="status">${t(state.client.state.value === 'up' ? 'room.connecting' : 'room.not_registered')}</p>`}
		<${Self} media=${seat.media} /><${Invitation} />
		<footer><${Privacy} /><span class="figures">${t('room.figures', { rtt: rtt_ms, loss: Math.round(loss * 100) })}${me?.joined_ms ? ` · ${span(state.client.now() - me.joined_ms)}` : ''}</span>
			<button aria-pressed=${me?.mic_muted ?? false} onClick=${state.muteSelf}><${Glyph} shape=${me?.mic_muted ? 'mic_off' : 'mic'} />${t(me?.mic_muted ? 'room.muted' : 'room.mute')}</button>
			${state.call.value?.incident ? html`<button onClick=${() => void state.invite()}><${Glyph} shape="link" />${t('room.invite')}</button>` : null}
			<button class="no" onClick=${state.leave}><${Glyph} shape="cross" />${t('room.leave')}</button></footer></main>`;
}

function Siren() {
	void tick.value;
	const s = state.siren.value;
	const ref = useRef(/** @type {HTMLButtonElement | null} */ (null));
	useEffect(() => ref.current?.focus(), [s?.callack]);
	return s ? html`<main class="siren" data-siren=${s.callack}><${Drill} /><${Plate} /><h1><${Glyph} shape="alarm" />${t('room.siren')}</h1><p class="text">${s.text}</p>
		<p>${t('room.siren_for', { name: s.name })} · ${span(state.client.now() - s.since_ms)}</p>
		<button ref=${ref} class="huge go" data-confirm onClick=${() => void state.confirm()}><${Glyph} shape="check" />${t('room.confirm')}</button></main>` : null;
}

function Screen() {
	if (state.siren.value) {
		return html`<${Siren} />`;
	}
	if (state.inCall.value && state.call.value?.kind !== 'check') {
		return html`<${InCall} />`;
	}
	if (state.ringing.value && !state.call.value?.auto) {
		return html`<${Ring} />`;
	}
	return html`<${Idle} />`;
}

function App() {
	const unlock = () => {
		state.soundRefused.value = false;
		document.querySelectorAll('audio').forEach((a) => void a.play());
		void tune();
	};
	return html`<div class="room" data-state=${state.siren.value ? 'siren' : state.inCall.value ? 'call' : state.ringing.value ? 'ring' : 'idle'}><${Screen} />
		${state.elsewhere.value ? html`<p class="note" role="status">${t('room.elsewhere')}</p>` : null}
		${state.note.value ? html`<p class="note" role="status"><button class="plain" onClick=${() => (state.note.value = '')}>${state.note.value}</button></p>` : null}
		${state.soundRefused.value ? html`<button class="unlock" onClick=${unlock}><${Glyph} shape="sound_off" />${t('room.sound')}</button>` : null}</div>`;
}

function fullScreen() {
	void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen().catch(() => {}));
}

async function tune() {
	const asks = state.ringing.value && !state.call.value?.auto;
	const heard = await sound(state.siren.value ? 'siren' : asks ? 'ring' : null);
	if (!heard) {
		state.soundRefused.value = true;
	}
}

function hidePointer() {
	let timer = 0;
	const show = () => {
		document.body.classList.remove('still');
		clearTimeout(timer);
		timer = setTimeout(() => document.body.classList.add('still'), POINTER_MS);
	};
	addEventListener('pointermove', show);
	show();
}

/** Keys for a room without a mouse; a button that has the focus keeps its own. */
function onKey(/** @type {KeyboardEvent} */ e) {
	const acts = /** @type {Record<string, () => void>} */ ({ f: fullScreen, m: state.muteSelf });
	if (e.target instanceof HTMLButtonElement && ['Enter', ' '].includes(e.key)) {
		return;
	}
	if (e.key === 'Enter' && state.siren.value) {
		void state.confirm();
	} else if (e.key === 'Enter' && state.ringing.value) {
		void state.answer();
	} else {
		acts[e.key]?.();
	}
}

await loadTexts('room', 'zeroroom');
state.listen();
effect(() => {
	void [state.siren.value?.callack, state.ringing.value, state.call.value?.auto];
	queueMicrotask(() => void tune());
});
addEventListener('keydown', onKey);
addEventListener('dblclick', fullScreen);
/** A kiosk that runs for months starts afresh each night, when nobody calls. */
setInterval(() => {
	if (new Date().getHours() === FRESH_HOUR && performance.now() > FRESH_AFTER_MS && !state.call.value && !state.siren.value) {
		location.reload();
	}
}, 60000);
hidePointer();
render(html`<${App} />`, byId('app'));
void state.open();
