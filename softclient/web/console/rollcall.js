// Roll call (right side of the conference screen): the site whose turn it is, results by one key, the list; and the dialog that makes one.
import { html, useEffect, useState } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { dateTime, span } from '../lib/clock.js';
import { Dialog, Glyph, StateMark, tick } from '../lib/ui.js';
import { close, Form } from './dialogs.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import * as roll from './rollcall_store.js';

/** @type {Record<Ortoo.Result, import('../lib/ui.js').Shape>} */
const shapes = {
	not_called: 'absent', present: 'check', present_late: 'degraded', no_picture: 'camera', no_sound: 'mic_off', no_answer: 'failed', unreachable: 'failed', excused: 'held',
};

/** Shape, word and colour. @param {{ result: Ortoo.Result }} p */
export function ResultMark(p) {
	return html`<span class=${`result r-${p.result}`} data-result=${p.result}><${Glyph} shape=${shapes[p.result]} />${t(`result.${p.result}`)}</span>`;
}

/** @param {Ortoo.RollFigures | null} f */
function faults(f) {
	return f ? ['black', 'frozen', 'looped', 'silent', 'clipped'].filter((x) => f[/** @type {'black'} */ (x)]).map((x) => t(`figure.${x}`)) : [];
}

/** @param {Ortoo.RollFigures} f */
function figuresText(f) {
	return [...faults(f), `${Math.round(f.bitrate_bps / 1000)} kb/s`, t('loss_short', { percent: Math.round(f.loss * 100) })].join(' · ');
}

/** Four digits in the site's picture, to be read back: somebody lives there, now. @param {{ e: Ortoo.RollEntry }} p */
function Code(p) {
	const c = p.e.code;
	return html`<div class="turn-state" data-code=${c?.state ?? ''}><span class="dim">${t('code.title')}</span>${c ? html`<b class="num code-digits">${c.digits}</b><span>${t(c.state === 'shown' ? 'code.shown' : `code_state.${c.state}`)}</span>` : null}<span class="spring"></span>
		${c?.state === 'shown' ? html`<button class="small" data-code-right onClick=${() => roll.codeSaid(true)}><kbd>Y</kbd>${t('code.right')}</button><button class="small" data-code-wrong onClick=${() => roll.codeSaid(false)}><kbd>W</kbd>${t('code.wrong')}</button>` : null}
		<button class="small" data-code-show onClick=${roll.code}><kbd>Q</kbd>${t(c ? 'code.again' : 'code.show')}</button></div>`;
}

/** Results that have a letter besides their number. @type {Partial<Record<Ortoo.Result, string>>} */
const letters = { present: '⏎', present_late: 'L', no_picture: 'P', no_sound: 'S', no_answer: 'A' };

/** Who is on the screen, as large as it goes. */
function Turn() {
	void tick.value;
	const e = roll.current.value;
	if (!e) {
		return null;
	}
	const may = store.mayCommand.value;
	return html`<div class="turn" data-turn=${e.site}><div class="turn-name">${e.name}</div>
		<div class="turn-state"><${StateMark} state=${e.state} /><span class="spring"></span><span class="num dim">${e.shown_ms ? span(store.client.now() - e.shown_ms) : ''}</span></div>
		<div class="turn-state"><span class="dim">${t('roll.measured')}</span>${e.measured ? html`<${ResultMark} result=${e.measured} />` : null}</div>
		${e.figures ? html`<div class=${`num ${faults(e.figures).length ? 'cause' : 'dim'}`}>${figuresText(e.figures)}</div>` : null}
		${may ? html`<div class="results" role="group" aria-label=${t('roll.result')}>${roll.results.map((r, n) => html`<button data-record=${r} onClick=${() => roll.record(r)}>
			<kbd>${n + 1}</kbd>${letters[r] ? html`<kbd>${letters[r]}</kbd>` : null}${t(`result.${r}`)}</button>`)}</div><${Code} e=${e} />` : null}</div>`;
}

