// The program: what the mixer really puts out, its cells over it as places to drop sites on, layouts drawn from their geometry.
import { html, useState } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { Glyph, Picture } from '../lib/ui.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import { layouts, placeOf } from './layouts.js';
import { Looking } from './control.js';

/** @type {Ortoo.CellMode[]} */
const modes = ['voice', 'poll', 'content', 'empty'];
const POLL_MS = 10000;

/** @param {{ name: string }} p */
export function LayoutIcon(p) {
	const [columns, rows, cells] = layouts[p.name] ?? layouts['1'];
	const w = 32 / columns, h = 18 / rows;
	return html`<svg class="layout-icon" viewBox="-1 -1 34 20" aria-hidden="true">${cells.map(([x, y, cw, ch], n) =>
		html`<rect class=${n === 0 ? 'first' : ''} x=${x * w + 0.5} y=${y * h + 0.5} width=${cw * w - 1} height=${ch * h - 1} rx="0.8" />`)}</svg>`;
}

/** What a cell shows, in words. @param {Ortoo.Cell} cell */
function cellText(cell) {
	switch (cell.mode) {
	case 'fixed':
		return conf.nameOf(cell.party) || t('cell.gone');
	case 'poll':
		return t('cell.poll_n', { count: cell.parties.length, s: Math.round(cell.interval_ms / 1000) });
	default:
		return t(`cell.${cell.mode}`);
	}
}

/** @param {{ cell: Ortoo.Cell, layout: string }} p */
function CellPlace(p) {
	const [over, setOver] = useState(false);
	const { cell } = p;
	const drop = (/** @type {DragEvent} */ e) => {
		const party = e.dataTransfer?.getData('text/x-ortoo-party');
		e.preventDefault();
		setOver(false);
		if (party) {
			void conf.setCell(cell.cell, 'fixed', { party });
		}
	};
	const chosen = conf.cellAt.value === cell.cell;
	return html`<button class=${`cell-place ${chosen ? 'chosen' : ''} ${over ? 'over-it' : ''} ${cell.by_hand ? 'by-hand' : ''}`} style=${placeOf(p.layout, cell.cell)} data-cell=${cell.cell} data-mode=${cell.mode}
		aria-pressed=${chosen} title=${t('cell.of', { cell: cell.cell + 1, what: cellText(cell) })} disabled=${!conf.mayAct.value}
		onClick=${() => (conf.cellAt.value = chosen ? null : cell.cell)} onDragOver=${(/** @type {Event} */ e) => { e.preventDefault(); setOver(true); }} onDragLeave=${() => setOver(false)} onDrop=${drop}>
		<span class="cell-label"><span class="number">${cell.cell + 1}</span><span class="name">${cellText(cell)}</span></span></button>`;
}

/** What can be put into the chosen cell. */
function CellBar() {
	const at = conf.cellAt.value;
	const v = conf.program.value;
	const cell = v?.cells.find((c) => c.cell === at);
	if (!cell || at === null) {
		return html`<p class="dim cell-hint">${t('cell.how')}</p>`;
	}
	const picked = conf.party.value;
	const polled = conf.parties.value.filter((p) => conf.isThere(p) && p.role !== 'observer').map((p) => p.id);
	const set = (/** @type {Ortoo.CellMode} */ mode) => void conf.setCell(at, mode, mode === 'poll' ? { parties: polled, interval_ms: POLL_MS } : {});
	return html`<div class="chips" role="group" aria-label=${t('cell.of', { cell: at + 1, what: cellText(cell) })}><b>${t('cell.n', { cell: at + 1 })}</b>
		<button class="chip" disabled=${!picked} aria-pressed=${cell.mode === 'fixed' && cell.party === picked?.id} onClick=${() => conf.intoCell(at + 1)}>${picked ? t('cell.put', { name: picked.name }) : t('cell.pick')}</button>
		${modes.map((m) => html`<button class="chip" data-mode=${m} aria-pressed=${cell.mode === m} onClick=${() => set(m)}>${t(`cell.${m}`)}</button>`)}</div>`;
}

/** @param {{ v: Ortoo.View, names: string[] }} p */
function Layouts(p) {
	const { v } = p;
	const may = conf.mayAct.value;
	return html`<div class="bar layouts"><div class="chips" role="group" aria-label=${t('layout')}>
		<button class="chip" aria-pressed=${v.auto} disabled=${!may} onClick=${() => conf.look({ auto: !v.auto })}>${t('layout.auto')}</button>
		${p.names.map((name) => html`<button class="layout" data-layout=${name} disabled=${!may} aria-pressed=${v.layout === name} aria-label=${t('layout.of', { name })} title=${name} onClick=${() => conf.look({ layout: name, auto: false })}>
			<${LayoutIcon} name=${name} /></button>`)}</div>
		<span class="spring"></span>
		${conf.slides.value ? html`<button class="chip" data-stage aria-pressed=${conf.slidesLarge.value} onClick=${conf.turnStage}><${Glyph} shape="wall" />${t('content.large')}<kbd>S</kbd></button>` : null}
		<button class="chip" aria-pressed=${v.titles} disabled=${!may} onClick=${() => conf.look({ titles: !v.titles })}>${t('look.titles')}</button>
		<button class="chip" aria-pressed=${v.clock} disabled=${!may} onClick=${() => conf.look({ clock: !v.clock })}>${t('look.clock')}</button>
		<button class="chip" aria-pressed=${Boolean(v.banner || v.alarm)} disabled=${!may} onClick=${() => (store.dialog.value = { name: 'banner' })}>${t('look.banner')}</button></div>`;
}

export function Program() {
	const c = conf.conference.value;
	const v = conf.program.value;
	if (!c || !v) {
		return null;
	}
	const on = c.mix.state === 'up';
	const large = conf.slidesLarge.value ? conf.slides.value : null;
	const nobody = !on && !conf.parties.value.some(conf.isThere);
	const why = nobody ? t('mix.nobody') : t(`mix.${c.mix.state}`);
	if (large) {
		return html`<section class="program" aria-label=${t('content')}><div class="screen-box"><div class="screen" data-slides>
			<${Picture} key=${large.stream} link=${store.media.value} stream=${large.stream} label=${t('content.by', { name: large.name })} />
			<span class="on-wall program-mark"><${Glyph} shape="wall" />${t('content.by', { name: large.name })}</span></div></div><${Layouts} v=${v} names=${c.layouts} /></section>`;
	}
	return html`<section class="program" aria-label=${t('program')}>
		<div class="screen-box"><div class="screen" data-mix=${c.mix.state}>
			${c.state === 'open' ? html`<${Picture} link=${store.media.value} stream=${v.stream} label=${t('program')} />` : null}
			<div class="cells" role="group" aria-label=${t('cells')}>${v.cells.map((cell) => html`<${CellPlace} key=${`${v.layout}-${cell.cell}`} cell=${cell} layout=${v.layout} />`)}</div>
			<${Looking} /><span class="on-wall program-mark">${on ? html`<i class="dot"></i>${t('program.on')}` : html`<${Glyph} shape=${nobody ? 'absent' : 'failed'} />${c.state === 'open' ? why : t('incident.closed')}${c.mix.why ? ` · ${cause(c.mix.why)}` : ''}`}</span></div></div>
		<${Layouts} v=${v} names=${c.layouts} /><div class="bar cell-bar"><${CellBar} /></div></section>`;
}
