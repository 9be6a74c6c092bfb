// The second factor of one's own account: a code to scan, the proof, and recovery codes that are shown this once.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Dialog, errorText } from '../lib/ui.js';
import { Qr } from '../lib/qr.js';
import { rest } from '../lib/api.js';
import * as store from './store.js';
import { Form } from './dialogs.js';
import { copy } from './side.js';

/** A call with a code in it: a wrong one is said so, not "name or password". @param {string} method @param {FormData} data */
async function withCode(method, data) {
	try {
		return await rest(method, { code: String(data.get('code')).trim() });
	} catch (e) {
		throw /** @type {{ code?: string }} */ (e).code === 'credentials' ? new Error(t('factor.wrong')) : e;
	}
}

/** @param {{ codes: string[], done: () => void }} p */
function Recovery(p) {
	return html`<div class="made"><b>${t('factor.recovery')}</b><p>${t('factor.recovery_how')}</p>
		<ul class="recovery" data-recovery>${p.codes.map((c) => html`<li><code>${c}</code></li>`)}</ul>
		<div class="acts"><button onClick=${() => void copy(p.codes.join('\n'))}>${t('factor.copy')}</button><button class="main" data-done onClick=${p.done}>${t('factor.kept')}</button></div></div>`;
}

/** @param {{ done: (codes: string[]) => void }} p */
function Enrol(p) {
	const [made, setMade] = useState(/** @type {{ secret: string, uri: string } | null} */ (null));
	const [error, setError] = useState('');
	useEffect(() => void rest('totp.begin').then(setMade, (e) => setError(errorText(e))), []);
	const run = async (/** @type {FormData} */ data) => p.done((await withCode('totp.confirm', data)).recovery);
	if (!made) {
		return html`<p class=${error ? 'cause' : 'dim'}>${error || t('loading')}</p>`;
	}
	return html`<div class="link-card"><${Qr} text=${made.uri} label=${t('factor.qr')} /><div><p>${t('factor.how')}</p>
		<p class="dim">${t('factor.type')}</p><p class="url" data-secret=${made.secret}>${made.secret.replace(/(.{4})/g, '$1 ').trim()}</p>
		<${Form} run=${run} submit=${t('factor.confirm')}><label>${t('factor.code')}<input name="code" required inputmode="numeric" pattern="[0-9]{6}" maxlength="6" autocomplete="one-time-code" autofocus /></label></${Form}></div></div>`;
}

function Remove() {
	const run = async (/** @type {FormData} */ data) => {
		await withCode('totp.remove', data);
		location.reload();
	};
	return html`<p class="state s-present">${t('factor.on')}</p><${Form} run=${run} submit=${t('factor.remove')}>
		<label>${t('factor.code')}<input name="code" required inputmode="numeric" maxlength="32" autocomplete="one-time-code" /></label></${Form}>`;
}

export function FactorBody() {
	const [codes, setCodes] = useState(/** @type {string[] | null} */ (null));
	return codes ? html`<${Recovery} codes=${codes} done=${() => location.reload()} />` : store.session.value?.second_factor ? html`<${Remove} />` : html`<${Enrol} done=${setCodes} />`;
}

export function Factor() {
	return html`<${Dialog} title=${t('factor')} close=${() => (store.dialog.value = null)}><${FactorBody} /></${Dialog}>`;
}

/** The house demands it: nothing else before. */
export function FactorGate() {
	return html`<main class="gate wide"><div class="form"><h1>Ortoo</h1><p>${t('factor.demanded')}</p><${FactorBody} />
		<button class="quiet" onClick=${() => void store.logout()}>${t('logout')}</button></div></main>`;
}