function Progress() {
	const r = roll.rollcall.value;
	if (!r) {
		return null;
	}
	const done = r.sites - r.totals.not_called;
	return html`<div class="roll-progress"><progress max=${r.sites} value=${done} aria-label=${t('roll.progress', { done, all: r.sites })}></progress><span class="num">${t('roll.progress', { done, all: r.sites })}</span></div>
		<div class="roll-totals">${roll.results.filter((x) => x !== 'not_called' && r.totals[x]).map((x) => html`<span><${ResultMark} result=${x} /> <b class="num">${r.totals[x]}</b></span>`)}</div>`;
}

/** @param {{ e: Ortoo.RollEntry, n: number, open: boolean, toggle: () => void }} p */
function Entry(p) {
	const { e } = p;
	const may = store.mayCommand.value;
	return html`<li class=${e.turn ? 'turn-row' : ''} data-site=${e.site} data-said=${e.result}><button class="row" aria-expanded=${may ? p.open : undefined} onClick=${p.toggle}>
			<span class="number">${p.n + 1}</span><span class="name" title=${e.name}>${e.name}</span><span class="spring"></span>
			${e.result === 'not_called' ? html`<${StateMark} state=${e.state} />` : html`<${ResultMark} result=${e.result} />`}</button>
		${e.why ? html`<div class="why dim">${cause(e.why)}</div>` : null}
		${p.open && may ? html`<div class="acts why">${roll.isOpen.value ? html`<button class="small" onClick=${() => void roll.act('rollcall.jump', { site: e.site })}>${t(e.result === 'not_called' ? 'roll.jump' : 'roll.again')}</button>` : null}
			<select aria-label=${t('roll.correct', { name: e.name })} value=${e.result} onChange=${(/** @type {any} */ x) => roll.mark(e, x.target.value)}>${roll.results.map((r) => html`<option value=${r}>${t(`result.${r}`)}</option>`)}</select>
			${e.result !== 'excused' ? html`<button class="small" onClick=${() => roll.mark(e, 'excused')}>${t('roll.excuse')}</button>` : null}</div>` : null}</li>`;
}

/** Earlier ones of all conferences: their circulars. */
function Earlier() {
	const list = roll.closedOnes.value.slice(0, 20);
	return list.length ? html`<h3>${t('roll.earlier')}</h3><ul class="call-list">${list.map((r) => html`<li><span class="name" title=${r.name}>${r.name}</span><span class="dim num">${dateTime(r.opened_ms)}</span><span class="spring"></span>
		<a class="button" href=${`/circular/${r.id}`} target="_blank" rel="noopener">${t('circular')}</a></li>`)}</ul>` : null;
}

export function RollTab() {
	const [shown, setShown] = useState('');
	const r = roll.rollcall.value;
	const may = store.mayCommand.value;
	const fresh = html`<button class=${r && r.state !== 'closed' ? '' : 'main'} data-roll-new onClick=${() => (store.dialog.value = { name: 'rollcall' })}><${Glyph} shape="plus" />${t('roll.new')}</button>`;
	if (!r) {
		return html`<section data-roll><p class="empty">${t('roll.none')}</p>${may ? html`<div class="acts">${fresh}<button data-schedules onClick=${() => (store.dialog.value = { name: 'schedules' })}>${t('schedule')}</button></div>` : null}<${Earlier} /></section>`;
	}
	const running = r.state === 'running';
	return html`<section data-roll=${r.state}><h3>${r.name}<span class="spring"></span><span class="chip">${t(`roll.${r.state}`)}</span></h3>
		${may && roll.isOpen.value ? html`<div class="acts"><button class="main big" data-roll-next onClick=${roll.next}>${t(running ? 'roll.next' : r.state === 'paused' ? 'roll.resume' : 'roll.start')}<kbd>F3</kbd></button>
			${running ? html`<button onClick=${roll.pause}>${t('roll.pause')}</button>` : null}
			<button class="danger" onClick=${() => store.later(t('roll.close'), () => void roll.act('rollcall.close'))}>${t('roll.close')}</button></div>` : null}
		<${Turn} /><${Progress} />
		<div class="acts"><a class="button" data-circular href=${`/circular/${r.id}`} target="_blank" rel="noopener">${t('circular.open')}</a><a class="button" href="/circulars" target="_blank" rel="noopener">${t('circulars.open')}</a>${may ? html`<button data-schedules onClick=${() => (store.dialog.value = { name: 'schedules' })}>${t('schedule')}</button>` : null}${may && !roll.isOpen.value ? fresh : null}</div>
		<ol class="roll-list">${roll.entries.value.map((e, n) => html`<${Entry} key=${e.site} e=${e} n=${n} open=${shown === e.site} toggle=${() => setShown(shown === e.site ? '' : e.site)} />`)}</ol>
		${roll.isOpen.value ? null : html`<${Earlier} />`}</section>`;
}

