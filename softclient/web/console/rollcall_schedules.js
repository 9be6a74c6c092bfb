// Saved lists of roll calls and the hours at which they run by themselves; loaded when the dialog opens.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Form } from './dialogs.js';
import { Choices, Order } from './rollcall.js';
import * as store from './store.js';
import * as roll from './rollcall_store.js';

const week = [0, 1, 2, 3, 4, 5, 6];

/** @param {number} minute */
function clockText(minute) {
	return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** @param {Ortoo.RollSchedule} s */
async function run(s) {
	store.dialog.value = null;
	await store.attempt(roll.open({ name: s.name, sites: s.sites, ahead: s.ahead || -1, dwell_ms: s.dwell_ms, hang_up: s.hang_up, drill: s.drill }));
}

/** @param {Ortoo.RollSchedule} s */
async function remove(s) {
	if (await store.attempt(store.client.call('rollcall.schedule_remove', { id: s.id }))) {
		store.say(t('schedule.removed', { name: s.name }));
	}
	await roll.loadSchedules();
}

/** @param {{ s: Ortoo.RollSchedule, edit: () => void }} p */
function Row(p) {
	const { s } = p;
	const may = store.mayCommand.value;
	return html`<li data-schedule=${s.id}><b>${s.name}</b><span class="dim">${t('schedule.sites', { count: s.sites.length })}</span>
		<span class="num">${s.days ? `${clockText(s.minute)} ${week.filter((d) => s.days & (1 << d)).map((d) => t(`day.${d}`)).join(' ')}` : t('schedule.by_hand')}</span>
		${s.next_ms ? html`<span class="num dim">${t('schedule.next', { at: dateTime(s.next_ms) })}</span>` : null}
		${s.last_ms ? html`<span class="num dim">${t('schedule.last', { at: dateTime(s.last_ms) })}</span>` : null}
		${s.missed_ms ? html`<span class="num cause">${t('schedule.missed', { at: dateTime(s.missed_ms) })}</span>` : null}<span class="spring"></span>
		${may ? html`<button class="small" data-run onClick=${() => void run(s)}>${t('schedule.run')}</button><button class="small" onClick=${p.edit}>${t('schedule.edit')}</button>
			<button class="small danger" onClick=${() => void remove(s)}>${t('schedule.remove')}</button>` : null}</li>`;
}

/** @param {{ s: Partial<Ortoo.RollSchedule>, done: () => void }} p */
function Edit(p) {
	const [picked, setPicked] = useState(p.s.sites ?? []);
	const save = async (/** @type {FormData} */ data) => {
		const [hour, minute] = String(data.get('time') || '08:30').split(':').map(Number);
		await store.client.call('rollcall.schedule_put', {
			...(p.s.id ? { id: p.s.id } : {}), name: String(data.get('name')).trim(), sites: picked, minute: hour * 60 + minute, ahead: Number(data.get('ahead')) || -1,
			days: week.reduce((sum, d) => sum | (data.get(`day${d}`) === 'on' ? 1 << d : 0), 0), dwell_ms: Number(data.get('dwell')) * 1000,
			hang_up: data.get('hang_up') === 'on', drill: data.get('drill') === 'on',
		});
		await roll.loadSchedules();
		p.done();
	};
	return html`<${Form} run=${save} submit=${t('schedule.save', { count: picked.length })}>
		<div class="two"><label>${t('roll.name')}<input name="name" required maxlength="60" autofocus autocomplete="off" value=${p.s.name ?? t('roll.name_hint')} /></label>
			<label>${t('schedule.time')}<input name="time" class="num" type="time" value=${clockText(p.s.minute ?? 510)} /></label>
			<label>${t('schedule.dwell')}<input name="dwell" class="num" type="number" min="0" max="600" value=${(p.s.dwell_ms ?? 15000) / 1000} /></label>
			<label>${t('roll.ahead')}<input name="ahead" class="num" type="number" min="0" max="50" value=${p.s.ahead ?? 3} /></label></div>
		<fieldset class="days"><legend>${t('schedule.days')}</legend>${week.map((d) => html`<label class="check"><input type="checkbox" name=${`day${d}`} checked=${Boolean((p.s.days ?? 0) & (1 << d))} />${t(`day.${d}`)}</label>`)}</fieldset>
		<div class="checks"><label class="check"><input type="checkbox" name="hang_up" checked=${p.s.hang_up ?? true} />${t('roll.hang_up')}</label>
			<label class="check"><input type="checkbox" name="drill" checked=${p.s.drill ?? false} />${t('conference.drill')}</label></div>
		<div class="two"><div><h3>${t('sites')}</h3><ul class="choices" tabindex="0" aria-label=${t('sites')}><${Choices} division=${null} picked=${picked} set=${setPicked} /></ul></div>
			<div><h3>${t('roll.order')}</h3><${Order} picked=${picked} set=${setPicked} /></div></div></${Form}>`;
}

export function Schedules() {
	const [edited, setEdited] = useState(/** @type {Partial<Ortoo.RollSchedule> | null} */ (null));
	useEffect(() => void roll.loadSchedules(), []);
	if (edited) {
		return html`<${Edit} s=${edited} done=${() => setEdited(null)} />`;
	}
	return html`${roll.schedules.value.length ? html`<ul class="schedules">${roll.schedules.value.map((s) => html`<${Row} key=${s.id} s=${s} edit=${() => setEdited(s)} />`)}</ul>` : html`<p class="empty">${t('schedule.none')}</p>`}
		${store.mayCommand.value ? html`<div class="acts"><button class="main" data-schedule-new onClick=${() => setEdited({})}>${t('schedule.new')}</button></div>` : null}`;
}
