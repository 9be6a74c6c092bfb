// Administration: who is logged in, what divisions share with each other, and what waits for a second administrator.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime, hms, zone } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';
import { Form } from './dialogs.js';
import * as eyes from './eyes.js';

/** @param {string} method @param {object} [params] */
const ask = (method, params) => store.attempt(store.client.call(method, params));
const kinds = /** @type {const} */ (['incident', 'conference', 'site', 'division']);

/** @param {string | undefined | null} id */
export function divisionName(id) {
	return id ? store.directory.value.divisions.find((d) => d.id === id)?.name ?? id : t('access.house');
}

export function Sessions() {
	const [list, setList] = useState(/** @type {any[]} */ ([]));
	const load = () => void ask('session.list').then((r) => setList(r?.sessions ?? []));
	useEffect(() => {
		load();
		const timer = setInterval(load, 15000);
		return () => clearInterval(timer);
	}, []);
	const end = (/** @type {any} */ s) => void ask('session.end', { id: s.id }).then(load);
	const account = (/** @type {any} */ s) => (s.subject.startsWith('account:') ? s.subject.slice('account:'.length) : '');
	const endAll = (/** @type {string} */ name) => void ask('session.end_all', { name }).then(load);
	const several = (/** @type {any} */ s) => account(s) && list.filter((x) => x.subject === s.subject && !x.own).length > 1;
	return html`<section data-sessions><h3>${t('sessions')}</h3><div class="scroll" tabindex="0" role="region" aria-label=${t('sessions')}><table class="rows"><thead><tr><th>${t('sessions.who')}</th><th>${t('account.role')}</th>
			<th>${t('sessions.from')}</th><th>${t('sessions.since')}</th><th>${t('sessions.seen')}</th><th>${t('sessions.pages')}</th><th></th></tr></thead>
		<tbody>${list.map((s) => html`<tr key=${s.id} data-session=${s.subject}><td title=${s.subject}>${s.name}${s.own ? html` <i class="duty">${t('sessions.own')}</i>` : null}</td><td>${t(`role.${s.role}`)}</td><td class="num">${s.remote ?? ''}</td>
			<td class="num">${dateTime(s.since_ms)}</td><td class="num" title=${zone()}>${hms(s.seen_ms)}</td><td class="num">${s.pages}</td>
			<td class="row-acts">${s.own || !store.isAdmin.value ? null : html`<button class="danger" data-end onClick=${() => end(s)}>${t('sessions.end')}</button>`}
				${several(s) && store.isAdmin.value ? html` <button class="danger" onClick=${() => endAll(account(s))}>${t('sessions.end_all')}</button>` : null}</td></tr>`)}</tbody></table></div></section>`;
}

/** What can be shared, by kind: id and name. @param {string} kind @param {any[]} conferences @returns {{ id: string, name: string }[]} */
function objects(kind, conferences) {
	const dir = store.directory.value;
	return kind === 'incident' ? [...store.incidents.value.values()].map((i) => ({ id: i.id, name: `${i.number} ${i.kind} · ${i.place}` }))
		: kind === 'conference' ? conferences.map((c) => ({ id: c.id, name: `${c.number} ${c.name}` })) : kind === 'site' ? dir.sites : dir.divisions;
}

export function Shares() {
	const [list, setList] = useState(/** @type {any[]} */ ([]));
	const [kind, setKind] = useState(/** @type {string} */ ('incident'));
	const [conferences, setConferences] = useState(/** @type {any[]} */ ([]));
	const load = () => void ask('access.list').then((r) => setList(r?.shares ?? []));
	useEffect(() => {
		load();
		void ask('conference.list', { open_only: true }).then((r) => setConferences(r?.conferences ?? []));
		return store.client.on('access.changed', load);
	}, []);
	const run = async (/** @type {FormData} */ data) => {
		await store.client.call('access.share', { kind, object: data.get('object'), to: data.get('to'), command: data.get('command') === 'on' });
	};
	const end = (/** @type {any} */ s) => store.later(t('access.unshare', { name: nameOf(s) }), () => void ask('access.unshare', { id: s.id }));
	const nameOf = (/** @type {any} */ s) => objects(s.kind, conferences).find((o) => o.id === s.object)?.name ?? s.object;
	return html`<section data-shares><h3>${t('access.shares')}</h3><p class="dim">${t('access.how')}</p>
		<table class="rows"><tbody>${list.map((s) => html`<tr key=${s.id}><td>${t(`access_kind.${s.kind}`)}</td><td>${nameOf(s)}</td><td>→ ${divisionName(s.to)}</td>
			<td>${t(s.command ? 'access.command' : 'access.read')}</td><td class="row-acts"><button class="danger" onClick=${() => end(s)}>${t('remove')}</button></td></tr>`)}</tbody></table>
		<details class="more"><summary>${t('access.add')}</summary><${Form} run=${run} submit=${t('access.add')}><div class="two">
			<label>${t('access.kind')}<select name="kind" value=${kind} onChange=${(/** @type {any} */ e) => setKind(e.target.value)}>${kinds.map((k) => html`<option value=${k}>${t(`access_kind.${k}`)}</option>`)}</select></label>
			<label>${t('access.object')}<select name="object" required>${objects(kind, conferences).map((o) => html`<option value=${o.id}>${o.name}</option>`)}</select></label>
			<label>${t('access.to')}<select name="to" required>${store.directory.value.divisions.map((d) => html`<option value=${d.id}>${d.name}</option>`)}</select></label>
			<label class="check"><input type="checkbox" name="command" />${t('access.may_command')}</label></div></${Form}></details></section>`;
}

/** What waits for another administrator, and what was decided today. */
export function Approvals() {
	useEffect(() => void eyes.refresh(), []);
	const list = eyes.approvals.value;
	return html`<section data-approvals><h3>${t('eyes')}</h3><p class="dim">${t('eyes.how')}</p>
		${list.length ? html`<table class="rows"><tbody>${list.map((a) => html`<tr key=${a.id} data-approval=${a.state}><td class="num" title=${zone()}>${hms(a.asked_ms)}</td>
			<td title=${a.text}>${eyes.textOf(a)}</td><td>${t(`eyes.${a.state}`)}${a.by ? ` (${a.by.replace(/^account:/, '')})` : ''}</td><td class="row-acts">${a.state !== 'waiting' || !store.isAdmin.value ? null
				: eyes.isOwn(a) ? html`<button onClick=${() => void eyes.decide(a, false)}>${t('eyes.withdraw')}</button>`
				: html`<button class="main" data-approve onClick=${() => void eyes.decide(a, true)}><${Glyph} shape="check" />${t('eyes.approve')}</button> <button class="danger" onClick=${() => void eyes.decide(a, false)}>${t('eyes.refuse')}</button>`}</td></tr>`)}</tbody></table>`
			: html`<p class="empty">${t('eyes.none')}</p>`}</section>`;
}
