// The one place that names the view packages; everything else imports from here.
import { h, render } from '../vendor/preact.js';
import htm from '../vendor/htm.js';

export { render };
export { useEffect, useLayoutEffect, useRef, useState, useMemo } from '../vendor/preact-hooks.js';
export { signal, computed, effect, batch, untracked } from '../vendor/signals.js';

/** Tagged template that makes preact nodes. */
export const html = htm.bind(h);

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
	const element = document.getElementById(id);
	if (!element) {
		throw new Error(`no element ${id}`);
	}
	return element;
}
