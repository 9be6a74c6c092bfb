// A called person's phone: the link opens, one large key confirms, and by it the person is in the conference.
import { byId, html, render, signal } from '../lib/view.js';
import { ApiError, Client, rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms } from '../lib/clock.js';
import { errorText, Glyph, LanguageButton, Picture, Sound } from '../lib/ui.js';
import { MediaLink } from '../lib/rtc.js';

const client = new Client('field');
/** @typedef {{ callack: string, name: string, text: string, node: string, state: string, acked: boolean, drill: boolean, opened_ms: number }} Called */
/** @type {import('../vendor/signals.js').Signal<Called | null>} */
const called = signal(null);
const trouble = signal('');
const note = signal('');
const busy = signal(false);
const soundRefused = signal(false);
/** @type {import('../vendor/signals.js').Signal<{ party: string, conference: string, audio: string, video: string, link: MediaLink } | null>} */
const seat = signal(null);
const token = decodeURIComponent(location.pathname.split('/').pop() ?? '');

async function open() {
	try {
		called.value = await rest('callack.link_open', { token });
		client.open();
		if (called.value?.acked) {
			void confirm(); // the page was loaded again
		}
	} catch (e) {
		const known = e instanceof ApiError && ['expired', 'used', 'revoked', 'not_found'].includes(e.code);
		trouble.value = known ? t(`called.${/** @type {ApiError} */ (e).code}`) : errorText(e);
	}
}

/** Sound is enough to answer; a picture is better. */
async function tracks() {
	for (const what of [{ audio: true, video: { facingMode: 'user', width: { ideal: 640 } } }, { audio: true }]) {
		try {
			return await navigator.mediaDevices.getUserMedia(what);
		} catch (e) {
			console.warn('camera', String(e));
		}
	}
	return new MediaStream();
}

/** First the word, then camera and sound: a question of the browser must not hold back the acknowledgement. */
async function confirm() {
	busy.value = true;
	try {
		const reply = await client.call('callack.ack', {});
		if (called.value) {
			called.value = { ...called.value, acked: true };
		}
		if (reply.party && !seat.value) {
			const media = await tracks();
			const link = new MediaLink(client, 'ack');
			link.party = reply.party;
			link.addSource('audio', { track: media.getAudioTracks()[0] ?? null });
			link.addSource('video', { track: media.getVideoTracks()[0] ?? null });
			seat.value = { ...reply, link };
			link.open();
		}
	} catch (e) {
		note.value = errorText(e);
	}
	busy.value = false;
}

function Screen() {
	const c = called.value;
	if (trouble.value || !c) {
		return html`<main class="message bad"><h1>${trouble.value || t('loading')}</h1></main>`;
	}
	const s = seat.value;
	const up = s?.link.state.value === 'up';
	return html`<main class="message called" data-called=${c.acked ? 'acked' : 'open'} data-link=${s?.link.state.value ?? 'none'}><h1>${t('called.title')}</h1><p class="dim">${c.node} · ${hms(c.opened_ms)}</p><p class="text">${c.text}</p>
		${note.value ? html`<p class="bad" role="alert">${note.value}</p>` : null}
		${c.acked ? html`<p class="done" role="status"><${Glyph} shape="check" />${t(up ? 'called.joined' : 'called.acked')}</p>
			${s ? html`<${Picture} class="program" link=${s.link} stream=${s.video} label=${t('called.picture')} /><${Sound} link=${s.link} stream=${s.audio} onRefused=${() => (soundRefused.value = true)} />` : null}
			${soundRefused.value ? html`<button class="wide-button" onClick=${() => { document.querySelectorAll('audio').forEach((a) => void a.play()); soundRefused.value = false; }}>${t('called.sound')}</button>` : null}`
			: html`<button class="huge confirm" data-confirm disabled=${busy.value} onClick=${() => void confirm()}><${Glyph} shape="check" />${t('called.confirm')}</button><p class="dim">${t('called.help')}</p>`}</main>`;
}

function App() {
	const c = called.value;
	return html`<div class="field"><header><div><b class="who">${c?.name ?? ''}</b></div>${c?.drill ? html`<b class="drill">${t('drill')}</b>` : null}<${LanguageButton} /></header><${Screen} /></div>`;
}

await loadTexts('callack');
render(html`<${App} />`, byId('app'));
void open();
