// Right side of the conference screen: the chosen site, calling out, the content token, the lines to other systems.
import { html, useState, useEffect } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { Glyph, Picture, StateMark, tick } from '../lib/ui.js';
import { Form } from './dialogs.js';
import { actorText } from './record.js';
import * as store from './store.js';
import { onWatch, watchNames } from './duty_store.js';
import * as conf from './conference_store.js';
import { flowText } from './conference.js';
import { RollTab } from './rollcall.js';
import { FloorTab, SiteControl } from './control.js';
import * as ctl from './control_store.js';

/** @type {('site' | 'floor' | 'roll' | 'call' | 'ack' | 'content' | 'lines')[]} */
const tabs = ['site', 'floor', 'roll', 'call', 'ack', 'content', 'lines'];
const pad = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];
const roles = ['chair', 'participant', 'observer'];

/** @param {{ p: Ortoo.Party }} p */
function DialPad(p) {
	const [sent, setSent] = useState('');
	const send = (/** @type {string} */ digits) => {
		if (digits) {
			setSent((sent + digits).slice(-24));
			void conf.act('party.dtmf', { party: p.p.id, digits });
		}
	};
	const typed = (/** @type {any} */ e) => {
		const digits = e.target.value.toUpperCase().replace(/[^0-9A-D*#]/g, '');
		e.target.value = '';
		send(digits);
	};
	return html`<details class="more"><summary>${t('dtmf')}</summary><div class="dial">
		<label class="dial-in"><span class="unseen">${t('dtmf.type')}</span><input class="num" placeholder=${t('dtmf.type')} autocomplete="off" onInput=${typed} /></label>
		<output class="num">${sent}</output><div class="pad">${pad.map((d) => html`<button onClick=${() => send(d)}>${d}</button>`)}</div></div></details>`;
}

/** @param {{ label: string, value: number, set: (db: number) => void }} p */
function Gain(p) {
	return html`<label class="gain"><span>${p.label}</span><input type="range" min="-30" max="12" step="3" value=${p.value} disabled=${!conf.mayAct.value} onChange=${(/** @type {any} */ e) => p.set(Number(e.target.value))} />
		<output class="num">${p.value > 0 ? '+' : ''}${p.value} dB</output></label>`;
}

/** What the site sends and what it is really sent. @param {{ p: Ortoo.Party }} p */
function Flows(p) {
	const { sends, gets } = conf.flowOf(p.p);
	const shown = p.p.view === 'program' || p.p.view === 'own' ? t(`party.view_${p.p.view}`) : conf.nameOf(p.p.view);
	return html`<dl class="facts"><dt>${t('party.sends')}</dt><dd>${flowText(sends) || '-'}</dd>
		<dt>${t('party.gets')}</dt><dd data-gets>${[gets?.view ? shown : '', flowText(gets)].filter(Boolean).join(' · ') || '-'}</dd>
		<dt>${t('party.security')}</dt><dd>${sends?.security || '-'}</dd>
		<dt>${t('party.address')}</dt><dd class="break">${p.p.kind === 'browser' ? t('party.browser') : p.p.address ?? '-'}</dd><dt>${t('party.agent')}</dt><dd class="break">${p.p.agent ?? '-'}</dd>
		<dt>${t('party.since')}</dt><dd>${p.p.joined_ms ? hms(p.p.joined_ms) : '-'}</dd></dl>`;
}

/** @param {{ p: Ortoo.Party }} p */
function Acts(p) {
	const q = p.p;
	const there = conf.isThere(q) || conf.isBeingCalled(q);
	const last = html`<div class="acts">${there ? html`<button class="danger" onClick=${() => conf.hangUp(q)}>${t('party.hang_up')}</button>`
		: q.kind !== 'browser' && (q.site || q.address) ? html`<button class="main" onClick=${() => conf.callAgain(q)}>${t('party.call')}</button>` : null}
		<button class="danger" onClick=${() => conf.remove(q)}>${t('remove')}</button></div>`;
	if (conf.isOut(q)) {
		return last;
	}
	const others = conf.parties.value.filter((x) => x.id !== q.id && x.video);
	return html`<${SiteControl} p=${q} /><div class="acts"><button aria-pressed=${q.mic_muted} onClick=${() => conf.muteMic(q)}><${Glyph} shape=${q.mic_muted ? 'mic_off' : 'mic'} />${t(q.mic_muted ? 'mic.muted' : 'mic.open')}</button>
			<button aria-pressed=${q.speaker_muted} onClick=${() => conf.muteSpeaker(q)}><${Glyph} shape=${q.speaker_muted ? 'sound_off' : 'sound'} />${t(q.speaker_muted ? 'speaker.muted' : 'speaker.open')}</button></div>
		<${Gain} label=${t('gain.in')} value=${q.in_db} set=${(/** @type {number} */ db) => void conf.act('party.volume', { party: q.id, in_db: db, out_db: q.out_db })} />
		<${Gain} label=${t('gain.out')} value=${q.out_db} set=${(/** @type {number} */ db) => void conf.act('party.volume', { party: q.id, in_db: q.in_db, out_db: db })} />
		<label class="pick"><span>${t('party.view')}</span><select value=${q.view} onChange=${(/** @type {any} */ e) => void conf.act('party.view', { party: q.id, view: e.target.value })}>
			<option value="program">${t('party.view_program')}</option><option value="own">${t('party.view_own')}</option>${others.map((x) => html`<option value=${x.id}>${x.name}</option>`)}</select></label>
		<label class="pick"><span>${t('party.role')}</span><select value=${q.role} onChange=${(/** @type {any} */ e) => void conf.act('party.role', { party: q.id, role: e.target.value })}>
			${roles.map((r) => html`<option value=${r}>${t(`party.${r}`)}</option>`)}</select></label>
		${there && q.kind !== 'browser' ? html`<${DialPad} key=${q.id} p=${q} />` : null}
		${last}`;
}

function SiteTab() {
	const q = conf.party.value;
	if (!q) {
		return html`<p class="empty">${t('sites.pick')}</p>`;
	}
	return html`<section data-about=${q.id}><h3>${q.name}<span class="spring"></span><${StateMark} state=${q.state} why=${q.why ?? undefined} /></h3>
		${q.why && !conf.isThere(q) ? html`<p class="cause">${cause(q.why)}</p>` : null}
		${q.mic_muted && q.mic_muted_by ? html`<p class="dim">${t('party.muted_by', { name: actorText(q.mic_muted_by) })}</p>` : null}
		<${Flows} p=${q} />${conf.mayAct.value ? html`<${Acts} p=${q} />` : null}</section>`;
}

function CallTab() {
	const [how, setHow] = useState('site');
	const [filter, setFilter] = useState('');
	const listed = new Set(conf.parties.value.map((p) => p.site));
	const sites = store.directory.value.sites.filter((s) => s.address && s.name.toLowerCase().includes(filter.toLowerCase()));
	const call = async (/** @type {FormData} */ data) => {
		const fields = how === 'trunk' ? ['trunk', 'number', 'name'] : ['address', 'name'];
		const rows = fields.map((f) => [f, String(data.get(f) ?? '').trim()]).filter(([, value]) => value);
		await store.client.call('party.call', { conference: conf.conference.value?.id, ...Object.fromEntries(rows) });
	};
	if (!conf.mayAct.value) {
		return html`<p class="empty">${t('conference.none')}</p>`;
	}
	return html`<section><div class="chips" role="group" aria-label=${t('call')}>${['site', 'address', 'trunk'].map((h) => html`<button class="chip" aria-pressed=${how === h} onClick=${() => setHow(h)}>${t(`call.${h}`)}</button>`)}</div>
		${how === 'site' ? html`<input id="call-find" type="search" placeholder=${t('call.find')} aria-label=${t('call.find')} value=${filter} onInput=${(/** @type {any} */ e) => setFilter(e.target.value)} />
			<ul class="call-list">${sites.map((s) => html`<li data-call-site=${s.id}><span class="name" title=${[s.address, onWatch(s.id)].filter(Boolean).join('\n')}>${s.name}</span><span class="dim on-watch">${watchNames(s.id)}</span><span class="spring"></span>
				${listed.has(s.id) ? html`<span class="dim">${t('call.listed')}</span>` : html`<button class="small" onClick=${() => void conf.act('party.call', { site: s.id })}>${t('party.call')}</button>`}</li>`)}
				${sites.length ? null : html`<li class="empty">${t('call.no_sites')}</li>`}</ul>`
			: html`<${Form} key=${how} run=${call} submit=${t('party.call')}>
				${how === 'trunk' ? html`<label>${t('trunk')}<select name="trunk" required>${conf.trunks.value.map((x) => html`<option value=${x.name}>${x.name}</option>`)}</select></label>
					<label>${t('call.number')}<input name="number" class="num" required pattern="[0-9*#+]{1,32}" inputmode="tel" autocomplete="off" /></label>`
					: html`<label>${t('call.uri')}<input name="address" required maxlength="200" placeholder="sip:room@example.org" autocomplete="off" /></label>`}
				<label>${t('call.name')}<input name="name" maxlength="60" autocomplete="off" /></label></${Form}>`}</section>`;
}

function ContentTab() {
	void tick.value;
	const c = conf.conference.value;
	if (!c) {
		return html`<p class="empty">${t('conference.none')}</p>`;
	}
	const { holder, locked, asking, since_ms } = c.content;
	const seat = conf.joined.value;
	const picked = conf.party.value;
	const shown = conf.slides.value;
	return html`<section data-content><h3>${t('content')}<span class="spring"></span>${locked ? html`<span class="chip">${t('content.locked')}</span>` : null}</h3>
		<p>${holder ? html`<${Glyph} shape="wall" /> <b data-holder=${holder}>${conf.nameOf(holder)}</b> <span class="dim num">${since_ms ? span(store.client.now() - since_ms) : ''}</span>` : html`<span class="dim">${t('content.nobody')}</span>`}</p>
		${shown && !conf.slidesLarge.value ? html`<div class="slides"><${Picture} key=${shown.stream} link=${store.media.value} stream=${shown.stream} label=${t('content.by', { name: shown.name })} /></div>` : null}
		${asking.length ? html`<h3>${t('content.asking')}</h3><ul class="call-list">${asking.map((id) => html`<li><span class="name">${conf.nameOf(id)}</span><span class="spring"></span>
			${conf.mayAct.value ? html`<button class="small" onClick=${() => void conf.giveContent(id)}>${t('content.give')}</button>
				<button class="small danger" onClick=${() => void conf.act('content.refuse', { party: id })}>${t('content.refuse')}</button>` : null}</li>`)}</ul>` : null}
		${conf.mayAct.value ? html`<div class="acts">
			${seat ? html`<button class="main" onClick=${conf.contentKey}>${t(seat.screen ? 'content.stop' : 'content.share')}<kbd>K</kbd></button>` : null}
			${picked && holder !== picked.id && conf.isThere(picked) ? html`<button onClick=${() => void conf.giveContent(picked.id)}>${t('content.give_to', { name: picked.name })}</button>` : null}
			<button class="danger" disabled=${!holder} onClick=${() => void conf.revokeContent()}>${t('content.revoke')}</button>
			<button aria-pressed=${locked} onClick=${() => void conf.act('content.lock', { on: !locked })}>${t('content.lock')}</button></div>` : null}</section>`;
}

/** @param {{ x: Ortoo.Trunk }} p */
export function TrunkMark(p) {
	const up = p.x.state === 'up';
	const unknown = p.x.state === 'unknown';
	return html`<span class=${`state ${up ? 's-present' : unknown ? 's-absent' : 's-failed'}`}><${Glyph} shape=${up ? 'present' : unknown ? 'absent' : 'failed'} />${t(`trunk.${p.x.state}`)}</span>`;
}

function LinesTab() {
	void tick.value;
	return html`<section><h3>${t('trunks')}</h3>${conf.trunks.value.length ? html`<ul class="links lines">${conf.trunks.value.map((x) => html`<li class="link" data-trunk=${x.name}><div class="link-head"><b>${x.name}</b><${TrunkMark} x=${x} /></div>
		<div class="dim num break">${x.address}${x.since_ms ? ` · ${t('trunk.since', { span: span(store.client.now() - x.since_ms) })}` : ''} · ${t('trunk.calls', { count: x.calls })}</div>
		${x.why ? html`<div class="cause">${cause(x.why)}</div>` : null}</li>`)}</ul>` : html`<p class="empty">${t('trunks.none')}</p>`}</section>`;
}

/** Comes when it is first looked at. */
function LadderTab() {
	const [Tab, setTab] = useState(/** @type {any} */ (null));
	useEffect(() => void import('./ladder.js').then((m) => setTab(() => m.LadderTab)), []);
	return Tab ? html`<${Tab} />` : html`<p class="empty">${t('loading')}</p>`;
}

const views = { site: SiteTab, floor: FloorTab, roll: RollTab, call: CallTab, ack: LadderTab, content: ContentTab, lines: LinesTab };

export function ConferenceSide() {
	const Shown = views[conf.tab.value];
	return html`<aside class="side"><div class="tabs" role="tablist">${tabs.map((x) => html`<button role="tab" id=${`tab-${x}`} aria-selected=${conf.tab.value === x} aria-controls="side-panel" onClick=${() => (conf.tab.value = x)}>${t(`ctab.${x}`)}
			${x === 'content' && conf.conference.value?.content.asking.length ? html`<span class="badge">${conf.conference.value.content.asking.length}</span>` : null}
			${x === 'floor' && ctl.control.value?.hands.length ? html`<span class="badge">${ctl.control.value.hands.length}</span>` : null}</button>`)}</div>
		<div class="panel" id="side-panel" role="tabpanel" tabindex="0" aria-labelledby=${`tab-${conf.tab.value}`}><${Shown} /></div></aside>`;
}
