// Right: tabs about the chosen incident. Scene, links, log with notes, talk, reports.
import { html, signal, useEffect, useState } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { hms, zone, span } from '../lib/clock.js';
import { Glyph, LevelChip, StateMark, tick } from '../lib/ui.js';
import { Qr } from '../lib/qr.js';
import * as store from './store.js';
import { actorText, quiet, recordText } from './record.js';

/** @type {('scene' | 'links' | 'log' | 'talk' | 'report')[]} */
const tabs = ['scene', 'links', 'log', 'talk', 'report'];
/** In the order in which they happen. @type {(keyof Ortoo.Stamps)[]} */
const steps = ['link_issued_ms', 'link_opened_ms', 'camera_granted_ms', 'ice_connected_ms', 'first_rtp_ms', 'first_keyframe_ms', 'first_drawn_ms', 'two_way_ms'];

/** @param {{ s: Ortoo.Scene, incident: Ortoo.Incident }} p */
function StampList(p) {
	return html`<ol class="stamps">${steps.map((step) => {
		const at = p.s.stamps[step];
		return html`<li class=${at ? 'done' : ''}><${Glyph} shape=${at ? 'check' : 'absent'} /><span>${t(`stamp.${step.replace('_ms', '')}`)}</span>
			<span class="num">${at ? hms(at) : ''}</span><span class="num dim">${at ? `+${span(at - p.incident.t0_ms)}` : ''}</span></li>`;
	})}</ol>`;
}

/** @param {{ s: Ortoo.Scene }} p */
function Facts(p) {
	const figures = store.freshStats(p.s.id);
	const { position } = p.s;
	return html`<dl class="facts">
		<dt>${t('fact.line')}</dt><dd>${figures ? t('fact.line_value', {
			rate: Math.round((figures.bitrate_bps ?? 0) / 1000), loss: ((figures.loss ?? 0) * 100).toFixed(1), rtt: Math.round(figures.rtt_ms ?? 0) }) : '-'}</dd>
		<dt>${t('fact.place')}</dt><dd>${position ? html`${position.lat.toFixed(5)}, ${position.lon.toFixed(5)}<br />
			<span class="dim">${t('map.age', { accuracy: Math.round(position.accuracy_m), age: span(store.client.now() - position.at_ms) })}</span>` : '-'}</dd></dl>`;
}

function SceneTab() {
	void tick.value;
	const s = store.scene.value;
	const incident = store.incident.value;
	if (!incident) {
		return html`<p class="empty">${t('incident.none')}</p>`;
	}
	return html`<section class="about"><h3><${LevelChip} level=${incident.level} />${incident.kind}</h3>
		<p>${incident.place}</p><p class="dim">${incident.text}</p>
		<p class="dim num">T0 ${hms(incident.t0_ms)}</p>
		<div class="acts"><a class="button" href=${`/certificate/${encodeURIComponent(incident.id)}`} target="_blank" rel="noopener">${t('certificate')}</a>
			${store.mayCommand.value && !incident.closed_ms ? html`<button class="danger" onClick=${store.closeIncident}>${t('incident.close')}</button>` : null}</div></section>
		${s ? html`<section><h3>${s.name}<span class="spring"></span>${incident.closed_ms ? null : html`<${StateMark} state=${s.state} why=${s.why} />`}</h3>
			${s.why && !incident.closed_ms ? html`<p class="cause">${cause(s.why)}</p>` : null}
			<${StampList} s=${s} incident=${incident} /><${Facts} s=${s} />
			${store.mayCommand.value && !incident.closed_ms ? html`<div class="acts">
				<button class="main" onClick=${() => void store.push(s)}><${Glyph} shape="wall" />${t('push')}<kbd>F6</kbd></button>
				<button aria-pressed=${Boolean(s.muted)} onClick=${() => store.muteScene(s)}><${Glyph} shape=${s.muted ? 'mic_off' : 'mic'} />${t(s.muted ? 'unmute' : 'mute')}</button>
				<button class="danger" onClick=${() => store.removeScene(s)}>${t('remove')}</button></div>` : null}</section>`
			: html`<p class="empty">${t('scenes.pick')}</p>`}`;
}

/** @param {string} text */
export async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		store.say(t('copied'));
	} catch {
		store.say(t('copy.by_hand', { text }));
	}
}

/** @param {{ link: Ortoo.Link }} p */
function LinkRow(p) {
	void tick.value;
	const { link } = p;
	const url = store.linkUrls.value.get(link.id);
	const open = link.state === 'issued';
	const left = link.expires_ms - store.client.now();
	return html`<li class=${`link k-${link.state}`}><div class="link-head"><b>${link.name}</b><span class=${`chip k-${link.state}`}>${t(`link.${link.state}`)}</span></div>
		<div class="dim num">${t('link.issued_at', { at: hms(link.issued_ms) })}${link.opened_ms ? ` · ${t('link.opened_at', { at: hms(link.opened_ms) })}` : ''}
			${open && left > 0 ? ` · ${t('link.left', { span: span(left) })}` : ''}</div>
		${store.mayAct.value ? html`<div class="acts">
			${url && open ? html`<button onClick=${() => void copy(url)}>${t('copy')}</button>
				<button onClick=${() => (store.dialog.value = { name: 'link', id: link.id })}>${t('link.qr')}</button>` : null}
			${open || link.state === 'opened' ? html`<button class="danger" onClick=${() => store.revokeLink(link)}>${t('link.revoke')}</button>` : null}
			${['expired', 'revoked'].includes(link.state) ? html`<button onClick=${() => void store.issueLink(link.person ? { person: link.person } : { guest_name: link.name })}>${t('link.again')}</button>` : null}</div>` : null}</li>`;
}

