// Left: people by division. Each row says where the person stands in this incident, and one click sends the link.
import { html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Glyph, StateMark } from '../lib/ui.js';
import * as store from './store.js';
import { onWatch } from './duty_store.js';
import { matchesText } from './pinyin.js';
import { waiting } from './alarms.js';

const filters = ['all', 'duty', 'here', 'absent', 'bad', 'unacked'];
const BAD = ['degraded', 'failed', 'refused', 'no_answer', 'unreachable'];
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

/** Names of the divisions that a person stands below: "etk" finds everybody of that banner. @param {string} id */
function path(id) {
	const names = [];
	for (let at = store.directory.value.divisions.find((d) => d.id === id), n = 0; at && n < 12; n++) {
		names.push(at.name);
		const up = at.parent;
		at = store.directory.value.divisions.find((d) => d.id === up);
	}
	return names.join(' ');
}

/** Sent and not opened, or with an alarm that nobody has taken. @param {Ortoo.Person} person @param {Ortoo.Scene | null} scene */
function isUnacked(person, scene) {
	const link = store.incident.value?.links.find((l) => l.person === person.id && l.state === 'issued');
	return Boolean(link || (scene && waiting.value.some((a) => a.key === `scene-${scene.id}`)));
}

/** @param {Ortoo.Person} person */
function matches(person) {
	const scene = sceneOf(person.id);
	if (query.value.trim() && !matchesText(`${person.name} ${person.title ?? ''} ${person.phone ?? ''} ${path(person.division)}`, query.value)) {
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
		return Boolean(scene && BAD.includes(scene.state));
	case 'unacked':
		return isUnacked(person, scene);
	default:
		return true;
	}
}

let lastPicked = '';

/** With Shift: everybody between this one and the last. @param {string} id @param {boolean} [range] */
function pick(id, range) {
	const next = new Set(picked.value);
	const rows = [...document.querySelectorAll('.tree [data-pick]')].map((x) => /** @type {HTMLElement} */ (x).dataset.pick ?? '');
	const [a, b] = [rows.indexOf(lastPicked), rows.indexOf(id)].sort((x, y) => x - y);
	const on = !next.has(id);
	for (const one of range && a >= 0 ? rows.slice(a, b + 1) : [id]) {
		on ? next.add(one) : next.delete(one);
	}
	lastPicked = id;
	picked.value = next;
}

/** All of a division that are shown, or none of them. @param {string[]} ids */
function pickAll(ids) {
	const next = new Set(picked.value);
	const all = ids.every((id) => next.has(id));
	ids.forEach((id) => (all ? next.delete(id) : next.add(id)));
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
		${may ? html`<input type="checkbox" data-pick=${person.id} aria-label=${t('tree.pick', { name: person.name })} checked=${picked.value.has(person.id)} onClick=${(/** @type {MouseEvent} */ e) => pick(person.id, e.shiftKey)} />` : null}
		<button class="row" onClick=${() => scene && (store.sceneId.value = scene.id)} title=${[person.name, person.title, person.phone].filter(Boolean).join(' · ')}>
			<span class="name">${person.name}${person.duty ? html` <i class="duty">${t('duty')}</i>` : null}</span>
			<span class="dim title">${person.title ?? ''}</span></button>
		${scene ? html`<${Standing} s=${scene} />`
			: may ? html`<button class="small" onClick=${() => void store.issueLinks([person.id])}><${Glyph} shape="link" />${t('link.send')}</button>` : null}
	</li>`;
}

/** Is there anybody to show in a division or below it? @param {string} id @param {Set<string>} seen @returns {boolean} */
function anyShown(id, seen) {
	const { divisions, people } = store.directory.value;
	return people.some((x) => x.division === id && matches(x)) || divisions.some((d) => d.parent === id && !seen.has(d.id) && anyShown(d.id, new Set(seen).add(d.id)));
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
	if (!reachable || ((query.value || filter.value !== 'all') && !anyShown(p.division.id, seen))) {
		return null;
	}
	return html`<li class="branch"><div class="division-head"><button class="division" aria-expanded=${!shut} title=${[p.division.name, onWatch(p.division.id)].filter(Boolean).join('\n')} onClick=${toggle}>
			<span class="twist">${shut ? '▸' : '▾'}</span><span class="name">${p.division.name}</span><span class="dim">${inside.length || ''}</span></button>
			${store.mayAct.value && inside.length > 1 && !shut ? html`<input type="checkbox" aria-label=${t('tree.pick', { name: p.division.name })} checked=${inside.every((x) => picked.value.has(x.id))} onChange=${() => pickAll(inside.map((x) => x.id))} />` : null}</div>
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
			<button class="row" title=${s.name} onClick=${() => (store.sceneId.value = s.id)}><span class="name">${s.name}</span></button>
			<${Standing} s=${s} /></li>`)}</ul></li>` : null;
}

export function Tree() {
	const { divisions } = store.directory.value;
	const known = new Set(divisions.map((d) => d.id));
	const roots = divisions.filter((d) => !d.parent || !known.has(d.parent));
	const chosen = [...picked.value].filter((id) => !sceneOf(id));
	const there = [...picked.value].map((id) => sceneOf(id)).filter((s) => s !== null);
	const clear = () => (picked.value = new Set());
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
			${chosen.length ? html`<button class="main" data-issue onClick=${() => { clear(); void store.issueLinks(chosen); }}>${t('tree.issue', { count: chosen.length })}</button>` : null}
			${there.length ? html`<button data-mute-picked onClick=${() => { clear(); there.filter((s) => !s.muted).forEach(store.muteScene); }}>${t('tree.mute', { count: there.length })}</button>
				<button class="danger" onClick=${() => { clear(); store.removeScenes(there); }}>${t('tree.remove', { count: there.length })}</button>` : null}
			<button onClick=${() => (store.dialog.value = { name: 'guest' })}><${Glyph} shape="plus" />${t('link.guest')}</button></div>` : null}
	</nav>`;
}
