// Conference control on the screen: what is broadcast, who asks for the floor, who waits at the door, what a site is made to do.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { span } from '../lib/clock.js';
import { Glyph, Picture, tick } from '../lib/ui.js';
import { actorText } from './record.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import * as ctl from './control_store.js';

/** @param {string} name */
const open = (name) => () => (store.dialog.value = { name });

/** A dialog of conference control; its code comes when it is first wanted. @param {{ name: string }} p */
export function ControlDialog(p) {
	const [Shown, setShown] = useState(/** @type {any} */ (null));
	useEffect(() => void import('./control_dialogs.js').then((m) => setShown(() => m.dialogs[p.name])), [p.name]);
	return Shown ? html`<${Shown} />` : null;
}

/** What is said of a site beside its name. @param {{ p: Ortoo.Party }} p */
export function Marks(p) {
	const c = ctl.control.value;
	const k = p.p.control;
	if (!c || !k) {
		return null;
	}
	const hand = c.hands.findIndex((h) => h.party === p.p.id);
	const on = c.broadcast.party === p.p.id || c.broadcast.poll?.party === p.p.id;
	const rows = [[c.main_site === p.p.id, 'main_site', ''], [c.floor === p.p.id, 'floor', 'content'], [k.waiting, 'waiting', 'content'], [k.hidden, 'hidden', ''], [k.loop_audio || k.loop_video, 'loop', 'content']];
	return html`${on ? html`<span class="chip role air" data-mark="air"><i class="dot"></i>${t('mark.air')}</span>` : null}
		${hand >= 0 ? html`<span class="chip role content" data-mark="hand"><${Glyph} shape="hand" />${t('mark.hand', { n: hand + 1 })}</span>` : null}
		${rows.filter(([shown]) => shown).map(([, mark, look]) => html`<span class=${`chip role ${look}`} data-mark=${mark}>${t(`mark.${mark}`)}</span>`)}`;
}

/** Above the program: what everybody is made to see. */
export function BroadcastBar() {
	void tick.value;
	const c = ctl.control.value;
	if (!c || !ctl.broadcasting.value) {
		return null;
	}
	const { mode, party, poll, by, since_ms } = c.broadcast;
	return html`<div class="bar broadcast" role="status" data-broadcast=${mode}><span class="on-air"><i class="dot"></i>${t(`broadcast.${mode}`)}</span>
		<b>${conf.nameOf(poll?.party ?? party)}</b>${c.floor ? html`<span class="chip role content">${t('mark.floor')}</span>` : null}
		<span class="dim num">${span(store.client.now() - since_ms)}${by ? ` · ${actorText(by)}` : ''}</span><span class="spring"></span>
		${conf.mayAct.value && poll ? html`<button onClick=${() => ctl.pollStep('next')}>${t('poll.next')}<kbd>N</kbd></button>
			<button aria-pressed=${poll.paused} onClick=${() => ctl.pollStep(poll.paused ? 'resume' : 'pause')}>${t(poll.paused ? 'poll.resume' : 'poll.pause')}</button>` : null}
		${conf.mayAct.value ? html`<button class="danger" data-stop onClick=${ctl.stopBroadcast}>${t('broadcast.stop')}<kbd>Esc</kbd></button>` : null}</div>`;
}

/** Who waits at the door, in one line. */
export function LobbyStrip() {
	const list = ctl.waiting.value;
	if (!list.length) {
		return null;
	}
	return html`<div class="bar lobby" role="status"><${Glyph} shape="person" /><b>${t('lobby.waiting', { count: list.length })}</b>
		${list.slice(0, 4).map((p) => html`<span class="lobby-one" data-waiting=${p.id}><span class="name">${p.name}</span>${conf.mayAct.value ? html`<button class="small" onClick=${() => void ctl.order('lobby.admit', { party: p.id })}>${t('lobby.admit')}</button>
			<button class="small danger" onClick=${() => void ctl.order('lobby.refuse', { party: p.id })}>${t('lobby.refuse')}</button>` : null}</span>`)}
		<span class="spring"></span>${conf.mayAct.value ? html`<button class="main" data-admit-all onClick=${() => void ctl.order('lobby.admit', { party: '*' })}>${t('lobby.admit_all')}</button>` : null}</div>`;
}

/** What our own seat looks at while others see the program. */
export function Looking() {
	const seat = conf.joined.value;
	const sees = conf.parties.value.find((p) => p.id === seat?.party)?.control?.sees;
	const site = conf.parties.value.find((p) => p.id === sees);
	return site?.video ? html`<figure class="looking" data-looking=${site.id}><${Picture} link=${store.media.value} stream=${site.video} label=${site.name} /><figcaption>${t('ctl.looking', { name: site.name })}</figcaption></figure>` : null;
}

