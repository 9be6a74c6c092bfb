// The incident's reports: what is due when, in red before it lapses; forms with facts first; receipts. Loaded when its tab opens.
import { computed, effect, html, signal } from '../lib/view.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { Glyph, tick } from '../lib/ui.js';
import * as store from './store.js';

/** @type {import('../vendor/signals.js').Signal<Ortoo.ReportSheet | null>} */
const sheet = signal(null);
/** What is being written. @type {import('../vendor/signals.js').Signal<null | 'spoken' | 'first' | 'followup' | 'final'>} */
const writing = signal(null);
/** @type {Record<Ortoo.ReportDeadline['state'], import('../lib/ui.js').Shape>} */
const shapes = { running: 'calling', warning: 'degraded', over: 'failed', met: 'check', late: 'cross' };

async function load() {
	const id = store.incidentId.value;
	const reply = id ? await store.attempt(store.client.call('report.sheet', { incident: id })) : null;
	if (store.incidentId.value === id) {
		sheet.value = reply;
	}
}

await loadTexts('report');
document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/css/reports_tab.css' }));
effect(() => {
	writing.value = store.incidentId.value ? null : null;
	void load();
});
store.client.on('report.changed', ({ sheet: news }) => news.incident === store.incidentId.value && (sheet.value = news));
store.client.on('incident.changed', ({ incident }) => incident.id === store.incidentId.value && void load());
store.client.onUp(() => void load());

/** Its state by our own clock, so that it turns red by itself. @param {Ortoo.ReportDeadline} d @returns {Ortoo.ReportDeadline['state']} */
function stateOf(d) {
	const now = store.client.now();
	return d.done_ms ? (d.done_ms <= d.due_ms ? 'met' : 'late') : now >= d.due_ms ? 'over' : now >= d.warn_ms ? 'warning' : 'running';
}

/** @param {{ d: Ortoo.ReportDeadline }} p */
function Deadline(p) {
	void tick.value;
	const { d } = p;
	const state = stateOf(d);
	const left = d.due_ms - store.client.now();
	const note = d.done_ms ? t(`deadline.${state}`, { at: hms(d.done_ms) }) : left >= 0 ? t('deadline.left', { span: span(left) }) : t('deadline.lapsed', { span: span(-left) });
	return html`<li class=${`deadline d-${state}`} data-deadline=${d.row} data-state=${state} title=${d.clause}><${Glyph} shape=${shapes[state]} /><span>${t(`reportrow.${d.row}`)}</span>
		<span class="num">${hms(d.due_ms)}</span><b class="num">${note}</b></li>`;
}

/** Names that were written to before, for the next report. */
const known = computed(() => [...new Set((sheet.value?.reports ?? []).flatMap((r) => r.recipients.map((x) => x.name)))]);

/** @param {FormData} data @param {string} name */
const textOf = (data, name) => String(data.get(name) ?? '').trim();

/** @param {any} e */
async function send(e) {
	e.preventDefault();
	const data = new FormData(e.target);
	const spoken = writing.value === 'spoken';
	const texts = Object.fromEntries(['place', 'what', 'casualties', 'measures', 'contact', 'contact_phone', 'told_by', 'told_to', 'cause'].map((n) => [n, textOf(data, n)]).filter(([, v]) => v));
	const numbers = Object.fromEntries(['dead', 'missing', 'injured'].map((n) => [n, Number(data.get(n) || 0)]));
	const when = textOf(data, 'time');
	const recipients = textOf(data, 'recipients').split(/[\n;；、，,]/).map((x) => x.trim()).filter(Boolean); // data-cjk
	const reply = await store.attempt(store.client.call('report.file', { incident: store.incidentId.value, kind: spoken ? 'first' : writing.value, ...(spoken ? { spoken } : {}), ...texts, ...numbers,
		...(when ? { time_ms: new Date(when).getTime() } : {}), ...(recipients.length ? { recipients } : {}) }));
	if (reply) {
		sheet.value = reply;
		writing.value = null;
		store.say(t('report.given_line'));
	}
}

/** @param {number} ms local time for the field */
function localTime(ms) {
	const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
	return at.toISOString().slice(0, 16);
}

function Spoken() {
	return html`<div class="two"><label>${t('report.told_by')}<input name="told_by" required maxlength="100" autofocus value=${store.session.value?.name ?? ''} /></label><label>${t('report.told_to')}<input name="told_to" required maxlength="100" /></label></div>
		<label>${t('report.what')}<textarea name="what" rows="3" required maxlength="2000">${store.incident.value?.text ?? ''}</textarea></label>`;
}

