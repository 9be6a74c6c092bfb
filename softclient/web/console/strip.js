// Top strip: which incident, how long, what is due, and whether this console itself is well.
import { html } from '../lib/view.js';
import { language, t } from '../lib/i18n.js';
import { hms, span, zone } from '../lib/clock.js';
import { DrillChip, Glyph, LanguageButton, LevelChip, tick } from '../lib/ui.js';
import * as store from './store.js';
import { actorText } from './record.js';
import { ConferenceChooser } from './conference.js';
import { soundOn, unlockSound, waiting } from './alarms.js';

const RING = 2 * Math.PI * 18;

/** Thirty minutes as a ring with the marks of the escalation steps on it. @param {{ incident: Ortoo.Incident, now: number }} p */
function Ring(p) {
	const { t0_ms, deadline_ms } = p.incident;
	const whole = Math.max(1, deadline_ms - t0_ms);
	const end = p.incident.met_ms || p.incident.closed_ms || p.now;
	const part = Math.min(1, Math.max(0, (end - t0_ms) / whole));
	const late = part > 2 / 3 && !p.incident.met_ms;
	return html`<svg class=${`ring v-${p.incident.verdict} ${late ? 'late' : ''}`} viewBox="0 0 44 44" aria-hidden="true">
		<circle class="ring-ground" cx="22" cy="22" r="18" />
		<circle class="ring-part" cx="22" cy="22" r="18" transform="rotate(-90 22 22)" stroke-dasharray=${`${part * RING} ${RING}`} />
		${p.incident.escalations.map((e) => {
			const angle = ((e.due_ms - t0_ms) / whole) * 360;
			return html`<path class=${`mark m-${e.state}`} d="M22 1v6" transform=${`rotate(${angle} 22 22)`} />`;
		})}</svg>`;
}

/** @param {{ incident: Ortoo.Incident }} p */
function SceneClock(p) {
	void tick.value;
	const { incident } = p;
	const now = store.client.now();
	const end = incident.closed_ms || now; // the clock never stops while the incident is open; the ring stops at the verdict
	const left = incident.deadline_ms - now;
	const verdict = incident.verdict === 'running' && left <= 0 ? 'missed' : incident.verdict;
	const note = verdict === 'running' ? t('clock.left', { span: span(left) })
		: verdict === 'met' ? t('clock.met', { span: span(incident.met_ms - incident.t0_ms) }) : t(`verdict.${verdict}`);
	return html`<div class="scene-clock" role="timer" aria-label=${t('clock.scene')}>
		<${Ring} incident=${incident} now=${now} />
		<div><div class="digits">${span(end - incident.t0_ms)}</div><div class=${`left v-${incident.verdict}`}>${note}</div></div></div>`;
}

/** What the step asks for, as the gateway words it. @param {Ortoo.Escalation} e */
function stepText(e) {
	return (language.value === 'zh-CN' ? e.text_zh : e.text_en) ?? '';
}

/** @param {{ incident: Ortoo.Incident }} p */
function Steps(p) {
	return html`<div class="steps" role="group" aria-label=${t('steps')}>${p.incident.escalations.map((e) => html`
		<button class=${`step m-${e.state}`} disabled=${e.state !== 'fired' || !store.mayCommand.value}
			title=${e.acked_by ? t('step.acked_by', { name: actorText(e.acked_by), at: hms(e.acked_ms) }) : stepText(e)}
			onClick=${() => void store.acknowledge(e)}>
			<b>${t('minutes', { n: e.minutes })}</b><span>${t(`step.${e.state}`)}</span></button>`)}</div>`;
}

function Chooser() {
	const list = store.openIncidents.value;
	const shown = store.incident.value && !list.includes(store.incident.value) ? [...list, store.incident.value] : list;
	if (!shown.length) {
		return html`<div class="no-incident">${t('incident.none')}</div>`;
	}
	return html`<select class="chooser" title=${store.incident.value ? `${store.incident.value.kind} · ${store.incident.value.place}` : ''} aria-label=${t('incident')} value=${store.incidentId.value}
		onChange=${(/** @type {any} */ e) => store.choose(e.target.value)}>
		${shown.map((i) => html`<option value=${i.id}>${`${i.number}  ${i.kind} · ${i.place}${i.closed_ms ? ` (${t('incident.closed')})` : ''}`}</option>`)}</select>`;
}

