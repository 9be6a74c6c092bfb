// The conference screen: sites on the left, what the program really shows in the middle, the chosen site on the right.
import { html, useRef, useState } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { span } from '../lib/clock.js';
import { DrillChip, Glyph, Sound, StateMark, tick } from '../lib/ui.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import { Program } from './conference_program.js';
import { ConferenceSide } from './conference_side.js';
import { BroadcastBar, LobbyStrip, Marks } from './control.js';

const HOLD_MS = 2000;

/** One line of figures: what comes from a site, as measured; `brief` for narrow rows. @param {Ortoo.Flow | undefined} f @param {boolean} [brief] */
export function flowText(f, brief = false) {
	if (!f?.codec) {
		return '';
	}
	const size = !f.width ? '' : brief ? ` ${f.height}p` : ` ${f.width}×${f.height}`;
	const rate = f.bitrate_bps >= 1e6 ? `${(f.bitrate_bps / 1e6).toFixed(1)} Mb/s` : `${Math.round(f.bitrate_bps / 1000)} kb/s`;
	const percent = Math.round((f.loss ?? 0) * 100);
	const loss = t('loss_short', { percent });
	// In a narrow row the end is cut off: a loss that matters comes first, one that does not is left out.
	return brief ? `${percent >= 2 ? `${loss} · ` : ''}${f.codec}${size} · ${rate}` : `${f.codec}${size} · ${rate} · ${loss}`;
}

/** Acts that disturb many want two seconds of holding, by pointer or by key. @param {{ text: string, run: () => void, disabled?: boolean }} p */
export function HoldButton(p) {
	const [held, setHeld] = useState(false);
	const timer = useRef(0);
	const stop = () => {
		clearTimeout(timer.current);
		setHeld(false);
	};
	const start = () => {
		clearTimeout(timer.current);
		setHeld(true);
		timer.current = setTimeout(() => {
			stop();
			p.run();
		}, HOLD_MS);
	};
	const key = (/** @type {KeyboardEvent} */ e) => {
		if (e.key === 'Enter' || e.code === 'Space') {
			e.preventDefault();
			e.stopPropagation();
			e.repeat || start();
		}
	};
	return html`<button class=${`danger hold ${held ? 'held' : ''}`} disabled=${p.disabled} title=${t('hold.how')} onPointerDown=${start} onPointerUp=${stop} onPointerLeave=${stop}
		onKeyDown=${key} onKeyUp=${stop} onBlur=${stop} onContextMenu=${(/** @type {Event} */ e) => e.preventDefault()}><span>${p.text}</span><small>${t('hold')}</small></button>`;
}

/** Microphone and loudspeaker are two buttons with two shapes: whom nobody hears, and who hears nobody. @param {{ p: Ortoo.Party }} p */
function Mutes(p) {
	const q = p.p;
	const mic = t(q.mic_muted ? 'party.mic_on' : 'party.mic_off', { name: q.name });
	const speaker = t(q.speaker_muted ? 'party.speaker_on' : 'party.speaker_off', { name: q.name });
	return html`<button class=${`icon ${q.mic_muted ? 'off' : ''}`} disabled=${!conf.mayAct.value} aria-pressed=${q.mic_muted} aria-label=${mic} title=${mic} onClick=${() => conf.muteMic(q)}>
			<${Glyph} shape=${q.mic_muted ? 'mic_off' : 'mic'} /></button>
		<button class=${`icon ${q.speaker_muted ? 'off' : ''}`} disabled=${!conf.mayAct.value} aria-pressed=${q.speaker_muted} aria-label=${speaker} title=${speaker} onClick=${() => conf.muteSpeaker(q)}>
			<${Glyph} shape=${q.speaker_muted ? 'sound_off' : 'sound'} /></button>`;
}

/** Who is out, dialled by hand: again, or away. @param {{ p: Ortoo.Party }} p */
function Out(p) {
	const q = p.p;
	const again = t('party.again', { name: q.name }), away = t('party.away', { name: q.name });
	return conf.mayAct.value ? html`${q.kind !== 'browser' && q.address ? html`<button class="icon" data-again aria-label=${again} title=${again} onClick=${() => conf.callAgain(q)}><${Glyph} shape="calling" /></button>` : null}
		<button class="icon" data-away aria-label=${away} title=${away} onClick=${() => conf.remove(q)}><${Glyph} shape="failed" /></button>` : null;
}

/** What a row says below the name: figures of who is there, the reason of who is not. @param {{ p: Ortoo.Party }} p */
function Below(p) {
	const q = p.p;
	if (conf.isThere(q)) {
		return html`<span class="dim num figures">${flowText(conf.flowOf(q).sends, true)}</span>`;
	}
	const wait = q.next_try_ms > store.client.now() ? t('party.next_try', { span: span(q.next_try_ms - store.client.now()) }) : '';
	return html`<span class=${`figures ${q.why ? 'cause' : 'dim'}`}>${cause(q.why)}${q.why && wait ? ' · ' : ''}${wait}</span>`;
}

/** @param {{ p: Ortoo.Party, index: number }} p */
function Row(p) {
	void tick.value;
	const q = p.p;
	const selected = q.id === conf.partyId.value;
	const drag = (/** @type {DragEvent} */ e) => e.dataTransfer?.setData('text/x-ortoo-party', q.id);
	return html`<li class=${`site ${selected ? 'selected' : ''} ${q.speaking ? 'speaking' : ''}`} data-party=${q.id} data-state=${q.state} draggable=${conf.mayAct.value} onDragStart=${drag}>
		<button class="row" aria-pressed=${selected} onClick=${() => { conf.partyId.value = q.id; conf.tab.value = 'site'; }}>
			<span class="top"><span class="number">${p.index + 1}</span><span class="name">${q.name}</span>
				${q.role !== 'participant' ? html`<span class="chip role">${t(`party.${q.role}`)}</span>` : null}
				<${Marks} p=${q} />
				${conf.conference.value?.content.holder === q.id ? html`<span class="chip role content">${t('content')}</span>` : null}</span>
			<span class="under"><${StateMark} state=${q.state} why=${q.why ?? undefined} /><${Below} p=${q} /></span></button>
		<div class="mutes">${conf.isOut(q) ? html`<${Out} p=${q} />` : html`<${Mutes} p=${q} />`}</div></li>`;
}