/* ---- making one ---- */

/** @param {string[]} list @param {string} id @param {number} to */
function moved(list, id, to) {
	const rest = list.filter((x) => x !== id);
	return [...rest.slice(0, to), id, ...rest.slice(to)];
}

/** Sites of one division, below it the divisions in it. @param {{ division: Ortoo.Division | null, picked: string[], set: (list: string[]) => void, depth?: number }} p @returns {any} */
export function Choices(p) {
	const { divisions, sites } = store.directory.value;
	const known = new Set(divisions.map((d) => d.id));
	const inside = (/** @type {string} */ id) => sites.filter((s) => s.division === id);
	const own = p.division ? inside(p.division.id) : sites.filter((s) => !known.has(s.division));
	const below = divisions.filter((d) => (p.division ? d.parent === p.division.id : !d.parent || !known.has(d.parent)));
	const all = own.length > 0 && own.every((s) => p.picked.includes(s.id));
	const flip = (/** @type {string} */ id) => p.set(p.picked.includes(id) ? p.picked.filter((x) => x !== id) : [...p.picked, id]);
	const flipAll = () => p.set(all ? p.picked.filter((id) => !own.some((s) => s.id === id)) : [...p.picked, ...own.map((s) => s.id).filter((id) => !p.picked.includes(id))]);
	if ((p.depth ?? 0) > 12) {
		return null;
	}
	return html`${own.length ? html`<li><label class="check"><input type="checkbox" checked=${all} onChange=${flipAll} /><b>${p.division?.name ?? t('tree.strays')}</b></label></li>` : p.division ? html`<li><b>${p.division.name}</b></li>` : null}
		${own.map((s) => html`<li class="choice"><label class="check"><input type="checkbox" data-pick=${s.id} checked=${p.picked.includes(s.id)} onChange=${() => flip(s.id)} />${s.name}</label></li>`)}
		${below.map((d) => html`<${Choices} key=${d.id} division=${d} picked=${p.picked} set=${p.set} depth=${(p.depth ?? 0) + 1} />`)}`;
}

/** Whoever was not present last time comes first. @param {string[]} picked */
async function absentFirst(picked) {
	const last = roll.closedOnes.value.find((r) => r.state === 'closed');
	const entries = last ? (last.entries ?? (await roll.load(last.id))?.entries ?? []) : [];
	const was = new Map(entries.map((e) => [e.site, e.result]));
	const absent = (/** @type {string} */ id) => was.has(id) && !['present', 'present_late', 'excused'].includes(was.get(id) ?? '');
	return [...picked.filter(absent), ...picked.filter((id) => !absent(id))];
}

