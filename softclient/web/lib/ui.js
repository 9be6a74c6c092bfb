// Small parts that several pages use. States are always shape + word + colour, never colour alone.
import { html, signal, useEffect, useRef } from './view.js';
import { cause, has, otherLanguage, switchLanguage, t } from './i18n.js';

/** Ticks twice a second for clocks; one timer for the page. */
export const tick = signal(Date.now());
setInterval(() => (tick.value = Date.now()), 500);

/** Outlines in a 16 x 16 box, one for each state or act. */
const shapes = {
	absent: 'M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11z',
	calling: 'M8 2.5a5.5 5.5 0 0 1 5.5 5.5M8 13.5a5.5 5.5 0 0 1-5.5-5.5',
	present: 'M8 2a6 6 0 1 1 0 12a6 6 0 0 1 0-12z',
	degraded: 'M8 2l6.5 12h-13z',
	failed: 'M2.5 2.5h11v11h-11zM5 5l6 6M11 5l-6 6',
	held: 'M5 3v10M11 3v10',
	wall: 'M1.5 3h13v8h-13zM5 14h6M8 11v3',
	mic: 'M8 1.8a2 2 0 0 1 2 2v4a2 2 0 0 1-4 0v-4a2 2 0 0 1 2-2zM3.8 7.5a4.2 4.2 0 0 0 8.4 0M8 11.7v2.5',
	mic_off: 'M8 1.8a2 2 0 0 1 2 2v4a2 2 0 0 1-4 0v-4a2 2 0 0 1 2-2zM3.8 7.5a4.2 4.2 0 0 0 8.4 0M8 11.7v2.5M2 2l12 12',
	sound: 'M2 6h3l4-3.5v11L5 10H2zM11 5.5a3.5 3.5 0 0 1 0 5M12.8 3.5a6 6 0 0 1 0 9',
	sound_off: 'M2 6h3l4-3.5v11L5 10H2zM11 6l4 4M15 6l-4 4',
	alarm: 'M8 2a4 4 0 0 1 4 4v4l1.5 2h-11L4 10V6a4 4 0 0 1 4-4zM6.5 13.8h3',
	person: 'M8 2.2a2.8 2.8 0 1 1 0 5.6a2.8 2.8 0 0 1 0-5.6zM2.5 14c0-3.5 2.5-5 5.5-5s5.5 1.5 5.5 5',
	place: 'M8 1.8a4.4 4.4 0 0 1 4.4 4.4c0 3.2-4.4 8-4.4 8s-4.4-4.8-4.4-8A4.4 4.4 0 0 1 8 1.8zM8 4.6a1.6 1.6 0 1 1 0 3.2a1.6 1.6 0 0 1 0-3.2z',
	camera: 'M1.5 4.5h8.5v7H1.5zM10 7.2l4.5-2.4v6.4L10 8.8z',
	check: 'M2.5 8.5l3.5 3.5l7.5-8',
	cross: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
	link: 'M6.5 9.5l3-3M7.5 4.8l1.6-1.6a2.6 2.6 0 0 1 3.7 3.7l-1.6 1.6M8.5 11.2l-1.6 1.6a2.6 2.6 0 0 1-3.7-3.7l1.6-1.6',
	plus: 'M8 3v10M3 8h10',
	full: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
	flip: 'M2.5 7a5.5 5.5 0 0 1 10-2.2M13.5 9a5.5 5.5 0 0 1-10 2.2M12.7 1.8v3.2H9.5M3.3 14.2V11h3.2',
	hand: 'M4.5 9V4.2a1 1 0 0 1 2 0V7.5V2.8a1 1 0 0 1 2 0V7.5V3.5a1 1 0 0 1 2 0V8.5V5.5a1 1 0 0 1 2 0v4.8a4 4 0 0 1-4 4c-2.200 0-3.200-1-4.200-2.600L2 9.200a1 1 0 0 1 1.700-1.200z',
	menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
	map: 'M1.5 3.5l4.3-1.3l4.4 1.3l4.3-1.3v10.3l-4.3 1.3l-4.4-1.3l-4.3 1.3zM5.8 2.2v10.3M10.2 3.5v10.3',
};

/** @typedef {keyof typeof shapes} Shape */

/** Which of the outlines stands for which state of a site. @type {Record<Ortoo.SceneState, Shape>} */
export const stateShape = {
	absent: 'absent', calling: 'calling', ringing: 'calling', connecting: 'calling', present: 'present', degraded: 'degraded',
	held: 'held', leaving: 'calling', failed: 'failed', refused: 'failed', no_answer: 'failed', unreachable: 'failed',
};

/** @param {{ shape: Shape, class?: string }} p */
export function Glyph(p) {
	return html`<svg class=${`glyph g-${p.shape} ${p.class ?? ''}`} viewBox="0 0 16 16" aria-hidden="true"><path d=${shapes[p.shape]} /></svg>`;
}

