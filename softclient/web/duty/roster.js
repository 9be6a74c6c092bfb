// The roster: places at the left with their state, the month of one of them as a calendar, CSV in and out.
import { html, signal, useState } from '../lib/view.js';
import { has, language, t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Dialog, Glyph } from '../lib/ui.js';
import * as store from './store.js';

/** @type {Record<string, import('../lib/ui.js').Shape>} */
const shapes = { complete: 'check', open: 'absent', due: 'degraded', overdue: 'failed' };
/** @type {import('../vendor/signals.js').Signal<{ day: string, shift: string } | null>} */
const editing = signal(null);

/** @param {number} by */
function step(by) {
	store.wantedMonth.value = store.monthStep(store.wantedMonth.value, by);
	void store.loadMonth();
}

/** @param {number} by */
function stepPlace(by) {
	const list = store.month.value?.places ?? [];
	const at = list.findIndex((p) => p.place === store.placeId.value);
	if (list.length) {
		choose(list[(at + by + list.length) % list.length].place);
	}
}

/** @param {string} place */
function choose(place) {
	store.placeId.value = place;
	void store.loadMonth();
}

/** @param {KeyboardEvent} e */
export function rosterKeys(e) {
	const run = { PageUp: () => step(-1), PageDown: () => step(1), '[': () => stepPlace(-1), ']': () => stepPlace(1) }[e.key];
	const cell = document.activeElement instanceof HTMLElement ? document.activeElement.closest('[data-cell]') : null;
	const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[e.key];
	if (run) {
		e.preventDefault();
		run();
	} else if (cell && move) {
		e.preventDefault();
		const [day, shift] = (cell.getAttribute('data-cell') ?? '').split('/');
		const to = `${day.slice(0, 8)}${String(Number(day.slice(8)) + move).padStart(2, '0')}/${shift}`;
		/** @type {HTMLElement | null} */ (document.querySelector(`[data-cell="${to}"]`))?.focus();
	}
}

/** @param {{ p: Ortoo.DutyPlace }} p */
function PlaceRow(p) {
	const { place, name, state, filled, wanted } = p.p;
	return html`<li><button class="place" data-place=${place} data-state=${state} aria-pressed=${place === store.placeId.value} onClick=${() => choose(place)}>
		<span class="name">${name}</span><span class=${`mark r-${state}`}><${Glyph} shape=${shapes[state]} />${t(`roster.${state}`)} ${filled}/${wanted}</span></button></li>`;
}

/** @param {{ cell: Ortoo.DutyCell | undefined, day: string, shift: Ortoo.DutyShift }} p */
function Cell(p) {
	const { cell, day, shift } = p;
	const names = cell?.people.map((x) => x.name).join(' ') ?? '';
	const label = `${day} ${store.shiftName(shift.name)} ${names || t('roster.nobody')}${cell?.leader ? ` ${t('roster.leader')} ${cell.leader.name}` : ''}`;
	return html`<button class=${`cell ${cell ? '' : 'none'} ${cell?.inherited ? 'inherited' : ''}`} data-cell=${`${day}/${shift.name}`} title=${cell?.inherited ? t('roster.inherited') : label}
		disabled=${!store.mayCommand.value} onClick=${() => (editing.value = { day, shift: shift.name })}>
		<span class="unseen">${day}</span><span class="shift">${store.shiftName(shift.name)}</span><b>${names || t('roster.nobody')}</b>${cell?.leader ? html`<i>${t('roster.leader_short')} ${cell.leader.name}</i>` : null}</button>`;
}

function Calendar() {
	const m = store.month.value;
	const place = store.place.value;
	if (!m || !place) {
		return html`<p class="empty">${t('roster.no_places')}</p>`;
	}
	const first = (new Date(`${m.month}-01T00:00:00`).getDay() + 6) % 7;
	const cells = new Map(place.cells.map((c) => [`${c.day}/${c.shift}`, c]));
	const names = new Intl.DateTimeFormat(language.value, { weekday: 'short' });
	return html`<div class="calendar" role="group" aria-label=${t('roster.of', { name: place.name, month: m.month })}>
		${[...Array(7).keys()].map((n) => html`<span class="weekday">${names.format(new Date(2024, 0, 1 + n))}</span>`)}
		${[...Array(first).keys()].map(() => html`<span></span>`)}
		${[...Array(m.days).keys()].map((n) => {
			const day = `${m.month}-${String(n + 1).padStart(2, '0')}`;
			return html`<div key=${day} class=${`day ${day === m.today ? 'today' : ''} ${day < m.today ? 'past' : ''}`}><span class="number">${n + 1}${day === m.today ? html` <em>${t('roster.today')}</em>` : null}</span>
				${m.shifts.map((shift) => html`<${Cell} day=${day} shift=${shift} cell=${cells.get(`${day}/${shift.name}`)} />`)}</div>`;
		})}</div>`;
}

