// Hand-over: who goes, who comes, what is open, which alarms stand. It is not completed while one stands that nobody answered for.
import { html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime, hms } from '../lib/clock.js';
import { Glyph, LevelChip } from '../lib/ui.js';
import * as store from './store.js';

/** Reasons that are being written, by alarm. @type {import('../vendor/signals.js').Signal<Record<string, string>>} */
const reasons = signal({});

/** @param {Ortoo.DutyAlarm} a */
function acknowledge(a) {
	void (a.kind === 'step' ? store.act('escalation.ack', { incident: a.incident, step: a.n }, t('dutyalarm.acked')) : store.act('duty.alarm_ack', { key: a.key }, t('dutyalarm.acked')));
}

/** @param {{ a: Ortoo.DutyAlarm }} p */
function Alarm(p) {
	const { a } = p;
	return html`<li class=${`alarm class-${a.cls}`} data-alarm=${a.key}><${Glyph} shape=${a.cls === 1 ? 'failed' : 'degraded'} /><span class="num dim">${hms(a.raised_ms)}</span><b>${store.alarmText(a)}</b>
		<span class="spring"></span>${a.may_carry ? html`<input placeholder=${t('handover.reason')} aria-label=${t('handover.reason_for', { text: store.alarmText(a) })} value=${reasons.value[a.key] ?? ''}
			onInput=${(/** @type {any} */ e) => (reasons.value = { ...reasons.value, [a.key]: e.target.value })} />` : html`<span class="dim">${t('handover.must_ack')}</span>`}
		${store.mayCommand.value ? html`<button onClick=${() => acknowledge(a)}>${t('handover.ack')}</button>` : null}</li>`;
}

/** Still to be answered for. */
function left() {
	return (store.sheet.value?.alarms ?? []).filter((a) => !a.may_carry || !reasons.value[a.key]?.trim());
}

function People() {
	return store.directory.value.people.map((x) => html`<option value=${x.id}>${x.name}${x.title ? ` · ${x.title}` : ''}</option>`);
}

function Begin() {
	const begin = (/** @type {any} */ e) => {
		e.preventDefault();
		const data = new FormData(e.target);
		void store.act('handover.begin', { from: data.get('from'), to: data.get('to'), ...(data.get('notes') ? { notes: data.get('notes') } : {}) }, t('handover.begun'));
	};
	return html`<form class="form" data-begin onSubmit=${begin}><div class="two"><label>${t('handover.from')}<select name="from" required><option value="">${t('handover.pick')}</option><${People} /></select></label>
		<label>${t('handover.to')}<select name="to" required><option value="">${t('handover.pick')}</option><${People} /></select></label></div>
		<label>${t('handover.notes')}<textarea name="notes" rows="4" maxlength="4000"></textarea></label><button class="main">${t('handover.begin')}</button></form>`;
}

/** @param {{ h: Ortoo.Handover }} p */
function Open(p) {
	const { h } = p;
	const waiting = left();
	const complete = () => {
		const carried = (store.sheet.value?.alarms ?? []).filter((a) => a.may_carry && reasons.value[a.key]?.trim()).map((a) => ({ key: a.key, reason: reasons.value[a.key].trim() }));
		void store.act('handover.complete', { id: h.id, carried }, t('handover.done', { from: h.from_name, to: h.to_name })).then((r) => r && (reasons.value = {}));
	};
	return html`<div class="open" data-open=${h.id}><p class="names"><b>${h.from_name}</b><span aria-hidden="true">→</span><b>${h.to_name}</b><span class="dim">${t('handover.since', { at: dateTime(h.begun_ms) })}</span></p>
		<p class="notes">${h.notes || t('handover.no_notes')}</p>
		<p class=${waiting.length ? 'cause' : 'good'} data-left=${waiting.length}><${Glyph} shape=${waiting.length ? 'failed' : 'check'} />${t(waiting.length ? 'handover.stand' : 'handover.clear', { n: waiting.length })}</p>
		${store.mayCommand.value ? html`<div class="acts"><button class="main big" data-complete onClick=${complete}>${t('handover.complete', { name: h.to_name })}</button>
			<button class="danger" onClick=${() => void store.act('handover.cancel', { id: h.id })}>${t('handover.cancel')}</button></div>` : null}</div>`;
}

/** @param {{ h: Ortoo.Handover }} p */
function Past(p) {
	const { h } = p;
	return html`<li><span class="num dim">${dateTime(h.done_ms)}</span><b>${h.from_name} → ${h.to_name}</b><span>${h.notes}</span>
		${h.carried.map((c) => html`<span class="carried">${t('handover.carried', { key: c.key, reason: c.reason })}</span>`)}</li>`;
}

export function HandoverTab() {
	const s = store.sheet.value;
	if (!s) {
		return html`<p class="empty">${t('loading')}</p>`;
	}
	return html`<div class="handover"><section class="card"><h2>${t('dutytab.handover')}</h2>${s.open ? html`<${Open} h=${s.open} />` : store.mayCommand.value ? html`<${Begin} />` : html`<p class="empty">${t('handover.none')}</p>`}</section>
		<section class="card"><h2>${t('handover.alarms', { n: s.alarms.length })}</h2>${s.alarms.length ? html`<ul class="rows-list">${s.alarms.map((a) => html`<${Alarm} key=${a.key} a=${a} />`)}</ul>` : html`<p class="empty"><${Glyph} shape="check" /> ${t('handover.no_alarms')}</p>`}
			<h2>${t('handover.incidents', { n: s.incidents.length })}</h2>${s.incidents.length ? html`<ul class="rows-list">${s.incidents.map((i) => html`<li><${LevelChip} level=${i.level} /><b>${i.kind} · ${i.place}</b><span class="num dim">${dateTime(i.t0_ms)}</span>${i.drill ? html`<span class="chip drill">${t('drill')}</span>` : null}</li>`)}</ul>` : html`<p class="empty">${t('handover.no_incidents')}</p>`}</section>
		<section class="card wide"><h2>${t('handover.history')}</h2>${s.history.length ? html`<ul class="history">${s.history.map((h) => html`<${Past} key=${h.id} h=${h} />`)}</ul>` : html`<p class="empty">${t('handover.none')}</p>`}</section></div>`;
}
