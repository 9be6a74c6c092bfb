// Texts by key from texts/<language>.json; Chinese first, the choice is remembered on this machine.
import { signal } from './view.js';

const KEY = 'ortoo.language';
/** Chinese and English everywhere; pages that have more say so in their first line. */
export const languages = (document.documentElement.dataset.languages ?? 'zh-CN en').split(' ');
/** Languages that only some parts have stand upon the first one: what they lack is said in Chinese. */
const partial = ['mn-Mong'];
/** @type {Record<string, string>} */
let texts = {};

function chosen() {
	const asked = new URLSearchParams(location.search).get('lang') ?? remembered();
	return asked && languages.includes(asked) ? asked : languages[0];
}

function remembered() {
	try {
		return localStorage.getItem(KEY);
	} catch {
		return null; // storage may be blocked in in-app browsers
	}
}

export const language = signal(chosen());

/**
 * Loads the common texts and those of the named parts (texts/<part>.<language>.json); call before the first render of what
 * uses them. A part may also come later, with the panel that needs it.
 * @param {...string} parts
 */
export async function loadTexts(...parts) {
	const heads = [...(Object.keys(texts).length ? [] : ['']), ...parts.map((p) => `${p}.`)];
	const files = partial.includes(language.value)
		? [...heads.map((h) => `${h}${languages[0]}`), ...parts.map((p) => `${p}.${language.value}`)] : heads.map((h) => `${h}${language.value}`);
	const loaded = await Promise.all(files.map(async (f) => {
		const reply = await fetch(`/texts/${f}.json`);
		return reply.ok ? reply.json() : {};
	}));
	texts = Object.assign({}, texts, ...loaded);
	document.documentElement.lang = language.value;
	const title = document.documentElement.dataset.title;
	if (title) {
		document.title = texts[title] ?? document.title;
	}
}

/**
 * One part in another language than the page's, beside it: the words of a ribbon.
 * @param {string} part @param {string} other @returns {Promise<(key: string) => string>}
 */
export async function loadPart(part, other) {
	const words = await (await fetch(`/texts/${part}.${other}.json`)).json();
	return (key) => words[key] ?? key;
}

/** Switches to the other language by loading the page again: no half-translated state can remain. */
export function switchLanguage() {
	try {
		localStorage.setItem(KEY, otherLanguage());
	} catch {
		// without storage the choice lives in the address only
	}
	const url = new URL(location.href);
	url.searchParams.set('lang', otherLanguage());
	location.replace(url);
	if (url.hash) {
		location.reload();
	}
}

export function otherLanguage() {
	return languages[(languages.indexOf(language.value) + 1) % languages.length];
}

/**
 * @param {string} key
 * @param {Record<string, string | number>} [values] for the {name} places of the text
 */
export function t(key, values) {
	const text = texts[key] ?? key;
	return values ? text.replace(/\{(\w+)\}/g, (_all, name) => String(values[name] ?? '')) : text;
}

/** True when a text of that key exists. @param {string} key */
export function has(key) {
	return key in texts;
}

/**
 * A cause as the gateway names it ("stalled", "failed: fingerprint") in words; one that has no text stays as it is.
 * @param {string | null | undefined} why
 */
export function cause(why) {
	const word = ((why ?? '').split(': ').at(-1) ?? '').replace(/\s*\(\d+\)$/, '').toLowerCase().replace(/\W+/g, '_');
	const key = `why.${word}`;
	return key in texts ? t(key) : why ?? '';
}
