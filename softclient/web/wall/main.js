// Wall: windows by command, nothing to touch. Opens by a device token in the address, mends itself, reports what it drew.
import { byId, computed, html, render, signal, useEffect, useState } from '../lib/view.js';
import { ApiError, Client, rest } from '../lib/api.js';
import { MediaLink } from '../lib/rtc.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { errorText, Glyph, Picture, Sound, tick } from '../lib/ui.js';
import { watchWindow } from './watch.js';

const KEY = 'ortoo.device';
const RETRY_MS = 3000;
const POINTER_MS = 3000;
const FRESH_HOUR = 4;
const FRESH_AFTER_MS = 12 * 3600 * 1000;

const client = new Client('device');
const media = new MediaLink(client, 'wal');
/** @type {import('../vendor/signals.js').Signal<Ortoo.Session | null>} */
const session = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.Wall | null>} */
const wall = signal(null);
const trouble = signal('');
const soundRefused = signal(false);
const windows = computed(() => wall.value?.windows.slice(0, wall.value.layout) ?? []);

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

async function open() {
	try {
		session.value = await rest('device.open', { token });
		trouble.value = '';
		client.open();
	} catch (e) {
		const final = e instanceof ApiError && ['revoked', 'not_found', 'expired', 'unauthenticated', 'credentials', 'invalid'].includes(e.code);
		trouble.value = final ? t('wall.bad_token', { why: errorText(e) }) : errorText(e);
		if (!final) {
			setTimeout(() => void open(), RETRY_MS);
		}
	}
}

/** @param {Ortoo.Wall[]} list */
function mine(list) {
	const device = session.value?.subject.replace(/^device:/, '');
	return list.find((w) => w.id === device) ?? list.find((w) => w.name === session.value?.name) ?? (list.length === 1 ? list[0] : null);
}

async function refresh() {
	const { walls } = await client.call('wall.list');
	wall.value = mine(walls) ?? wall.value;
	seen.forEach((sight, n) => report(n, sight));
}

/** Last sight of each window, told again after a reconnect. @type {Map<number, import('./watch.js').Sight & { stream: string }>} */
const seen = new Map();

/** @param {number} n @param {import('./watch.js').Sight & { stream: string }} sight */
function report(n, sight) {
	if (sight.state === 'waiting') {
		return;
	}
	const at_ms = Math.round(client.now() + sight.at - performance.now());
	client.call('wall.report', {
		window: n, stream: sight.stream, state: sight.state, at_ms, rtp_ts: sight.rtp_ts, width: sight.width, height: sight.height,
		clock_error_ms: Math.max(0, client.clock.error_ms),
	}, { timeout_ms: 30000 }).catch((e) => console.warn('wall.report', e.message, e.why));
}

/** @param {{ w: Ortoo.Window }} p */
function Window(p) {
	void tick.value;
	const { w } = p;
	const [state, setState] = useState(/** @type {import('./watch.js').Seen} */ ('waiting'));
	const [since, setSince] = useState(0);
	const on = w.scene && w.stream;
	useEffect(() => {
		setState('waiting');
		return () => void seen.delete(w.window);
	}, [w.stream]);
	const watch = (/** @type {HTMLVideoElement} */ video, /** @type {import('../lib/rtc.js').View} */ view) => watchWindow(video, view, (sight) => {
		setState(sight.state);
		setSince(Date.now());
		const told = { ...sight, stream: view.stream };
		seen.set(w.window, told);
		report(w.window, told);
	});
	if (!on) {
		return html`<section class="window empty" data-window=${w.window} data-state="empty"><span class="empty-number">${w.window}</span></section>`;
	}
	const bad = state === 'frozen' || state === 'lost';
	return html`<section class=${`window ${bad ? 'bad' : ''}`} data-window=${w.window} data-state=${state}>
		<${Picture} link=${media} stream=${w.stream} label=${w.name} onVideo=${watch} />
		${w.drill ? html`<strong class="drill">${t('drill')}</strong>` : null}
		${bad ? html`<div class="alarm" role="alert"><${Glyph} shape="failed" />${t(`window.${state}`)} ${span(Date.now() - since)}</div>` : null}
		${state === 'waiting' ? html`<div class="wait">${t('window.waiting')}</div>` : null}
		<div class="caption"><b>${w.name}</b><time>${hms(client.now())}</time></div></section>`;
}

function Idle() {
	void tick.value;
	return html`<main class="idle"><p class="name">${wall.value?.name ?? session.value?.name ?? 'Ortoo'}</p>
		<time>${hms(client.now())}</time><p>${trouble.value || t(client.state.value === 'up' ? 'wall.idle' : 'wall.connecting')}</p></main>`;
}

function Line() {
	const state = client.state.value;
	return session.value && state !== 'up' ? html`<div class="no-line" role="status"><${Glyph} shape="failed" />${t('wall.no_line')}</div>` : null;
}

/** Sound of the first window that shows something. */
function Speaker() {
	const first = windows.value.find((w) => w.scene && w.stream);
	if (!first) {
		return null;
	}
	const audio = first.audio ?? String(first.stream).replace(/\.video$/, '.audio');
	const unlock = () => {
		document.querySelectorAll('audio').forEach((a) => void a.play());
		soundRefused.value = false;
	};
	return html`<${Sound} key=${audio} link=${media} stream=${audio} onRefused=${() => (soundRefused.value = true)} />
		${soundRefused.value ? html`<button class="unlock" onClick=${unlock}><${Glyph} shape="sound_off" />${t('wall.sound')}</button>` : null}`;
}

function App() {
	const shown = windows.value.some((w) => w.scene);
	return html`<div class="wall">${shown ? html`<main class=${`windows l-${wall.value?.layout}`} aria-label=${wall.value?.name}>
			${windows.value.map((w) => html`<${Window} key=${`${w.window}-${w.stream}`} w=${w} />`)}</main>` : html`<${Idle} />`}
		<${Line} /><${Speaker} /></div>`;
}

/** Nothing on a wall may stay that only a mouse would need. */
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

await loadTexts();
client.onUp(() => void refresh().catch(() => {}));
client.on('wall.changed', (p) => {
	if (wall.value ? p.wall.id === wall.value.id : mine([p.wall])) {
		wall.value = p.wall;
	}
});
client.on('session.ended', () => {
	session.value = null;
	trouble.value = t('wall.ended');
	setTimeout(() => location.reload(), RETRY_MS);
});
addEventListener('dblclick', () => void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
addEventListener('keydown', (e) => e.key === 'f' && void document.documentElement.requestFullscreen());
/** A kiosk that runs for months starts afresh each night, when it shows nothing. */
setInterval(() => {
	if (new Date().getHours() === FRESH_HOUR && performance.now() > FRESH_AFTER_MS && !windows.value.some((w) => w.scene)) {
		location.reload();
	}
}, 60000);
hidePointer();
render(html`<${App} />`, byId('app'));
void open();
