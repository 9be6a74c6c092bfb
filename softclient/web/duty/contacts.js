// The contact list and its half-year rule: who is to be tried again, and one key that says "reached just now".
import { computed, html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';

/** @type {Record<Ortoo.Contact['state'], import('../lib/ui.js').Shape>} */
const shapes = { good: 'check', stale: 'degraded', never: 'absent', changed: 'degraded', no_number: 'cross' };
const onlyDue = signal(false);
const find = signal('');
const chosen = signal('');
/** Those to be tried first. */
const rows = computed(() => (store.contacts.value?.people ?? []).filter((c) => (!onlyDue.value || c.state !== 'good') && `${c.name} ${c.phone} ${c.division_name} ${c.title}`.toLowerCase().includes(find.value.toLowerCase()))
	.sort((a, b) => Number(a.state === 'good') - Number(b.state === 'good') || a.verified_ms - b.verified_ms || a.name.localeCompare(b.name)));

/** @param {string} person */
function verify(person) {
	const c = rows.value.find((x) => x.person === person);
	if (c && c.phone && store.mayCommand.value) {
		void store.act('contact.verify', { person }, t('contact.verified', { name: c.name }));
	}
}

/** @param {number} by */
function step(by) {
	const at = rows.value.findIndex((c) => c.person === chosen.value);
	const to = rows.value[Math.max(0, Math.min(rows.value.length - 1, at + by))];
	if (to) {
		chosen.value = to.person;
		setTimeout(() => document.querySelector(`[data-contact="${to.person}"]`)?.scrollIntoView({ block: 'nearest' }));
	}
}

/** @param {KeyboardEvent} e */
export function contactKeys(e) {
	const run = { ArrowDown: () => step(1), ArrowUp: () => step(-1), v: () => verify(chosen.value) }[e.key];
	if (run) {
		e.preventDefault();
		run();
	}
}

/** @param {{ c: Ortoo.Contact }} p */
function Row(p) {
	const { c } = p;
	return html`<tr data-contact=${c.person} data-state=${c.state} class=${c.person === chosen.value ? 'selected' : ''} aria-selected=${c.person === chosen.value} onClick=${() => (chosen.value = c.person)}>
		<td>${c.name}</td><td>${c.division_name}</td><td>${c.title}</td><td class="num">${c.phone}</td><td class=${`mark c-${c.state}`}><${Glyph} shape=${shapes[c.state]} />${t(`contact.${c.state}`)}</td>
		<td class="num">${c.verified_ms ? dateTime(c.verified_ms) : ''}</td><td class="dim">${(c.verified_by ?? '').replace(/^u:/, '')}</td>
		<td class="row-acts">${store.mayCommand.value && c.phone ? html`<button onClick=${() => verify(c.person)}>${t('contact.verify')}</button>` : null}</td></tr>`;
}

async function download() {
	const reply = await store.attempt(store.client.call('contact.export'));
	if (reply) {
		store.saveCsv('contacts.csv', reply.csv);
	}
}

export function ContactsTab() {
	const c = store.contacts.value;
	if (!c) {
		return html`<p class="empty">${t('loading')}</p>`;
	}
	return html`<section class="card contacts"><div class="bar"><h2>${t('contact.due', { n: c.due, all: c.people.length })}</h2><span class="dim">${t('contact.rule', { days: c.stale_days })}</span><span class="spring"></span>
			<input type="search" aria-label=${t('tree.search')} placeholder=${t('tree.search')} value=${find.value} onInput=${(/** @type {any} */ e) => (find.value = e.target.value)} />
			<button aria-pressed=${onlyDue.value} onClick=${() => (onlyDue.value = !onlyDue.value)}>${t('contact.only_due')}</button><button onClick=${() => void download()}>${t('roster.export')}</button></div>
		<div class="scroll" tabindex="0" role="region" aria-label=${t('dutytab.contacts')}><table class="rows"><thead><tr><th>${t('field.name')}</th><th>${t('field.division')}</th><th>${t('field.title')}</th><th>${t('field.phone')}</th><th>${t('zero.state')}</th><th>${t('contact.last')}</th><th>${t('zero.by')}</th><th></th></tr></thead>
			<tbody>${rows.value.map((x) => html`<${Row} key=${x.person} c=${x} />`)}</tbody></table></div></section>`;
}