/** Facts first; the cause is last, and may stay empty. */
function Written() {
	const i = store.incident.value;
	const last = sheet.value?.reports.find((r) => !r.spoken);
	return html`<label>${t('report.time')}<input name="time" type="datetime-local" value=${localTime(last?.time_ms ?? i?.t0_ms ?? 0)} /></label><label>${t('report.place')}<input name="place" required autofocus maxlength="200" value=${last?.place ?? i?.place ?? ''} /></label>
		<label>${t('report.what')}<textarea name="what" rows="3" required maxlength="2000">${last ? '' : i?.text ?? ''}</textarea></label>
		<div class="three"><label>${t('report.dead')}<input name="dead" type="number" min="0" value=${last?.dead ?? 0} /></label><label>${t('report.missing')}<input name="missing" type="number" min="0" value=${last?.missing ?? 0} /></label><label>${t('report.injured')}<input name="injured" type="number" min="0" value=${last?.injured ?? 0} /></label></div>
		<label>${t('report.measures')}<textarea name="measures" rows="2" maxlength="2000"></textarea></label>
		<div class="two"><label>${t('report.contact')}<input name="contact" maxlength="100" value=${last?.contact ?? ''} /></label><label>${t('field.phone')}<input name="contact_phone" type="tel" maxlength="40" value=${last?.contact_phone ?? ''} /></label></div>
		<label>${t('report.recipients')}<textarea name="recipients" rows="2" required placeholder=${t('report.recipients_hint')}>${known.value.join('\n')}</textarea></label>
		<label>${t('report.cause')}<textarea name="cause" rows="2" maxlength="2000" placeholder=${t('report.cause_hint')}></textarea></label>`;
}

function Form() {
	const kind = writing.value;
	return html`<form class="form report-form" data-report=${kind} onSubmit=${(/** @type {any} */ e) => void send(e)}><h3>${t(`report.${kind}`)}</h3>${kind === 'spoken' ? html`<${Spoken} />` : html`<${Written} />`}
		<div class="acts"><button class="main">${t('report.send')}</button><button type="button" onClick=${() => (writing.value = null)}>${t('report.drop')}</button></div></form>`;
}

/** @param {{ r: Ortoo.Report }} p */
function Given(p) {
	const { r } = p;
	const sign = async (/** @type {any} */ e) => {
		e.preventDefault();
		const data = new FormData(e.target);
		const reply = await store.attempt(store.client.call('report.receipt', { id: r.id, recipient: e.target.dataset.to, by: textOf(data, 'by') }));
		sheet.value = reply ?? sheet.value;
	};
	return html`<li class="given" data-given=${r.id}><div class="given-head"><b>${t(`report.${r.kind}`)}${r.spoken ? t('report.by_phone') : ''}${r.kind === 'followup' ? ` ${r.nr}` : ''}</b><span class="num dim">${hms(r.at_ms)}</span><span class="spring"></span>
			<a class="button small" href=${`/report/${encodeURIComponent(r.id)}`} target="_blank" rel="noopener">${t('report.paper')}</a></div>
		<p>${r.what}</p>${r.spoken ? html`<p class="dim">${t('report.told_line', { by: r.told_by, to: r.told_to })}</p>` : null}
		${r.recipients.length ? html`<ul class="receipts">${r.recipients.map((x) => html`<li data-receipt=${x.receipt_ms ? 'signed' : 'open'}><${Glyph} shape=${x.receipt_ms ? 'check' : 'absent'} /><span>${x.name}</span>
			${x.receipt_ms ? html`<span class="num dim">${t('report.signed', { by: x.receipt_by ?? '', at: hms(x.receipt_ms) })}</span>`
				: store.mayCommand.value ? html`<form class="sign" data-to=${x.name} onSubmit=${(/** @type {any} */ e) => void sign(e)}><input name="by" required maxlength="100" aria-label=${t('report.signer', { name: x.name })} placeholder=${t('report.signer_hint')} /><button>${t('report.sign')}</button></form>` : html`<span class="unsigned">${t('report.unsigned')}</span>`}</li>`)}</ul>` : null}</li>`;
}

export function ReportsTab() {
	const s = sheet.value;
	if (!store.incident.value || !s) {
		return html`<p class="empty">${t(store.incident.value ? 'loading' : 'incident.none')}</p>`;
	}
	const written = s.reports.some((r) => !r.spoken);
	const done = s.reports.some((r) => r.kind === 'final');
	/** @type {('spoken' | 'first' | 'followup' | 'final')[]} */
	const may = !written ? ['spoken', 'first'] : done ? [] : s.closed_ms ? ['followup', 'final'] : ['followup'];
	return html`<section class="reports"><ul class="deadlines" aria-label=${t('report.deadlines')}>${s.deadlines.map((d) => html`<${Deadline} key=${`${d.row}${d.from_ms}`} d=${d} />`)}</ul>
		${writing.value ? html`<${Form} />` : store.mayCommand.value ? html`<div class="acts">${may.map((kind) => html`<button class=${kind === 'first' || kind === 'final' ? 'main' : ''} data-write=${kind} onClick=${() => (writing.value = kind)}>${t(`report.${kind}`)}</button>`)}</div>` : null}
		${s.reports.length ? html`<ul class="given-list">${s.reports.map((r) => html`<${Given} key=${r.id} r=${r} />`)}</ul>` : html`<p class="empty">${t('report.none')}</p>`}</section>`;
}