/** @param {{ picked: string[], set: (list: string[]) => void }} p */
export function Order(p) {
	const nameOf = (/** @type {string} */ id) => store.directory.value.sites.find((s) => s.id === id)?.name ?? id;
	const drop = (/** @type {DragEvent} */ e, /** @type {number} */ n) => {
		const id = e.dataTransfer?.getData('text/x-ortoo-site');
		if (id) {
			e.preventDefault();
			p.set(moved(p.picked, id, n));
		}
	};
	return html`<ol class="order">${p.picked.map((id, n) => html`<li key=${id} data-order=${id} draggable="true" onDragStart=${(/** @type {DragEvent} */ e) => e.dataTransfer?.setData('text/x-ortoo-site', id)}
			onDragOver=${(/** @type {DragEvent} */ e) => e.preventDefault()} onDrop=${(/** @type {DragEvent} */ e) => drop(e, n)}><span class="number">${n + 1}</span><span class="name">${nameOf(id)}</span><span class="spring"></span>
			<button type="button" class="icon" disabled=${n === 0} aria-label=${t('roll.up', { name: nameOf(id) })} onClick=${() => p.set(moved(p.picked, id, n - 1))}>↑</button>
			<button type="button" class="icon" disabled=${n === p.picked.length - 1} aria-label=${t('roll.down', { name: nameOf(id) })} onClick=${() => p.set(moved(p.picked, id, n + 1))}>↓</button>
			<button type="button" class="icon" aria-label=${t('roll.out', { name: nameOf(id) })} onClick=${() => p.set(p.picked.filter((x) => x !== id))}><${Glyph} shape="cross" /></button></li>`)}</ol>`;
}

export function NewRollCall() {
	const [picked, setPicked] = useState(/** @type {string[]} */ ([]));
	const [own, setOwn] = useState(!conf.mayAct.value);
	useEffect(() => void roll.loadSchedules(), []);
	const take = (/** @type {string} */ id) => setPicked(roll.schedules.value.find((s) => s.id === id)?.sites ?? picked);
	useEffect(() => void (picked.length || absentFirst(store.directory.value.sites.filter((s) => s.address).map((s) => s.id)).then(setPicked)), []);
	const run = async (/** @type {FormData} */ data) => {
		const dwell = Number(data.get('dwell') ?? 0);
		await roll.open({
			name: String(data.get('name')).trim(), sites: picked, hang_up: data.get('hang_up') === 'on', ahead: Number(data.get('ahead')) || -1, dwell_ms: dwell * 1000,
			...(own ? { drill: data.get('drill') === 'on' } : { conference: conf.conference.value?.id }),
		});
		close();
	};
	const byName = () => setPicked([...picked].sort((a, b) => (store.directory.value.sites.find((s) => s.id === a)?.name ?? '').localeCompare(store.directory.value.sites.find((s) => s.id === b)?.name ?? '', 'zh-CN')));
	return html`<${Dialog} title=${t('roll.new')} close=${close} wide><${Form} run=${run} submit=${t('roll.make', { count: picked.length })}>
		<div class="two"><label>${t('roll.name')}<input name="name" required maxlength="60" autofocus autocomplete="off" value=${t('roll.name_hint')} /></label>
			<label>${t('roll.dwell')}<input name="dwell" class="num" type="number" min="0" max="600" value="0" /></label>
			<label>${t('roll.ahead')}<input name="ahead" class="num" type="number" min="0" max="50" value="3" /></label>
			<div class="checks"><label class="check"><input type="checkbox" name="hang_up" />${t('roll.hang_up')}</label>
				${conf.mayAct.value ? html`<label class="check"><input type="checkbox" checked=${own} onChange=${() => setOwn(!own)} />${t('roll.own')}</label>` : null}
				${own ? html`<label class="check"><input type="checkbox" name="drill" />${t('conference.drill')}</label>` : null}</div></div>
		${roll.schedules.value.length ? html`<label>${t('schedule.load')}<select data-take onChange=${(/** @type {any} */ e) => take(e.target.value)}><option value=""></option>${roll.schedules.value.map((s) => html`<option value=${s.id}>${s.name}</option>`)}</select></label>` : null}
		<div class="two"><div><h3>${t('sites')}</h3><ul class="choices" tabindex="0" aria-label=${t('sites')}><${Choices} division=${null} picked=${picked} set=${setPicked} />
				${store.directory.value.sites.length ? null : html`<li class="empty">${t('call.no_sites')}</li>`}</ul></div>
			<div><h3>${t('roll.order')}<span class="spring"></span><button type="button" class="small" onClick=${byName}>${t('roll.by_name')}</button>
				<button type="button" class="small" onClick=${() => void absentFirst(picked).then(setPicked)}>${t('roll.absent_first')}</button></h3><${Order} picked=${picked} set=${setPicked} /></div></div></${Form}></${Dialog}>`;
}
