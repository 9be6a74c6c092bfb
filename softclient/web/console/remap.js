// Keys of one's own: changes against the table of keys.js, kept in this browser for this account.
import { signal } from '../lib/view.js';
import * as store from './store.js';

/** @typedef {import('./keys.js').Act} Act */

/** Act -> its keys. @type {import('../vendor/signals.js').Signal<Record<string, string[]>>} */
const own = signal({});
let loadedFor = '';

function place() {
	return `ortoo.keys.${store.session.value?.subject ?? ''}`;
}

function load() {
	if (loadedFor !== place()) {
		loadedFor = place();
		try {
			own.value = JSON.parse(localStorage.getItem(place()) ?? '{}');
		} catch {
			own.value = {};
		}
	}
	return own.value;
}

/** @param {Record<string, string[]>} next */
function save(next) {
	own.value = next;
	try {
		localStorage.setItem(place(), JSON.stringify(next));
	} catch {
		// without storage they live as long as the page
	}
}

/** @param {Act} act */
export function idOf(act) {
	return `${act.text}|${act.mode ?? ''}`;
}

/** @param {Act} act */
export function keysOf(act) {
	return load()[idOf(act)] ?? act.keys;
}

/** @param {Act} act */
export function isOwn(act) {
	return idOf(act) in load();
}

/** An act whose keys stand in a row of their own; digits, space and arrows are part of how the screen works. @param {Act} act */
export function canMove(act) {
	return !act.fixed && !act.keys.some((k) => /…|Space|Arrow|^Escape$|^\/$/.test(k));
}

/** Name of a pressed key as the table writes it; '' = that one cannot be used. @param {KeyboardEvent} e */
export function nameOf(e) {
	if (['Shift', 'Control', 'Alt', 'Meta', 'Tab', 'Escape', ' ', 'F5'].includes(e.key) || e.altKey || e.metaKey || /^Arrow|^\d$/.test(e.key) || /^Digit/.test(e.code)) {
		return '';
	}
	return (e.ctrlKey ? 'Ctrl+' : '') + (e.key.length === 1 ? e.key.toLowerCase() : e.key);
}

/** Who has this key on the same screen already. @param {Act[]} acts @param {Act} act @param {string} key */
export function conflict(acts, act, key) {
	return acts.find((a) => !a.when && idOf(a) !== idOf(act) && (!a.mode || !act.mode || a.mode === act.mode) && keysOf(a).includes(key)) ?? null;
}

/** The key goes to this act; whoever had it loses it. @param {Act[]} acts @param {Act} act @param {string} key */
export function give(acts, act, key) {
	const next = { ...load(), [idOf(act)]: [key] };
	const loser = conflict(acts, act, key);
	if (loser) {
		next[idOf(loser)] = keysOf(loser).filter((k) => k !== key);
	}
	save(next);
}

/** @param {Act} [act] all when absent */
export function reset(act) {
	const { ...next } = load();
	if (act) {
		delete next[idOf(act)];
	}
	save(act ? next : {});
}