/** What can be done with the chosen site. @param {{ p: Ortoo.Party }} p */
export function SiteControl(p) {
	const q = p.p;
	const k = q.control;
	const c = ctl.control.value;
	if (!k || !c || !conf.isThere(q)) {
		return null;
	}
	if (k.waiting) {
		return html`<div class="acts"><button class="main" onClick=${() => void ctl.order('lobby.admit', { party: q.id })}>${t('lobby.admit')}</button><button class="danger" onClick=${() => void ctl.order('lobby.refuse', { party: q.id })}>${t('lobby.refuse')}</button></div>`;
	}
	const loop = (/** @type {object} */ patch) => void ctl.order('party.loop', { party: q.id, audio: k.loop_audio, video: k.loop_video, ...patch });
	const camera = (/** @type {string} */ act) => void ctl.order('party.camera', { party: q.id, act, ms: 500 });
	return html`<div class="acts verbs"><button data-verb="broadcast" aria-pressed=${c.broadcast.party === q.id} onClick=${() => ctl.broadcastSite(q)}>${t('broadcast.site')}<kbd>F7</kbd></button>
			<button data-verb="floor" aria-pressed=${c.floor === q.id} onClick=${() => ctl.giveFloor(q)}>${t('floor.give')}<kbd>G</kbd></button>
			<button data-verb="view" onClick=${ctl.viewSite}>${t('ctl.view')}<kbd>V</kbd></button>
			<button data-verb="lecture" aria-pressed=${c.broadcast.mode === 'lecture' && c.broadcast.party === q.id} onClick=${() => ctl.broadcast('lecture', { party: q.id })}>${t('broadcast.lecture')}</button>
			<button data-verb="main_site" aria-pressed=${c.main_site === q.id} onClick=${() => void ctl.order('conference.main_site', c.main_site === q.id ? {} : { party: q.id })}>${t('mark.main_site')}</button>
			<button data-verb="chair" aria-pressed=${q.role === 'chair'} onClick=${() => void (q.role === 'chair' ? ctl.order('chair.revoke') : ctl.order('chair.grant', { party: q.id }))}>${t(q.role === 'chair' ? 'chair.revoke' : 'chair.grant')}</button></div>
		<details class="more"><summary>${t('ctl.test')}</summary><div class="acts"><button aria-pressed=${k.loop_audio} data-verb="loop_audio" onClick=${() => loop({ audio: !k.loop_audio })}>${t('loop.audio')}</button>
			<button aria-pressed=${k.loop_video} data-verb="loop_video" onClick=${() => loop({ video: !k.loop_video })}>${t('loop.video')}</button>
			<button class="danger" data-verb="release" onClick=${() => store.later(t('act.release', { name: q.name }), () => void ctl.order('party.force_release', { party: q.id }))}>${t('ctl.release')}</button></div>
			<div class="pad camera" role="group" aria-label=${t('camera')}>${['zoom_out', 'up', 'zoom_in', 'left', 'stop', 'right', 'focus_near', 'down', 'focus_far'].map((act) => html`<button data-camera=${act} onClick=${() => camera(act)}>${t(`camera.${act}`)}</button>`)}</div></details>`;
}

function Hands() {
	const c = /** @type {Ortoo.Control} */ (ctl.control.value);
	const may = conf.mayAct.value;
	const seat = conf.joined.value;
	return html`<h3>${t('floor.queue')}<span class="spring"></span>${seat ? html`<button class="small" data-hand aria-pressed=${c.hands.some((h) => h.party === seat.party)} onClick=${ctl.raiseHand}><${Glyph} shape="hand" />${t('floor.raise')}<kbd>H</kbd></button>` : null}
			${may && c.hands.length ? html`<button class="small" data-clear onClick=${() => void ctl.order('floor.cancel', { party: '*' })}>${t('floor.clear')}</button>` : null}</h3>
		${c.hands.length ? html`<ol class="call-list">${c.hands.map((h, n) => html`<li data-hand-of=${h.party}><span class="number">${n + 1}</span><span class="name">${conf.nameOf(h.party)}</span><span class="dim num">${span(store.client.now() - h.since_ms)}</span><span class="spring"></span>
			${may ? html`<button class="small main" onClick=${() => void ctl.order('floor.give', { party: h.party })}>${t('floor.give')}</button>
				<button class="small" aria-label=${t('floor.cancel')} onClick=${() => void ctl.order('floor.cancel', { party: h.party })}><${Glyph} shape="cross" /></button>` : null}</li>`)}</ol>` : html`<p class="dim">${t('floor.nobody')}</p>`}`;
}

