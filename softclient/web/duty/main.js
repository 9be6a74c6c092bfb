// The duty page: who is on watch, hand-over, watch log, daily reports, contacts. One page, five tabs, keys for all of it.
import { byId, html, render } from '../lib/view.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms } from '../lib/clock.js';
import { Glyph, LanguageButton, tick } from '../lib/ui.js';
import * as store from './store.js';
import { Roster, rosterKeys } from './roster.js';
import { HandoverTab } from './handover.js';
import { Watch } from './watch.js';
import { Zero } from './zero.js';
import { ContactsTab, contactKeys } from './contacts.js';

/** @type {Record<store.Tab, any>} */
const screens = { roster: Roster, handover: HandoverTab, watch: Watch, zero: Zero, contacts: ContactsTab };

/** How much of a tab waits for somebody. @param {store.Tab} tab */
function waiting(tab) {
	switch (tab) {
	case 'roster':
		return store.month.value?.places.filter((p) => ['due', 'overdue'].includes(p.state)).length ?? 0;
	case 'handover':
		return store.sheet.value?.alarms.length ?? 0;
	case 'zero':
		return store.zero.value?.missing ?? 0;
	case 'contacts':
		return store.contacts.value?.due ?? 0;
	default:
		return 0;
	}
}

function Tabs() {
	return html`<div class="tabs" role="tablist">${store.tabs.map((tab, n) => html`<button role="tab" id=${`tab-${tab}`} aria-controls="panel" aria-selected=${store.tab.value === tab}
		data-tab=${tab} onClick=${() => store.turnTo(tab)}><kbd>${n + 1}</kbd>${t(`dutytab.${tab}`)}${waiting(tab) ? html`<span class="count">${waiting(tab)}</span>` : null}</button>`)}</div>`;
}

function Strip() {
	const line = store.client.state.value;
	return html`<header class="strip"><a class="brand" href="/">Ortoo</a><h1>${t('title.duty')}</h1><${Tabs} /><span class="spring"></span>
		<span class=${`state ${line === 'up' ? 's-present' : 's-failed'}`} role="status"><${Glyph} shape=${line === 'up' ? 'present' : 'failed'} />${t(`health.${line === 'up' ? 'ok' : 'down'}`)}</span>
		<time class="local">${hms(Math.max(tick.value, 1))}</time><span class="dim">${store.session.value?.name ?? ''}</span><${LanguageButton} /></header>`;
}

function Foot() {
	const line = store.line.value;
	return html`<footer class=${`line ${line?.bad ? 'bad' : ''}`} role="status">${line?.bad ? html`<${Glyph} shape="failed" />` : null}<span>${line?.text ?? t('line.ready')}</span>
		<span class="spring"></span><span class="dim">${t(`dutykeys.${store.tab.value}`)}</span></footer>`;
}

function App() {
	if (!store.session.value) {
		return html`<main class="gate"><p class="dim">${store.session.value === undefined ? t('loading') : html`<a href="/">${t('setup.to_login')}</a>`}</p></main>`;
	}
	const Screen = screens[store.tab.value];
	return html`<div class="duty"><${Strip} /><main id="panel" role="tabpanel" aria-labelledby=${`tab-${store.tab.value}`}><${Screen} /></main><${Foot} /></div>`;
}

/** @param {KeyboardEvent} e */
function onKey(e) {
	const field = e.target instanceof HTMLElement && e.target.closest('input, textarea, select, dialog');
	if (field || e.ctrlKey || e.altKey || e.metaKey) {
		return;
	}
	const tab = store.tabs[Number(e.key) - 1];
	if (tab) {
		store.turnTo(tab);
	} else if (e.key === 'n' && store.tab.value === 'watch') {
		e.preventDefault();
		document.getElementById('entry')?.focus();
	} else {
		store.tab.value === 'roster' ? rosterKeys(e) : store.tab.value === 'contacts' && contactKeys(e);
	}
}

await loadTexts('duty', 'dutylog');
addEventListener('keydown', onKey);
render(html`<${App} />`, byId('app'));
void store.start();