/** @param {{ state: Ortoo.SceneState, why?: string, brief?: boolean }} p */
export function StateMark(p) {
	const word = t(`state.${p.state}`);
	return html`<span class=${`state s-${p.state}`} title=${cause(p.why) || word}>
		<${Glyph} shape=${stateShape[p.state] ?? 'absent'} /><span class=${p.brief ? 'unseen' : ''}>${word}</span></span>`;
}

/** Level I-IV as a labelled chip, the statutory colour only here. @param {{ level: number }} p */
export function LevelChip(p) {
	return html`<span class=${`chip level level-${p.level}`}>${t(`level.${p.level}`)}</span>`;
}

export function DrillChip() {
	return html`<span class="chip drill">${t('drill')}</span>`;
}

/**
 * A picture of one stream. Says nothing itself; its frame does.
 * @param {{ link: import('./rtc.js').MediaLink | null, stream: string | null, class?: string, label?: string,
 *   onVideo?: (video: HTMLVideoElement, view: import('./rtc.js').View) => (() => void) | void }} p
 */
export function Picture(p) {
	const ref = useRef(/** @type {HTMLVideoElement | null} */ (null));
	useEffect(() => {
		const video = ref.current;
		if (!video || !p.link || !p.stream) {
			return undefined;
		}
		const view = p.link.view(p.stream, 'video');
		const stop = view.watch((media) => attach(video, media));
		const size = new ResizeObserver(() => view.prefer(video, video.clientWidth * devicePixelRatio, video.clientHeight * devicePixelRatio));
		size.observe(video);
		const stopVideo = p.onVideo?.(video, view);
		return () => {
			stopVideo?.();
			size.disconnect();
			view.prefer(video, 0, 0);
			stop();
			view.release();
			video.srcObject = null;
		};
	}, [p.link, p.stream]);
	return html`<video ref=${ref} class=${p.class ?? ''} data-stream=${p.stream} autoplay playsinline muted disablepictureinpicture
		aria-label=${p.label ?? ''}></video>`;
}

/** Plays one stream's sound. @param {{ link: import('./rtc.js').MediaLink | null, stream: string | null, onRefused?: () => void }} p */
export function Sound(p) {
	const ref = useRef(/** @type {HTMLAudioElement | null} */ (null));
	useEffect(() => {
		const audio = ref.current;
		if (!audio || !p.link || !p.stream) {
			return undefined;
		}
		const view = p.link.view(p.stream, 'audio');
		const stop = view.watch((media) => attach(audio, media, p.onRefused));
		return () => {
			stop();
			view.release();
			audio.srcObject = null;
		};
	}, [p.link, p.stream]);
	return html`<audio ref=${ref} data-stream=${p.stream} autoplay></audio>`;
}

/** @param {HTMLMediaElement} element @param {MediaStream} media @param {() => void} [onRefused] */
export function attach(element, media, onRefused) {
	if (element instanceof HTMLVideoElement) {
		element.muted = true; // the attribute alone does not count for autoplay when set by script
	}
	element.srcObject = media;
	if (media.getTracks().length) {
		element.play().catch((e) => e.name === 'NotAllowedError' && onRefused?.());
	}
}

/** The other language, one click away on every page. */
export function LanguageButton() {
	return html`<button class="quiet" onClick=${switchLanguage} lang=${otherLanguage()}>${t(`language.${otherLanguage()}`)}</button>`;
}

/** Text for an error of any origin: what the gateway said, or a sentence of ours for what only the page can know. @param {unknown} e */
export function errorText(e) {
	const error = /** @type {{ code?: string, message?: string, why?: string }} */ (e ?? {});
	const key = `error.${error.code}`;
	const text = error.code && has(key) ? t(`error.${error.code}`) : error.message ?? String(e);
	return error.why && error.why !== error.code ? t('error.with_why', { text, why: cause(error.why) }) : text;
}

/**
 * Dialog with a title, closed by Esc; focus goes in and comes back.
 * @param {{ title: string, close: () => void, wide?: boolean, children?: any }} p
 */
export function Dialog(p) {
	const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
	useEffect(() => {
		// Back to where the keyboard was; a button that was only clicked gets no focus, else it would take the talk key.
		const before = document.querySelector(':focus-visible');
		ref.current?.showModal();
		return () => {
			const after = document.activeElement;
			if (before instanceof HTMLElement) {
				before.focus();
			} else if (after instanceof HTMLElement) {
				after.blur();
			}
		};
	}, []);
	return html`<dialog ref=${ref} class=${p.wide ? 'wide' : ''} aria-label=${p.title} onClose=${p.close}
		onCancel=${(/** @type {Event} */ e) => { e.preventDefault(); p.close(); }}>
		<header><h2>${p.title}</h2><button class="quiet" aria-label=${t('close')} onClick=${p.close}><${Glyph} shape="cross" /></button></header>
		${p.children}</dialog>`;
}