function LinksTab() {
	const list = store.incident.value?.links ?? [];
	return html`${store.mayAct.value ? html`<div class="acts top">
			<button class="main" onClick=${() => (store.dialog.value = { name: 'guest' })}><${Glyph} shape="plus" />${t('link.guest')}</button></div>` : null}
		${list.length ? html`<ul class="links">${[...list].reverse().map((l) => html`<${LinkRow} key=${l.id} link=${l} />`)}</ul>` : html`<p class="empty">${t('links.none')}</p>`}`;
}

const draft = signal('');

function LogTab() {
	const send = (/** @type {Event} */ e) => {
		e.preventDefault();
		void store.note(draft.value);
		draft.value = '';
	};
	return html`${store.mayCommand.value && store.incident.value ? html`<form class="note" onSubmit=${send}>
			<input id="note" value=${draft.value} maxlength="500" placeholder=${t('note.hint')} aria-label=${t('note.hint')} onInput=${(/** @type {any} */ e) => (draft.value = e.target.value)} />
			<button class="main">${t('note.add')}</button></form>` : null}
		<ol class="log" tabindex="0" aria-label=${t('tab.log')} title=${t('zone', { zone: zone() })}>${store.log.value.filter((r) => !quiet.has(r.type)).reverse().map((r) => html`<li key=${r.seq} class=${r.type.includes('note') ? 'is-note' : ''}>
			<span class="num dim">${hms(r.at_ms)}</span><span>${recordText(r)}</span><span class="dim actor">${actorText(r.actor)}</span></li>`)}</ol>`;
}

/** @param {'one' | 'all'} whom */
function hold(whom) {
	return {
		onPointerDown: (/** @type {PointerEvent} */ e) => {
			/** @type {HTMLElement} */ (e.currentTarget).setPointerCapture(e.pointerId);
			void store.talk(whom);
		},
		onPointerUp: store.hush,
		onPointerCancel: store.hush,
		onContextMenu: (/** @type {Event} */ e) => e.preventDefault(),
	};
}

function TalkTab() {
	const s = store.scene.value;
	const state = store.talking.value;
	const ready = store.mayAct.value;
	return html`<div class="talk-tab">
		<button class=${`talk-button ${state === 'one' ? 'on' : ''}`} disabled=${!ready || !s} ...${hold('one')}><${Glyph} shape="mic" />
			<b>${s ? t('talk.to', { name: s.name }) : t('scenes.pick')}</b><span>${t('talk.hold')} <kbd>${t('key.space')}</kbd></span></button>
		<button class=${`talk-button all ${state === 'all' ? 'on' : ''}`} disabled=${!ready || !store.scenes.value.length} ...${hold('all')}><${Glyph} shape="sound" />
			<b>${t('talk.all')}</b><span>${t('talk.hold')} <kbd>Shift</kbd> <kbd>${t('key.space')}</kbd></span></button>
		<p class="dim">${t('talk.heard')}</p>
		<ul class="heard">${store.scenes.value.filter(store.hasPicture).map((x) => html`<li><span>${x.name}</span>
			<span class=${x.stamps.two_way_ms ? 'state s-present' : 'state s-absent'}><${Glyph} shape=${x.stamps.two_way_ms ? 'check' : 'absent'} />${x.stamps.two_way_ms ? hms(x.stamps.two_way_ms) : t('talk.not_yet')}</span></li>`)}</ul></div>`;
}

/** The code and the address of one link. @param {{ id: string }} p */
export function LinkCard(p) {
	const url = store.linkUrls.value.get(p.id);
	const link = store.incident.value?.links.find((l) => l.id === p.id);
	if (!url) {
		return html`<p class="empty">${t('link.shown_once')}</p>`;
	}
	return html`<div class="link-card"><${Qr} text=${url} label=${t('link.qr_for', { name: link?.name ?? '' })} />
		<div><p>${t('link.how', { name: link?.name ?? '' })}</p><p class="url" data-url>${url}</p>
			<p class="dim">${t('link.once')}</p>
			<button class="main" onClick=${() => void copy(url)}>${t('copy')}</button></div></div>`;
}

/** Not needed at once: loaded when its tab opens. */
function Reports() {
	const [part, setPart] = useState(/** @type {any} */ (null));
	useEffect(() => void import('./reports.js').then((m) => setPart(() => m.ReportsTab)), []);
	return part ? html`<${part} />` : html`<p class="empty">${t('loading')}</p>`;
}

export function Side() {
	const now = store.tab.value;
	return html`<aside class="side"><div class="tabs" role="tablist">${tabs.map((name) => html`
			<button role="tab" id=${`tab-${name}`} aria-controls="side-panel" aria-selected=${now === name} onClick=${() => (store.tab.value = name)}>${t(`tab.${name}`)}</button>`)}</div>
		<div class="panel" id="side-panel" role="tabpanel" aria-labelledby=${`tab-${now}`}>
			${now === 'scene' ? html`<${SceneTab} />` : now === 'links' ? html`<${LinksTab} />` : now === 'log' ? html`<${LogTab} />` : now === 'report' ? html`<${Reports} />` : html`<${TalkTab} />`}</div></aside>`;
}