function SiteList() {
	const list = conf.parties.value;
	const here = list.filter(conf.isThere).length;
	const absent = list.filter((p) => !conf.isThere(p) && !conf.isBeingCalled(p) && p.direction === 'out').length;
	return html`<nav class="tree" aria-label=${t('sites')}>
		<div class="tree-head"><div class="head-line"><b>${t('sites.count', { here, all: list.length })}</b><span class="spring"></span>
			${conf.mayAct.value ? html`<button class="small" onClick=${() => (conf.tab.value = 'call')}><${Glyph} shape="plus" />${t('call')}<kbd>C</kbd></button>` : null}</div>
			${conf.mayAct.value ? html`<div class="head-line"><button class="wide" disabled=${!absent} onClick=${() => void conf.callAbsent()}>${t('call.absent', { count: absent })}<kbd>F4</kbd></button>
				<button class="wide" title=${t('mute.all')} onClick=${conf.muteAll}><${Glyph} shape="mic_off" />${t('mute.all_brief')}<kbd>F9</kbd></button></div>` : null}</div>
		<ul class="tree-list sites">${list.map((p, n) => html`<${Row} key=${p.id} p=${p} index=${n} />`)}
			${list.length ? null : html`<li class="empty">${t('sites.none')}</li>`}</ul></nav>`;
}

/** This console as a party: its own microphone, screen, and the way out. */
function Seat() {
	const seat = conf.joined.value;
	const c = conf.conference.value;
	if (!seat || seat.conference !== c?.id) {
		return conf.mayAct.value && !seat ? html`<button class="main" data-join onClick=${() => void conf.join(false)}><${Glyph} shape="sound" />${t('join')}<kbd>J</kbd></button>
			<button data-join-camera onClick=${() => void conf.join(true)}><${Glyph} shape="camera" />${t('join.camera')}</button>` : null;
	}
	return html`<button class=${conf.micOpen.value ? 'live-mic' : ''} disabled=${!seat.mic} aria-pressed=${conf.micOpen.value} onClick=${() => conf.openMic(!conf.micOpen.value)}>
			<${Glyph} shape=${conf.micOpen.value ? 'mic' : 'mic_off'} />${t(conf.micOpen.value ? 'join.mic_on' : 'join.mic_off')}<kbd>M</kbd></button>
		<button aria-pressed=${Boolean(seat.screen)} onClick=${conf.contentKey}><${Glyph} shape="wall" />${t(seat.screen ? 'content.stop' : 'content.share')}<kbd>K</kbd></button>
		<button data-leave onClick=${() => void conf.leave()}>${t('join.leave')}<kbd>J</kbd></button>
		<${Sound} key=${seat.audio} link=${seat.link} stream=${seat.audio} />`;
}

function Head() {
	void tick.value;
	const c = conf.conference.value;
	if (!c) {
		return null;
	}
	return html`<div class="bar conf-head"><span class="chip number-chip" title=${t('conference.number')}>${c.number}</span><h2 title=${c.name}>${c.name}</h2>
		${c.has_password ? html`<span class="chip dim">${t('conference.password_set')}</span>` : null}${c.drill ? html`<${DrillChip} />` : null}
		<span class="num dim">${span((c.closed_ms || store.client.now()) - c.opened_ms)}</span><span class="spring"></span>
		<${Seat} />
		${conf.mayAct.value ? html`<button aria-pressed=${c.locked} onClick=${() => void conf.act('conference.update', { locked: !c.locked })}>${t(c.locked ? 'conference.locked' : 'conference.lock')}<kbd>L</kbd></button>
			<${HoldButton} text=${t('conference.end')} run=${conf.end} />` : null}</div>`;
}

/** Which conference; shown in the strip instead of the incident. */
export function ConferenceChooser() {
	const list = conf.openOnes.value;
	const c = conf.conference.value;
	const shown = c && !list.includes(c) ? [...list, c] : list;
	return html`${shown.length ? html`<select class="chooser" title=${c?.name ?? ''} aria-label=${t('conference')} value=${conf.conferenceId.value} onChange=${(/** @type {any} */ e) => conf.choose(e.target.value)}>
			${shown.map((x) => html`<option value=${x.id}>${`${x.number}  ${x.name}${x.state === 'closed' ? ` (${t('incident.closed')})` : ''}`}</option>`)}</select>`
		: html`<div class="no-incident">${t('conference.none')}</div>`}
		${store.mayCommand.value ? html`<button class="main" onClick=${() => (store.dialog.value = { name: 'conference' })}><${Glyph} shape="plus" />${t('conference.new')}<kbd>F2</kbd></button>` : null}`;
}

export function ConferenceScreen() {
	return html`<${SiteList} />
		<main class="centre conf"><${Head} /><${LobbyStrip} /><${BroadcastBar} />${conf.conference.value ? html`<${Program} />` : html`<section class="grid none"><div class="hint"><h2>${t('conference.none')}</h2><p>${t('conference.how')}</p>
			${store.mayCommand.value ? html`<button class="main big" onClick=${() => (store.dialog.value = { name: 'conference' })}>${t('conference.new')}<kbd>F2</kbd></button>` : null}</div></section>`}</main>
		<${ConferenceSide} />`;
}