function Chair() {
	const c = /** @type {Ortoo.Control} */ (ctl.control.value);
	const chair = conf.conference.value?.chair;
	return html`<h3>${t('party.chair')}<span class="spring"></span>${chair ? html`<b>${conf.nameOf(chair)}</b>` : html`<span class="dim">${t('chair.nobody')}</span>`}</h3>
		${c.chair_asking.length ? html`<ul class="call-list">${c.chair_asking.map((id) => html`<li data-asks-chair=${id}><span class="name">${conf.nameOf(id)}</span><span class="spring"></span>
			${conf.mayAct.value ? html`<button class="small main" onClick=${() => void ctl.order('chair.grant', { party: id })}>${t('chair.grant')}</button>
				<button class="small danger" onClick=${() => void ctl.order('chair.refuse', { party: id })}>${t('content.refuse')}</button>` : null}</li>`)}</ul>` : null}`;
}

function Meeting() {
	const c = /** @type {Ortoo.Control} */ (ctl.control.value);
	const left = c.ends_ms ? c.ends_ms - store.client.now() : 0;
	const part = Boolean(c.parent);
	return html`<h3>${t('ctl.meeting')}</h3><div class="acts">
			<button aria-pressed=${c.lobby} data-lobby onClick=${() => void ctl.order('lobby.set', { on: !c.lobby })}>${t(c.lobby ? 'lobby.on' : 'lobby.off')}</button>
			<button data-split onClick=${open('split')}>${t('split')}</button>
			${part ? html`<button class="main" data-rejoin onClick=${() => void ctl.order('conference.rejoin')}>${t('split.rejoin')}</button>` : null}
			${conf.joined.value ? null : html`<button data-monitor onClick=${() => void ctl.listenIn(false)}>${t('mark.hidden')}</button><button data-barge onClick=${() => void ctl.listenIn(true)}>${t('ctl.barge')}</button>`}</div>
		${ctl.parts.value.map((x) => html`<p class="part" data-part=${x.id}>${x.name} <span class="dim num">${x.number} · ${x.parties.filter(conf.isThere).length}</span>
			<button class="small" onClick=${() => void ctl.order('conference.rejoin', { conference: x.id })}>${t('split.rejoin')}</button></p>`)}
		<p>${t('ctl.ends')} <b class="num" data-ends>${c.ends_ms ? (left > 0 ? span(left) : t('ctl.over')) : t('ctl.no_end')}</b></p>
		<div class="chips" role="group" aria-label=${t('ctl.extend')}>${[15, 30, 60].map((m) => html`<button class="chip" data-extend=${m} onClick=${() => void ctl.order('conference.extend', { minutes: m })}>${t('ctl.extend_by', { m })}</button>`)}
			<button class="chip" onClick=${() => void ctl.order('conference.extend', { minutes: 0 })}>${t('ctl.no_end')}</button></div>
		<label class="pick"><span>${t('ctl.priority')}</span><select value=${c.priority} onChange=${(/** @type {any} */ e) => void ctl.order('conference.priority', { priority: Number(e.target.value) })}>${[...Array(10).keys()].map((n) => html`<option value=${n}>${n}</option>`)}</select></label>`;
}

export function FloorTab() {
	void tick.value;
	const c = ctl.control.value;
	if (!c) {
		return html`<p class="empty">${t('conference.none')}</p>`;
	}
	const mode = c.broadcast.mode;
	return html`<section data-floor><${Hands} /><${Chair} />
		${conf.mayAct.value ? html`<h3>${t('broadcast')}</h3><div class="acts verbs"><button class="main" data-free onClick=${ctl.freeDiscussion}>${t('floor.free')}<kbd>F8</kbd></button>
			<button aria-pressed=${mode === 'layout'} data-mode="layout" onClick=${() => ctl.broadcast('layout')}>${t('broadcast.layout')}</button>
			<button aria-pressed=${mode === 'voice'} data-mode="voice" onClick=${() => ctl.broadcast('voice')}>${t('broadcast.voice')}</button>
			<button aria-pressed=${mode === 'poll'} data-mode="poll" onClick=${open('poll')}>${t('broadcast.poll')}<kbd>P</kbd></button>
			<button data-voice onClick=${open('voice')}>${t('voice')}</button></div><${Meeting} />` : null}</section>`;
}
