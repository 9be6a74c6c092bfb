// Administration: accounts, devices (walls and rooms), the log's chain, the webhook.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';
import { Form } from './dialogs.js';
import { copy } from './side.js';
import { VerifyLog } from './audit.js';
import { Endpoints, Trunks } from './conference_dialogs.js';
import { Approvals, divisionName, Sessions, Shares } from './admin_access.js';
import { secured } from './eyes.js';

const roles = ['administrator', 'dispatcher', 'viewer', 'auditor'];

/** @param {string} method @param {object} [params] */
const ask = (method, params) => store.attempt(store.client.call(method, params));

function Divisions() {
	return html`${store.session.value?.division ? null : html`<option value="">${t('access.house')}</option>`}${store.directory.value.divisions.map((d) => html`<option value=${d.id}>${d.name}</option>`)}`;
}

/** An administrator without one is a fault to be seen. @param {{ a: any }} p */
function FactorMark(p) {
	const missing = !p.a.second_factor && p.a.role === 'administrator';
	return html`<span class=${`state ${p.a.second_factor ? 's-present' : missing ? 's-degraded' : 's-absent'}`}><${Glyph} shape=${p.a.second_factor ? 'check' : missing ? 'degraded' : 'absent'} />${t(p.a.second_factor ? 'factor.yes' : 'factor.no')}</span>`;
}

function Accounts() {
	const [list, setList] = useState(/** @type {any[]} */ ([]));
	const load = () => void ask('account.list').then((r) => setList(r?.accounts ?? []));
	useEffect(load, []);
	const run = async (/** @type {FormData} */ data) => {
		const division = data.get('division');
		void secured('account.put', {
			name: data.get('name'), display: data.get('display') || data.get('name'), role: data.get('role'), password: data.get('password'), disabled: false, ...(division ? { division } : {}),
		}).then(load);
	};
	const remove = (/** @type {any} */ a) => store.later(t('act.remove', { name: a.name }), () => void secured('account.remove', { name: a.name }).then(load));
	const move = (/** @type {any} */ a, /** @type {string} */ division) => void secured('account.put', { name: a.name, role: a.role, display: a.display, disabled: a.disabled, division }).then(load);
	const reset = (/** @type {any} */ a) => store.later(t('factor.reset_of', { name: a.name }), () => void secured('totp.reset', { name: a.name }).then(load));
	const own = (/** @type {any} */ a) => `account:${a.name}` === store.session.value?.subject;
	return html`<section><h3>${t('accounts')}</h3>
		<table class="rows"><thead><tr><th>${t('account.name')}</th><th>${t('account.display')}</th><th>${t('account.role')}</th><th>${t('access.division')}</th><th>${t('factor')}</th><th></th></tr></thead><tbody>${list.map((a) => html`<tr>
			<td>${a.name}</td><td>${a.display ?? ''}</td><td>${t(`role.${a.role}`)}</td>
			<td>${own(a) ? divisionName(a.division) : html`<select aria-label=${t('access.division_of', { name: a.name })} value=${a.division ?? ''} onChange=${(/** @type {any} */ e) => move(a, e.target.value)}><${Divisions} /></select>`}</td>
			<td><${FactorMark} a=${a} />${a.second_factor && !own(a) ? html` <button class="small" onClick=${() => reset(a)}>${t('factor.reset')}</button>` : null}</td>
			<td>${own(a) ? '' : html`<button class="danger" onClick=${() => remove(a)}>${t('remove')}</button>`}</td></tr>`)}</tbody></table>
		<details class="more"><summary>${t('account.add')}</summary><${Form} run=${run} submit=${t('account.add')}><div class="two">
			<label>${t('account.name')}<input name="name" required maxlength="40" autocomplete="off" /></label>
			<label>${t('account.display')}<input name="display" maxlength="60" autocomplete="off" /></label>
			<label>${t('account.role')}<select name="role">${roles.map((r) => html`<option value=${r} selected=${r === 'dispatcher'}>${t(`role.${r}`)}</option>`)}</select></label>
			<label>${t('access.division')}<select name="division"><${Divisions} /></select></label>
			<label>${t('password')}<input name="password" type="password" required minlength="10" autocomplete="new-password" /></label></div></${Form}></details></section>`;
}

function Devices() {
	const [list, setList] = useState(/** @type {any[]} */ ([]));
	const [made, setMade] = useState(/** @type {{ url: string, name: string } | null} */ (null));
	const load = () => void ask('device.list').then((r) => setList(r?.devices ?? []));
	useEffect(load, []);
	const run = async (/** @type {FormData} */ data) => {
		const reply = await store.client.call('device.issue', { kind: 'wall', name: data.get('name') });
		setMade({ url: new URL(reply.url, location.href).href, name: String(data.get('name')) });
		load();
	};
	const assign = (/** @type {any} */ d, /** @type {string} */ division) => void ask('access.assign', { kind: 'wall', object: d.id, ...(division ? { division } : {}) }).then(load);
	const revoke = (/** @type {any} */ d) => store.later(t('act.revoke', { name: d.name }), () => void ask('device.revoke', { id: d.id }).then(load));
	return html`<section><h3>${t('devices')}</h3><p class="dim">${t('devices.how')}</p>
		<table class="rows"><tbody>${list.filter((d) => !d.revoked).map((d) => html`<tr><td><${Glyph} shape="wall" /> ${d.name}</td><td>${t(`device.${d.kind}`)}</td>
			<td><select aria-label=${t('access.division_of', { name: d.name })} data-division=${d.id} value=${d.division ?? ''} onChange=${(/** @type {any} */ e) => assign(d, e.target.value)}><${Divisions} /></select></td>
			<td><button class="danger" onClick=${() => revoke(d)}>${t('link.revoke')}</button></td></tr>`)}</tbody></table>
		<${Form} run=${run} submit=${t('device.issue')}><label>${t('device.name')}<input name="name" required maxlength="60" autocomplete="off" /></label></${Form}>
		${made ? html`<div class="made"><b>${t('device.made', { name: made.name })}</b><p class="url" data-url>${made.url}</p><p class="dim">${t('device.once')}</p>
			<div class="acts"><button class="main" onClick=${() => void copy(made.url)}>${t('copy')}</button></div></div>` : null}</section>`;
}

function Checks() {
	const [hook, setHook] = useState('');
	const test = () => void ask('webhook.test').then((r) => setHook(r ? t('webhook.ok') : ''));
	return html`<section data-checks><h3>${t('checks')}</h3><${VerifyLog} /><div class="acts"><button onClick=${test}>${t('webhook.test')}</button>${hook}</div></section>`;
}

export function Admin() {
	return html`<div class="admin"><${Devices} /><${Accounts} /><${Approvals} /><${Sessions} /><${Shares} /><${Endpoints} /><${Trunks} /><${Checks} /></div>`;
}