function Health() {
	const line = store.client.state.value;
	const media = store.media.value?.state.value ?? 'idle';
	const engine = store.engine.value;
	const bad = line !== 'up' ? line : engine !== 'up' ? 'engine' : media === 'down' ? 'media' : '';
	return html`<span class=${`state ${bad ? 's-failed' : 's-present'}`} role="status" data-line=${line} data-media=${media}>
		<${Glyph} shape=${bad ? 'failed' : 'present'} />${t(`health.${bad || 'ok'}`)}</span>`;
}

function Alarms() {
	const count = waiting.value.length;
	return html`
		${soundOn.value ? null : html`<button class="danger" onClick=${unlockSound}><${Glyph} shape="sound_off" />${t('sound.off')}</button>`}
		<button class=${`quiet alarms ${count ? 'some' : ''}`} aria-label=${t('alarms', { count })} onClick=${() => (store.dialog.value = { name: 'alarms' })}>
			<${Glyph} shape="alarm" /><span>${count}</span></button>`;
}

function Menu() {
	const open = (/** @type {string} */ name) => (/** @type {any} */ e) => {
		e.target.closest('details').open = false;
		store.dialog.value = { name };
	};
	return html`<details class="menu"><summary><${Glyph} shape="person" /><span>${store.session.value?.name ?? ''}</span></summary>
		<div class="menu-list">
			<p class="dim">${t(`role.${store.session.value?.role}`)}${store.session.value?.division ? ` · ${divisionName(store.session.value.division)}` : ''}</p>
			<a class="button" href="/duty" data-open="duty">${t('duty.page')}</a>
			<button onClick=${open('directory')}>${t('directory')}</button>
			<button data-open="ready" onClick=${open('ready')}>${t('menu.ready')}</button>
			<button onClick=${open('history')}>${t('history')}</button>
			${store.mayAudit.value ? html`<button data-open="audit" onClick=${open('audit')}>${t('audit')}</button>` : null}
			${store.isAdmin.value ? html`<button data-open="admin" onClick=${open('admin')}>${t('admin')}</button>` : null}
			<button data-open="factor" onClick=${open('factor')}>${t('factor')}${store.session.value?.second_factor_wanted ? html` <${Glyph} shape="degraded" class="s-degraded" />` : null}</button>
			<button onClick=${open('password')}>${t('password.change')}</button>
			<button onClick=${open('help')}>${t('help')}</button>
			<${LanguageButton} />
			<button onClick=${() => void store.logout()}>${t('logout')}</button>
		</div></details>`;
}

/** @param {'incident' | 'conference'} to */
export function turnTo(to) {
	store.mode.value = to;
	history.replaceState(null, '', to === 'conference' ? '#conference' : location.pathname + location.search);
}

function Mode() {
	return html`<div class="mode" role="group" aria-label=${t('mode')}>${/** @type {const} */ (['incident', 'conference']).map((m) => html`
		<button aria-pressed=${store.mode.value === m} data-mode=${m} onClick=${() => turnTo(m)}>${t(`mode.${m}`)}</button>`)}</div>`;
}

function LocalTime() {
	return html`<time class="local" title=${t('zone', { zone: zone() })}>${hms(Math.max(tick.value, 1))}<small>${zone()}</small></time>`;
}

/** @param {{ incident: Ortoo.Incident | null }} p */
function IncidentPart(p) {
	const { incident } = p;
	return html`${incident ? html`<${LevelChip} level=${incident.level} />` : null}
		${incident?.drill ? html`<${DrillChip} />` : null}
		<${Chooser} />
		${store.mayCommand.value ? html`<button class="main" onClick=${() => (store.dialog.value = { name: 'incident' })}>
			<${Glyph} shape="plus" />${t('incident.new')}<kbd>F2</kbd></button>` : null}
		${incident ? html`<${SceneClock} incident=${incident} /><${Steps} incident=${incident} />` : null}`;
}

/** @param {string} id */
function divisionName(id) {
	return store.directory.value.divisions.find((d) => d.id === id)?.name ?? id;
}

export function Strip() {
	const incident = store.incident.value;
	return html`<header class="strip">
		<strong class="brand">Ortoo</strong><${Mode} />
		${store.mode.value === 'conference' ? html`<${ConferenceChooser} />` : html`<${IncidentPart} incident=${incident} />`}
		<span class="spring"></span>
		<${Alarms} /><${Health} /><${LocalTime} /><${Menu} /></header>`;
}
