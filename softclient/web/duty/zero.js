// Daily reports: who has reported today, who is missing, and the month's count for the appraisal.
import { html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime, hms } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';

/** @type {Record<Ortoo.ZeroPlace['state'], import('../lib/ui.js').Shape>} */
const shapes = { on_time: 'check', late: 'degraded', waiting: 'absent', missing: 'failed', free: 'held' };
/** The place whose event is being written. */
const writing = signal('');

/** @param {string} place @param {boolean} nothing @param {string} [text] */
async function report(place, nothing, text) {
	if (await store.act('zero.report', { place, nothing, ...(text ? { text } : {}) }, t('zero.reported')) !== null) {
		writing.value = '';
	}
}

/** @param {{ z: Ortoo.ZeroPlace }} p */
function Row(p) {
	const { z } = p;
	const send = (/** @type {any} */ e) => {
		e.preventDefault();
		void report(z.place, false, String(new FormData(e.target).get('text')));
	};
	return html`<tr data-zero=${z.place} data-state=${z.state}><td>${z.name}</td><td class=${`mark z-${z.state}`}><${Glyph} shape=${shapes[z.state]} />${t(`zero.${z.state}`)}</td>
		<td class="num">${z.at_ms ? hms(z.at_ms) : ''}</td><td>${z.at_ms ? (z.nothing ? t('zero.nothing') : z.text) : ''}</td><td class="dim">${z.by.replace(/^\w+:/, '')}</td>
		<td class="row-acts">${!store.mayCommand.value ? null : writing.value === z.place ? html`<form class="write" onSubmit=${send}><input name="text" required maxlength="1000" autofocus aria-label=${t('zero.what')} placeholder=${t('zero.what')} /><button class="main">${t('zero.send')}</button></form>`
			: html`<button onClick=${() => void report(z.place, true)}>${t('zero.nothing')}</button> <button onClick=${() => (writing.value = z.place)}>${t('zero.something')}</button>`}</td></tr>`;
}

async function download() {
	const reply = await store.attempt(store.client.call('zero.export', { month: store.zero.value?.day.slice(0, 7) }));
	if (reply) {
		store.saveCsv(`zero-${store.zero.value?.day.slice(0, 7)}.csv`, reply.csv);
	}
}

export function Zero() {
	const z = store.zero.value;
	if (!z) {
		return html`<p class="empty">${t('loading')}</p>`;
	}
	const missing = z.places.filter((p) => p.state === 'missing');
	return html`<div class="zero"><section class="card"><div class="bar"><h2 class="num">${z.day}</h2><span class="dim">${t('zero.due', { at: dateTime(z.due_ms) })}</span></div>
			<p class=${missing.length ? 'cause' : 'dim'} role=${missing.length ? 'alert' : 'status'} data-missing=${missing.length}>${missing.length ? html`<${Glyph} shape="failed" />${t('zero.missing_list', { names: missing.map((p) => p.name).join(t('list.mark')) })}` : t('zero.none_missing')}</p>
			<div class="scroll" tabindex="0" role="region" aria-label=${t('dutytab.zero')}><table class="rows"><thead><tr><th>${t('zero.place')}</th><th>${t('zero.state')}</th><th>${t('watch.at')}</th><th>${t('watch.what')}</th><th>${t('zero.by')}</th><th></th></tr></thead>
			<tbody>${z.places.map((p) => html`<${Row} key=${p.place} z=${p} />`)}</tbody></table></div></section>
		<section class="card"><div class="bar"><h2>${t('zero.month', { month: z.day.slice(0, 7) })}</h2><span class="spring"></span><button onClick=${() => void download()}>${t('roster.export')}</button></div>
			<div class="scroll" tabindex="0" role="region" aria-label=${t('zero.month', { month: z.day.slice(0, 7) })}><table class="rows"><thead><tr><th>${t('zero.place')}</th><th>${t('zero.on_time')}</th><th>${t('zero.late')}</th><th>${t('zero.missing')}</th></tr></thead>
			<tbody>${(store.counts.value?.places ?? []).map((c) => html`<tr><td>${c.name}</td><td class="num">${c.on_time}</td><td class="num">${c.late}</td><td class=${`num ${c.missing ? 'z-missing' : ''}`}>${c.missing}</td></tr>`)}</tbody></table></div></section></div>`;
}