/** One shift: who, and the leader. */
function CellForm() {
	const at = editing.value;
	const old = store.place.value?.cells.find((c) => c.day === at?.day && c.shift === at?.shift);
	const [picked, setPicked] = useState(new Set(old?.inherited ? [] : old?.people.map((x) => x.id) ?? []));
	const [find, setFind] = useState('');
	const close = () => (editing.value = null);
	const near = (/** @type {Ortoo.Person} */ x) => (x.division === store.place.value?.division ? 0 : 1);
	const people = store.directory.value.people.filter((x) => `${x.name} ${x.title ?? ''}`.toLowerCase().includes(find.toLowerCase())).sort((a, b) => near(a) - near(b));
	const save = async (/** @type {any} */ e) => {
		e.preventDefault();
		const leader = String(new FormData(e.target).get('leader') ?? '');
		const done = await store.act('duty.roster_put', { place: store.placeId.value, day: at?.day, shift: at?.shift, people: [...picked], ...(leader ? { leader } : {}) }, t('roster.saved'));
		if (done !== null) {
			close();
		}
	};
	const toggle = (/** @type {string} */ id) => {
		const next = new Set(picked);
		next.has(id) ? next.delete(id) : next.add(id);
		setPicked(next);
	};
	return html`<${Dialog} title=${`${store.place.value?.name} · ${at?.day} · ${store.shiftName(at?.shift ?? '')}`} close=${close}><form class="form" onSubmit=${save}>
		<label>${t('roster.find')}<input type="search" autofocus value=${find} onInput=${(/** @type {any} */ e) => setFind(e.target.value)} /></label>
		<ul class="people" tabindex="0" aria-label=${t('roster.people')}>${people.slice(0, 60).map((x) => html`<li key=${x.id}><label class="check"><input type="checkbox" name="person" value=${x.id} checked=${picked.has(x.id)} onChange=${() => toggle(x.id)} />
			${x.name}<span class="dim">${x.title ?? ''}</span></label></li>`)}</ul>
		<label>${t('roster.leader')}<select name="leader" value=${old?.leader?.id ?? ''}><option value="">${t('roster.no_leader')}</option>
			${store.directory.value.people.map((x) => html`<option value=${x.id} selected=${x.id === old?.leader?.id}>${x.name}</option>`)}</select></label>
		<button class="main">${t('save')}</button></form></${Dialog}>`;
}

/** Chinese spreadsheets write GBK unless told otherwise. @param {ArrayBuffer} bytes */
function decode(bytes) {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('gb18030').decode(bytes);
	}
}

/** @type {import('../vendor/signals.js').Signal<{ csv: string, added: number, changed: number, errors: any[] } | null>} */
const plan = signal(null);

/** First a dry run that says what would change. @param {any} e */
async function read(e) {
	const file = e.target.files[0];
	if (file) {
		const csv = decode(await file.arrayBuffer());
		const reply = await store.attempt(store.client.call('duty.roster_import', { csv, dry_run: true }, { timeout_ms: 30000 }));
		plan.value = reply ? { csv, ...reply } : null;
		e.target.value = '';
	}
}

async function commit() {
	const reply = await store.attempt(store.client.call('duty.roster_import', { csv: plan.value?.csv }, { timeout_ms: 30000 }));
	if (reply) {
		plan.value = null;
		store.say(t('roster.imported', { added: reply.added, changed: reply.changed }));
	}
}

/** @param {{ line: number, code?: string, value?: string, why: string }} e */
function badLine(e) {
	const key = `rostercsv.${e.code}`;
	return t('directory.bad_line', { line: e.line, why: e.code && has(key) ? t(`rostercsv.${e.code}`, { value: e.value ?? '' }) : e.why });
}

function Plan() {
	const p = plan.value;
	return p ? html`<${Dialog} title=${t('roster.import')} close=${() => (plan.value = null)} wide=${true}><div class="form" data-plan>
		<p>${t('roster.plan', { added: p.added, changed: p.changed })}</p>
		${p.errors.length ? html`<p class="cause" role="alert">${t('roster.wrong', { n: p.errors.length })}</p><ul class="cause bad-lines">${p.errors.slice(0, 20).map((e) => html`<li data-line=${e.line}><${Glyph} shape="failed" />${badLine(e)}</li>`)}</ul>` : null}
		<button class="main" autofocus disabled=${p.errors.length > 0 || p.added + p.changed === 0} onClick=${() => void commit()}>${t('directory.do_import')}</button></div></${Dialog}>` : null;
}

async function download() {
	const reply = await store.attempt(store.client.call('duty.roster_export', { month: store.month.value?.month }));
	if (reply) {
		store.saveCsv(`roster-${store.month.value?.month}.csv`, reply.csv);
	}
}

export function Roster() {
	const m = store.month.value;
	if (!m) {
		return html`<p class="empty">${t('loading')}</p>`;
	}
	return html`<div class="roster"><nav class="places" aria-label=${t('roster.places')}><ul>${m.places.map((p) => html`<${PlaceRow} key=${p.place} p=${p} />`)}</ul></nav>
		<section class="month"><div class="bar"><button onClick=${() => step(-1)} aria-label=${t('roster.before')}>‹</button><h2 class="num">${m.month}</h2><button onClick=${() => step(1)} aria-label=${t('roster.after')}>›</button>
			<span class=${store.place.value ? `mark r-${store.place.value.state}` : 'dim'}>${store.place.value?.name ?? ''} ${t('roster.due_at', { at: dateTime(m.due_ms - 1000) })}</span><span class="spring"></span>
			${store.mayCommand.value ? html`<label class="button">${t('roster.import')}<input class="unseen" type="file" accept=".csv,text/csv" data-import onChange=${(/** @type {any} */ e) => void read(e)} /></label>
				<button onClick=${() => store.saveCsv(t('roster.file'), `\ufeff${t('roster.template')}`)}>${t('directory.template')}</button>` : null}
			<button onClick=${() => void download()}>${t('roster.export')}</button><button onClick=${() => print()}>${t('cert.print')}</button></div>
		<${Calendar} /></section>${editing.value ? html`<${CellForm} />` : null}<${Plan} /></div>`;
}
