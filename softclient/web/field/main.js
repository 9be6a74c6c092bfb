// Field page: link, why, one big button, live, "on the wall". Black on white, one hand, gloves, sun.
import { byId, html, render, useEffect, useRef } from '../lib/view.js';
import { language, loadTexts, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { attach, Glyph, LanguageButton, tick } from '../lib/ui.js';
import * as state from './state.js';

function Head() {
	const { value: who } = state.session;
	const drill = state.incident.value?.drill ?? who?.drill;
	return html`<header><div><b class="who">${who?.name ?? ''}</b><span class="what">${state.incident.value?.place ?? who?.incident_text ?? ''}</span></div>
		${drill ? html`<b class="drill">${t('drill')}</b>` : null}<${LanguageButton} /></header>`;
}

/** @param {{ title: string, text: string, detail?: string, button?: string, act?: () => void, children?: any, class?: string }} p */
function Message(p) {
	return html`<main class=${`message ${p.class ?? ''}`}><h1>${p.title}</h1><p>${p.text}</p>${p.detail ? html`<p class="detail">${p.detail}</p>` : null}
		${p.children}${p.button ? html`<button class="huge" onClick=${p.act}>${p.button}</button>` : null}</main>`;
}

function Ready() {
	const asking = state.phase.value === 'asking';
	const { value: who } = state.session;
	return html`<main class="message"><h1>${t('field.hello', { name: who?.name ?? '' })}</h1>
		<p class="incident">${state.incident.value?.text || who?.incident_text || ''}</p>
		<p>${t('field.why')}</p><ul class="why"><li><${Glyph} shape="camera" />${t('field.why_camera')}</li><li><${Glyph} shape="mic" />${t('field.why_sound')}</li>
			<li><${Glyph} shape="place" />${t('field.why_place')}</li></ul>
		<button class="huge" disabled=${asking} onClick=${() => void state.go()}><${Glyph} shape="camera" />${t(asking ? 'field.allow' : 'field.start')}</button></main>`;
}

/** What the officer must know now, in words, the worst first. @returns {{ text: string, sub: string, class: string }} */
function verdict() {
	const up = state.media.state.value === 'up';
	const signalling = state.client.state.value;
	if (!state.online.value) {
		return { text: t('live.no_network'), sub: t('live.no_network_sub'), class: 'bad' };
	}
	if (!up && signalling !== 'up') {
		return { text: t('live.no_server'), sub: t('live.no_server_sub'), class: 'bad' };
	}
	if (!up) {
		return { text: t('live.connecting'), sub: t('live.connecting_sub'), class: 'wait' };
	}
	if (state.mine.value?.on_wall.length && state.wallAt.value) {
		return { text: t('live.on_wall', { at: hms(state.wallAt.value) }), sub: t('live.on_wall_sub'), class: 'wall' };
	}
	if (state.wallAt.value) {
		return { text: t('live.seen'), sub: t('live.was_on_wall', { at: hms(state.wallAt.value) }), class: 'good' };
	}
	return { text: t('live.seen'), sub: t('live.seen_sub'), class: 'good' };
}

function Preview() {
	const ref = useRef(/** @type {HTMLVideoElement | null} */ (null));
	useEffect(() => {
		if (ref.current && state.picture.value) {
			attach(ref.current, state.picture.value);
		}
	}, [state.picture.value]);
	return html`<video ref=${ref} class="preview" autoplay playsinline muted aria-label=${t('live.preview')}></video>`;
}

function Ear() {
	const ref = useRef(/** @type {HTMLAudioElement | null} */ (null));
	useEffect(() => {
		if (ref.current && state.sound.value) {
			attach(ref.current, state.sound.value, () => (state.soundBlocked.value = true));
		}
	}, [state.sound.value]);
	const unlock = () => ref.current?.play().then(() => (state.soundBlocked.value = false));
	return html`<audio ref=${ref} autoplay></audio>${state.soundBlocked.value ? html`<button class="wide-button" onClick=${unlock}><${Glyph} shape="sound_off" />${t('live.unlock')}</button>` : null}`;
}

function Live() {
	void tick.value;
	const now = verdict();
	const incident = state.incident.value;
	const { fps, loss } = state.figures.value;
	return html`<main class="live"><div class="screen"><${Preview} />
			${incident ? html`<span class="since">${span(state.client.now() - incident.t0_ms)}</span>` : null}
			${state.hearing.value ? html`<span class="speaking"><${Glyph} shape="sound" />${t('live.dispatcher')}</span>` : null}
			<span class="figures">${fps ? `${fps} fps` : ''}${loss > 0.02 ? ` · ${t('loss_short', { percent: Math.round(loss * 100) })}` : ''}</span></div>
		<section class=${`verdict ${now.class}`} role="status" data-verdict=${now.class}><b>${now.text}</b><span>${now.sub}</span></section>
		<${Ear} />
		${state.weak.value ? html`<p class="small-note" data-weak>${t('live.weak')}</p>` : null}
		${state.placeRefused.value ? html`<p class="small-note">${t('live.no_place')}</p>` : null}
		<div class="buttons">
			<button class="target" onClick=${() => void state.switchCamera()}><${Glyph} shape="flip" />${t('live.flip')}</button>
			<button class=${`target ${state.muted.value ? 'off' : ''}`} aria-pressed=${state.muted.value} onClick=${state.toggleMute}>
				<${Glyph} shape=${state.muted.value ? 'mic_off' : 'mic'} />${t(state.muted.value ? 'live.muted' : 'live.mute')}</button>
			<button class="target end" onClick=${state.end}><${Glyph} shape="cross" />${t('live.end')}</button></div></main>`;
}

/** @param {{ text: string }} p */
function CopyAddress(p) {
	const copy = () => void navigator.clipboard?.writeText(location.href).catch(() => {});
	return html`<p class="address">${location.href}</p><button class="huge" onClick=${copy}>${p.text}</button>`;
}

function Screen() {
	switch (state.phase.value) {
	case 'opening':
		return html`<${Message} title=${t('loading')} text=${t('field.opening')} />`;
	case 'in_app':
		return html`<${Message} title=${t('in_app.title')} text=${t('in_app.text')}><${CopyAddress} text=${t('copy')} />
			<button class="wide-button" onClick=${() => void state.open(true)}>${t('in_app.anyway')}</button></${Message}>`;
	case 'ready':
	case 'asking':
		return html`<${Ready} />`;
	case 'live':
		return html`<${Live} />`;
	case 'ended':
		return html`<${Message} title=${t(`ended.${state.cause.value}`)} text=${t(`ended_help.${state.cause.value}`)} />`;
	default:
		return html`<${Message} class="bad" title=${t(`trouble.${state.cause.value}`)} text=${t(`trouble_help.${state.cause.value}`)} detail=${state.detail.value}
			button=${t('again')} act=${() => (state.session.value ? void state.go() : void state.open(true))} />`;
	}
}

function App() {
	return html`<div class="field" data-phase=${state.phase.value}><${Head} /><${Screen} /></div>`;
}

await loadTexts(...(language.value === 'mn-Mong' ? ['field'] : []));
state.watch();
byId('app').replaceChildren();
render(html`<${App} />`, byId('app'));
void state.open();
