// The list behind the bell: every row says what, since when, who has it; what is too loud is shelved for a while.
import { html } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { hms, zone } from '../lib/clock.js';
import { Dialog, Glyph } from '../lib/ui.js';
import * as store from './store.js';
import { acknowledgeAlarm } from './keys.js';
import { alarms, shelve, soundings, unshelve } from './alarms.js';

const SHELVE_MINUTES = [10, 60];

/** @param {{ a: import('./alarms.js').Alarm }} p */
function State(p) {
	const { a } = p;
	const me = store.session.value?.name ?? '';
	if (a.acked) {
		const text = a.by ? t('alarm.acked_by', { name: a.by, at: hms(a.acked_ms) }) : t(a.settled ? 'alarm.settled' : 'alarm.acked', { at: hms(a.acked_ms) });
		return html`<span class="dim" data-acked>${text}</span>`;
	}
	if (a.shelved_ms) {
		return html`<span class="dim" data-shelved>${t('alarm.shelved', { name: a.by ?? '', at: hms(a.shelved_ms) })}</span><button onClick=${() => unshelve(a)}>${t('alarm.unshelve')}</button>`;
	}
	return html`${a.silent ? html`<span class="dim"><${Glyph} shape="sound_off" />${t('alarm.silent')}</span>` : null}
		${a.open ? html`<button onClick=${() => (store.dialog.value = { name: /** @type {string} */ (a.open) })}>${t('show')}</button>` : null}
		${SHELVE_MINUTES.map((n) => html`<button data-shelve=${n} onClick=${() => shelve(a, n, me)}>${t('alarm.shelve', { n })}</button>`)}
		<button class="main" onClick=${() => acknowledgeAlarm(a)}>${t('alarm.ack')}<kbd>A</kbd></button>`;
}

export function AlarmList() {
	const close = () => (store.dialog.value = null);
	return html`<${Dialog} title=${t('alarms.title')} close=${close} wide>
		<p class="dim" data-budget>${t('alarms.budget', { n: soundings.value.length })}</p>
		${alarms.value.length ? html`<ul class="alarm-list">${alarms.value.map((a) => html`<li key=${a.key + a.at_ms} class=${a.acked ? 'acked' : a.shelved_ms ? 'shelved' : `class-${a.level}`}>
			<${Glyph} shape=${a.acked ? 'check' : 'alarm'} /><span class="chip">${t(`alarm_class.${a.level}`)}</span><span class="num" title=${zone()}>${hms(a.at_ms)}</span><span>${a.text}</span><span class="spring"></span>
			<${State} a=${a} /></li>`)}</ul>` : html`<p class="empty">${t('alarms.none')}</p>`}</${Dialog}>`;
}
