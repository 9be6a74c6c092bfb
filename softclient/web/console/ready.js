// Standing readiness: who would fail now, and why; the list of the night's check, and a key to check at once.
import { computed, html, signal, useEffect } from '../lib/view.js';
import { loadTexts, t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Dialog, Glyph } from '../lib/ui.js';
import { close } from './dialogs.js';
import * as store from './store.js';

await loadTexts('ready');

/** @type {import('../vendor/signals.js').Signal<Ortoo.Ready | null>} */
const ready = signal(null);
const rows = computed(() => [...(ready.value?.entries ?? [])].sort((a, b) => Number(b.done) - Number(a.done) || a.score - b.score || a.name.localeCompare(b.name)));
store.client.on('ready.changed', (p) => (ready.value = p.ready));

/** @param {{ e: Ortoo.ReadyEntry }} p */
function Row(p) {
	const { e } = p;
	const state = !e.done ? 'calling' : e.score < 60 ? 'failed' : e.score < 90 ? 'degraded' : 'present';
	return html`<tr data-site=${e.site} data-score=${e.done ? e.score : ''}><td><span class=${`state s-${state}`}><${Glyph} shape=${state === 'present' ? 'check' : state} /><b class="num">${e.done ? e.score : '…'}</b></span></td><td>${e.name}</td>
		<td>${e.done ? e.faults.map((f) => `${t(`ready.${f.fault}`)} -${f.points}`).join(t('ready.comma')) || t('ready.fine') : t('ready.running')}</td>
		<td class="num dim">${e.answer_ms ? t('ready.figures', { s: (e.answer_ms / 1000).toFixed(1), rate: Math.round(e.bitrate_bps / 1000), loss: Math.round(e.loss * 100), rtt: e.rtt_ms }) : ''}</td></tr>`;
}

export function ReadyList() {
	const r = ready.value;
	useEffect(() => void store.client.call('ready.get').then((x) => (ready.value = x)).catch(() => {}), []);
	const begin = () => void store.attempt(store.client.call('ready.run', {})).then((x) => x && (ready.value = x));
	return html`<${Dialog} title=${t('ready')} close=${close} wide><section class="ready" data-ready=${r?.state ?? 'none'}>
		<div class="acts"><p class="dim">${r ? t('ready.head', { at: dateTime(r.opened_ms), sites: r.sites, failing: r.failing }) : t('ready.none')}</p><span class="spring"></span>
			${store.mayCommand.value ? html`<button class="main" disabled=${r?.state === 'running'} onClick=${begin}>${t(r?.state === 'running' ? 'ready.running' : 'ready.now')}</button>` : null}</div>
		<table><thead><tr><th>${t('ready.score')}</th><th>${t('ready.site')}</th><th>${t('ready.why')}</th><th>${t('ready.measured')}</th></tr></thead><tbody>${rows.value.map((e) => html`<${Row} key=${e.site} e=${e} />`)}</tbody></table></section></${Dialog}>`;
}
