// The watch log: entries by hand and automatic ones, by day, kind and person; a print of what is shown.
import { html } from '../lib/view.js';
import { cause, has, t } from '../lib/i18n.js';
import { dateTime, hms } from '../lib/clock.js';
import * as store from './store.js';

const kinds = ['note', 'incident', 'rollcall', 'handover', 'alarm', 'zero', 'report'];

/** @param {Partial<{ day: string, kind: string, person: string }>} to */
function set(to) {
	store.filter.value = { ...store.filter.value, ...to };
	void store.loadEntries();
}

/** @param {any} e */
function write(e) {
	e.preventDefault();
	const data = new FormData(e.target);
	void store.act('watch.note', { text: data.get('text'), ...(data.get('person') ? { person: data.get('person') } : {}) }, t('watch.written')).then((r) => {
		if (r !== null) {
			e.target.reset();
			document.getElementById('entry')?.focus();
		}
	});
}

/** The sentence of an entry; the log itself holds facts only. @param {Ortoo.WatchEntry} e */
function sentence(e) {
	const { body } = e;
	const key = `log.${e.type}`;
	const values = { ...body, name: e.title, title: e.title, why: body.why ? ` (${cause(body.why)})` : '', verdict: body.verdict && has(`verdict.${body.verdict}`) ? t(`verdict.${body.verdict}`) : '',
		what: body.nothing ? t('zero.nothing') : body.text ?? '', late: body.late ? t('zero.late_mark') : '',
		alarm: has(`dutyalarm.${body.kind}`) ? t(`dutyalarm.${body.kind}`, { n: body.n ?? 0, division: e.title, subject: has(`reportrow.${body.subject}`) ? t(`reportrow.${body.subject}`) : body.subject ?? '' }) : body.key ?? '' };
	return has(key) ? t(key, values) : e.type;
}

/** @param {string} actor */
function who(actor) {
	return actor.startsWith('u:') ? actor.slice(2) : has(`by.${actor}`) ? t(`by.${actor}`) : actor;
}

/** @param {{ e: Ortoo.WatchEntry }} p */
function Row(p) {
	const { e } = p;
	return html`<tr data-kind=${e.kind}><td class="num">${store.filter.value.day ? hms(e.at_ms) : dateTime(e.at_ms)}</td><td><span class=${`chip w-${e.kind}`}>${t(`watchkind.${e.kind}`)}</span></td>
		<td>${e.kind === 'note' ? e.body.text : sentence(e)}${e.title && e.kind !== 'note' ? html`<span class="dim"> ${e.title}</span>` : null}</td><td>${e.person_name || who(e.actor)}</td></tr>`;
}

export function Watch() {
	const { day, kind, person } = store.filter.value;
	return html`<div class="watch">${store.mayCommand.value ? html`<form class="write" onSubmit=${write}>
			<input id="entry" name="text" required maxlength="1000" autocomplete="off" placeholder=${t('watch.hint')} aria-label=${t('watch.hint')} />
			<select name="person" aria-label=${t('watch.by')}><option value="">${t('watch.by')}</option>${store.directory.value.people.map((x) => html`<option value=${x.id}>${x.name}</option>`)}</select>
			<button class="main">${t('watch.write')}</button></form>` : null}
		<div class="bar"><label>${t('watch.day')}<input type="date" value=${day} onChange=${(/** @type {any} */ e) => set({ day: e.target.value })} /></label>
			<label>${t('watch.kind')}<select value=${kind} onChange=${(/** @type {any} */ e) => set({ kind: e.target.value })}><option value="">${t('filter.all')}</option>${kinds.map((k) => html`<option value=${k}>${t(`watchkind.${k}`)}</option>`)}</select></label>
			<label>${t('watch.person')}<select value=${person} onChange=${(/** @type {any} */ e) => set({ person: e.target.value })}><option value="">${t('filter.all')}</option>${store.directory.value.people.map((x) => html`<option value=${x.id}>${x.name}</option>`)}</select></label>
			<span class="spring"></span><span class="dim">${t('watch.count', { n: store.entries.value.length })}</span><button onClick=${() => print()}>${t('cert.print')}</button></div>
		<div class="scroll" tabindex="0" role="region" aria-label=${t('dutytab.watch')}><h2 class="print-only">${t('dutytab.watch')} ${day}</h2>
			<table class="rows"><thead><tr><th>${t('watch.at')}</th><th>${t('watch.kind')}</th><th>${t('watch.what')}</th><th>${t('watch.person')}</th></tr></thead>
			<tbody>${store.entries.value.map((e) => html`<${Row} key=${e.nr} e=${e} />`)}</tbody></table>
			${store.entries.value.length ? null : html`<p class="empty">${t('watch.none')}</p>`}</div></div>`;
}
