// Left: people by division. Each row says where the person stands in this incident, and one click sends the link.
import { html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Glyph, StateMark } from '../lib/ui.js';
import * as store from './store.js';

const filters = ['all', 'duty', 'here', 'absent', 'bad'];
const query = signal('');
const filter = signal('all');
/** @type {import('../vendor/signals.js').Signal<Set<string>>} */
const picked = signal(new Set());
/** @type {import('../vendor/signals.js').Signal<Set<string>>} */
const folded = signal(new Set());

/** @param {string} id */
function sceneOf(id) {
	return store.scenes.value.find((s) => s.person === id) ?? null;
}

/** @param {Ortoo.Person} person */
function matches(person) {
	const scene = sceneOf(person.id);
	const words = query.value.trim().toLowerCase();
	if (words && !`${person.name} ${person.title ?? ''} ${person.phone ?? ''}`.toLowerCase().includes(words)) {
		return false;
	}
	switch (filter.value) {
	case 'duty':
		return Boolean(person.duty);
	case 'here':
		return Boolean(scene && ['present', 'degraded'].includes(scene.state));
	case 'absent':
		return !scene || scene.state === 'absent';
	case 'bad':
		return Boolean(scene && ['degraded', 'failed', 'refused', 'no_answer', 'unreachable'].includes(scene.state));
	default:
		return true;
	}
}

/** @param {string} id */
function pick(id) {
	const next = new Set(picked.value);
	next.has(id) ? next.delete(id) : next.add(id);
	picked.value = next;
}

/** @param {{ loss?: number }} p */
function LossBar(p) {
	const loss = Math.min(1, (p.loss ?? 0) * 10);
	return html`<span class="loss" title=${t('loss', { percent: Math.round((p.loss ?? 0) * 100) })}><i style=${{ width: `${100 - loss * 100}%` }}></i></span>`;
}

/** State always; line and microphone only of who is there. @param {{ s: Ortoo.Scene }} p */
function Standing(p) {
	const { s } = p;
	if (store.incident.value?.closed_ms) {
		return null;
	}
	return html`<${StateMark} state=${s.state} why=${s.why} />${store.hasPicture(s) ? html`<${LossBar} loss=${store.freshStats(s.id)?.loss} />
		<${Glyph} shape=${s.muted ? 'mic_off' : 'mic'} class="dim" />` : null}`;
}

/** @param {{ person: Ortoo.Person }} p */
function Row(p) {
	const { person } = p;
	const scene = sceneOf(person.id);
	const may = store.mayAct.value;
	return html`<li class=${`person ${scene ? 'here' : ''} ${scene && scene.id === store.sceneId.value ? 'selected' : ''}`}>
		${may && !scene ? html`<input type="checkbox" aria-label=${t('tree.pick', { name: person.name })} checked=${picked.value.has(person.id)} onChange=${() => pick(person.id)} />` : null}
		<button class="row" onClick=${() => scene && (store.sceneId.value = scene.id)} title=${person.phone ?? ''}>
			<span class="name">${person.name}${person.duty ? html` <i class="duty">${t('duty')}</i>` : null}</span>
			<span class="dim title">${person.title ?? ''}</span></button>
		${scene ? html`<${Standing} s=${scene} />`
			: may ? html`<button class="small" onClick=${() => void store.issueLinks([person.id])}><${Glyph} shape="link" />${t('link.send')}</button>` : null}
	</li>`;
}

/** @param {{ division: Ortoo.Division, depth: number, seen: Set<string> }} p @returns {any} */
function Branch(p) {
	const { divisions, people } = store.directory.value;
	const inside = people.filter((x) => x.division === p.division.id && matches(x));
	const seen = new Set(p.seen).add(p.division.id);
	const below = divisions.filter((d) => d.parent === p.division.id && !seen.has(d.id));
	const children = below.map((d) => html`<${Branch} division=${d} depth=${p.depth + 1} seen=${seen} />`);
	const shut = folded.value.has(p.division.id) && !query.value;
	const toggle = () => {
		const next = new Set(folded.value);
		shut ? next.delete(p.division.id) : next.add(p.division.id);
		folded.value = next;
	};
	const reachable = people.filter((x) => x.division === p.division.id).length + below.length;
	if (!reachable || ((query.value || filter.value !== 'all') && !inside.length && !below.length)) {
		return null;
	}
	return html`<li class="branch"><button class="division" aria-expanded=${!shut} onClick=${toggle}>
			<span class="twist">${shut ? '▸' : '▾'}</span>${p.division.name}<span class="dim">${inside.length || ''}</span></button>
		${shut ? null : html`<ul>${inside.map((person) => html`<${Row} key=${person.id} person=${person} />`)}${children}</ul>`}</li>`;
}

/** People whose division is not in the directory: they must not vanish. */
function Strays() {
	const known = new Set(store.directory.value.divisions.map((d) => d.id));
	const strays = store.directory.value.people.filter((x) => !known.has(x.division) && matches(x));
	return strays.length ? html`<li class="branch"><div class="division">${t('tree.strays')}</div>
		<ul>${strays.map((person) => html`<${Row} key=${person.id} person=${person} />`)}</ul></li>` : null;
}

function Guests() {
	const guests = store.scenes.value.filter((s) => !s.person);
	return guests.length ? html`<li class="branch"><div class="division">${t('tree.guests')}</div><ul>${guests.map((s) => html`
		<li class=${`person ${s.id === store.sceneId.value ? 'selected' : ''}`}>
			<button class="row" onClick=${() => (store.sceneId.value = s.id)}><span class="name">${s.name}</span></button>
			<${Standing} s=${s} /></li>`)}</ul></li>` : null;
}

export function Tree() {
	const { divisions } = store.directory.value;
	const known = new Set(divisions.map((d) => d.id));
	const roots = divisions.filter((d) => !d.parent || !known.has(d.parent));
	const chosen = [...picked.value].filter((id) => !sceneOf(id));
	return html`<nav class="tree" aria-label=${t('tree')}>
		<div class="tree-head"><input id="search" type="search" placeholder=${t('tree.search')} aria-label=${t('tree.search')} value=${query.value}
			onInput=${(/** @type {any} */ e) => (query.value = e.target.value)} />
		<div class="chips" role="group" aria-label=${t('tree.filter')}>${filters.map((f) => html`
			<button class="chip" aria-pressed=${filter.value === f} onClick=${() => (filter.value = f)}>${t(`filter.${f}`)}</button>`)}</div></div>
		<ul class="tree-list"><${Guests} />
			${roots.map((d) => html`<${Branch} key=${d.id} division=${d} depth=${0} seen=${new Set()} />`)}<${Strays} />
			${store.directory.value.people.length ? null : html`<li class="empty">${t('tree.empty')}
				${store.mayCommand.value ? html`<button onClick=${() => (store.dialog.value = { name: 'directory' })}>${t('directory.open')}</button>` : null}</li>`}</ul>
		${store.mayAct.value ? html`<div class="tree-foot">
			${chosen.length ? html`<button class="main" onClick=${() => { picked.value = new Set(); void store.issueLinks(chosen); }}>${t('tree.issue', { count: chosen.length })}</button>` : null}
			<button onClick=${() => (store.dialog.value = { name: 'guest' })}><${Glyph} shape="plus" />${t('link.guest')}</button></div>` : null}
	</nav>`;
}
