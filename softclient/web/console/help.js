// All keys of this screen with their command words, and the change of each.
import { html, useLayoutEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Dialog } from '../lib/ui.js';
import * as store from './store.js';
import { acts, allowedActs } from './keys.js';
import { canMove, conflict, give, idOf, isOwn, keysOf, nameOf, reset } from './remap.js';

/** @param {string} key */
function shown(key) {
	return (key === 'Space' || key === 'Shift+Space' ? key.replace('Space', t('key.space')) : key.length === 1 ? key.toUpperCase() : key)
		.replace('ArrowLeft', '←').replace('ArrowRight', '→').replace('ArrowUp', '↑').replace('ArrowDown', '↓').replace('Escape', 'Esc');
}

/** Waits for the new key of one act; a key that another act has wants a second yes. @param {{ act: import('./keys.js').Act, done: () => void }} p */
function Catch(p) {
	const [taken, setTaken] = useState(/** @type {{ key: string, by: import('./keys.js').Act } | null} */ (null));
	useLayoutEffect(() => {	// before the row is seen: a quick hand must not press into nothing
		const down = (/** @type {KeyboardEvent} */ e) => {
			const key = nameOf(e);
			if (e.key === 'Escape') {
				p.done();
			} else if (!key || e.target instanceof HTMLButtonElement && e.key === 'Enter') {
				return;
			} else {
				const by = conflict(acts, p.act, key);
				by ? setTaken({ key, by }) : give(acts, p.act, key);
				by || p.done();
			}
			e.preventDefault();
			e.stopPropagation();
		};
		addEventListener('keydown', down, true);
		return () => removeEventListener('keydown', down, true);
	}, [p.act]);
	const swap = () => {
		give(acts, p.act, /** @type {{ key: string }} */ (taken).key);
		p.done();
	};
	return taken ? html`<span class="cause" role="alert" data-conflict>${t('keys.conflict', { key: shown(taken.key), act: t(taken.by.text) })}</span>
			<button class="small main" onClick=${swap}>${t('keys.take')}</button><button class="small" onClick=${p.done}>${t('keys.leave')}</button>`
		: html`<span role="status">${t('keys.press')}</span><button class="small" onClick=${p.done}>${t('keys.leave')}</button>`;
}

/** @param {{ act: import('./keys.js').Act, open: boolean, turn: () => void }} p */
function Row(p) {
	const { act } = p;
	return html`<tr data-act=${idOf(act)}><td>${keysOf(act).map((k) => html`<kbd>${shown(k)}</kbd> `)}</td><td>${act.word ? html`<code>/${act.word}</code>` : ''}</td><td>${t(act.text)}</td>
		<td class="row-acts">${!canMove(act) ? null : p.open ? html`<${Catch} act=${act} done=${p.turn} />` : html`
			${isOwn(act) ? html`<button class="small" onClick=${() => reset(act)}>${t('keys.reset')}</button>` : null}
			<button class="small" aria-label=${t('keys.change_of', { act: t(act.text) })} onClick=${p.turn}>${t('keys.change')}</button>`}</td></tr>`;
}

export function Help() {
	const [open, setOpen] = useState('');
	return html`<${Dialog} title=${t('help')} close=${() => (store.dialog.value = null)} wide><p class="dim">${t('keys.how')}</p>
		<table class="keys"><tbody>${allowedActs().map((a) => html`<${Row} key=${idOf(a)} act=${a} open=${open === idOf(a)} turn=${() => setOpen(open === idOf(a) ? '' : idOf(a))} />`)}</tbody></table>
		<div class="acts"><button onClick=${() => reset()}>${t('keys.reset_all')}</button></div>
		<h3>${t('help.states')}</h3><p>${t('help.states_text')}</p></${Dialog}>`;
}
