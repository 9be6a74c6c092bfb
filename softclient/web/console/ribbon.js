// Ribbon in traditional Mongolian at the console's left edge: title and state words beside the Chinese panels.
import { html } from '../lib/view.js';
import { loadPart } from '../lib/i18n.js';
import * as store from './store.js';
import * as conf from './conference_store.js';

const word = await loadPart('ribbon', 'mn-Mong');

export function Ribbon() {
	const list = conf.parties.value;
	const count = (/** @type {(p: Ortoo.Party) => boolean} */ which) => list.filter(which).length;
	const there = count(conf.isThere), calling = count(conf.isBeingCalled);
	const up = store.client.state.value === 'up';
	const conference = store.mode.value === 'conference';
	const drill = conference ? conf.conference.value?.drill : store.incident.value?.drill;
	return html`<aside class="ribbon" lang="mn-Mong" data-ribbon><b>${word(conference ? conf.tab.value === 'roll' ? 'ribbon.rollcall' : 'ribbon.conference' : 'ribbon.incident')}</b>
		${drill ? html`<span class="chip drill">${word('drill')}</span>` : null}
		${conference ? html`<span class="s-present">${word('ribbon.present')} ${there}</span>${calling ? html`<span class="s-calling">${word('ribbon.calling')} ${calling}</span>` : null}
			<span class="dim">${word('ribbon.absent')} ${list.length - there - calling}</span>` : null}
		<span class=${up ? 's-present' : 's-failed'}>${word(up ? 'ribbon.up' : 'ribbon.down')}</span></aside>`;
}
