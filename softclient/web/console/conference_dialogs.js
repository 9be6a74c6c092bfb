// What opens over the conference screen: a new conference, the banner; and the accounts of rooms in the administration.
import { html, useEffect, useState } from '../lib/view.js';
import { cause, t } from '../lib/i18n.js';
import { Dialog } from '../lib/ui.js';
import { close, Form } from './dialogs.js';
import { copy } from './side.js';
import { TrunkMark } from './conference_side.js';
import * as store from './store.js';
import * as conf from './conference_store.js';

export function NewConference() {
	const incident = store.incident.value && !store.incident.value.closed_ms ? store.incident.value : null;
	const run = async (/** @type {FormData} */ data) => {
		const text = (/** @type {string} */ f) => String(data.get(f) ?? '').trim();
		await conf.open({
			name: text('name'), drill: data.get('drill') === 'on', ...(text('number') ? { number: text('number') } : {}),
			...(text('password') ? { password: text('password') } : {}), ...(data.get('incident') === 'on' && incident ? { incident: incident.id } : {}),
		});
		store.mode.value = 'conference';
		close();
	};
	return html`<${Dialog} title=${t('conference.new')} close=${close}><${Form} run=${run} submit=${t('conference.open')}>
		<label>${t('conference.name')}<input name="name" required maxlength="60" autofocus autocomplete="off" /></label>
		<div class="two"><label>${t('conference.number')}<input name="number" class="num" pattern="[0-9]{3,8}" inputmode="numeric" placeholder=${t('conference.number_hint')} autocomplete="off" /></label>
		<label>${t('conference.password')}<input name="password" class="num" pattern="[0-9]{4,16}" inputmode="numeric" autocomplete="off" /></label></div>
		${incident ? html`<label class="check"><input type="checkbox" name="incident" checked />${t('conference.of_incident', { number: incident.number, place: incident.place })}</label>` : null}
		<label class="check"><input type="checkbox" name="drill" checked=${Boolean(incident?.drill)} />${t('conference.drill')}</label></${Form}></${Dialog}>`;
}

/** Texts over the program: a line at the bottom, and the frame of an alarm. */
export function Banner() {
	const v = conf.program.value;
	const run = async (/** @type {FormData} */ data) => {
		conf.look({ banner: String(data.get('banner')).trim(), alarm: String(data.get('alarm')).trim(), crawl: String(data.get('crawl')).trim() });
		close();
	};
	return html`<${Dialog} title=${t('look.banner')} close=${close}><${Form} run=${run} submit=${t('save')}>
		<label>${t('look.banner_text')}<input name="banner" maxlength="100" autofocus autocomplete="off" value=${v?.banner ?? ''} /></label>
		<label>${t('look.crawl_text')}<input name="crawl" maxlength="100" autocomplete="off" value=${v?.crawl ?? ''} /></label>
		<label>${t('look.alarm_text')}<input name="alarm" maxlength="100" autocomplete="off" value=${v?.alarm ?? ''} /></label></${Form}></${Dialog}>`;
}

/** SIP accounts of rooms and soft phones; the password is shown once. */
export function Endpoints() {
	const [list, setList] = useState(/** @type {Ortoo.Endpoint[]} */ ([]));
	const [made, setMade] = useState(/** @type {{ user: string, password?: string } | null} */ (null));
	const ask = (/** @type {string} */ method, /** @type {object} */ params = {}) => store.attempt(store.client.call(method, params));
	const load = () => void store.client.call('endpoint.list').then((r) => setList(r.endpoints ?? [])).catch(() => {});
	useEffect(load, []);
	const run = async (/** @type {FormData} */ data) => {
		const rows = ['user', 'name', 'site', 'password'].map((f) => [f, String(data.get(f) ?? '').trim()]).filter(([, value]) => value);
		setMade(await store.client.call('endpoint.put', { ...Object.fromEntries(rows), md5: data.get('md5') === 'on' }));
		load();
	};
	const remove = (/** @type {Ortoo.Endpoint} */ e) => store.later(t('act.remove', { name: e.user }), () => void ask('endpoint.remove', { user: e.user }).then(load));
	const siteName = (/** @type {string | undefined} */ id) => store.directory.value.sites.find((s) => s.id === id)?.name ?? '';
	return html`<section data-endpoints><h3>${t('endpoints')}</h3><p class="dim">${t('endpoints.how')}</p>
		<table class="rows"><thead><tr><th>${t('endpoint.user')}</th><th>${t('field.name')}</th><th>${t('directory.site')}</th><th>${t('endpoint.state')}</th><th></th></tr></thead><tbody>${list.map((e) => html`<tr><td class="num">${e.user}</td><td>${e.name ?? ''}</td><td>${siteName(e.site)}</td>
			<td class=${e.registered ? '' : 'cause'}>${e.registered ? t('endpoint.registered') : cause(e.why)}</td>
			<td><button class="danger" onClick=${() => remove(e)}>${t('remove')}</button></td></tr>`)}</tbody></table>
		<details class="more"><summary>${t('endpoint.add')}</summary><${Form} run=${run} submit=${t('endpoint.add')}><div class="two">
			<label>${t('endpoint.user')}<input name="user" required pattern="[A-Za-z0-9._-]{1,40}" autocomplete="off" /></label>
			<label>${t('field.name')}<input name="name" maxlength="60" autocomplete="off" /></label>
			<label>${t('directory.site')}<select name="site"><option value="">${t('endpoint.no_site')}</option>${store.directory.value.sites.map((s) => html`<option value=${s.id}>${s.name}</option>`)}</select></label>
			<label>${t('endpoint.password')}<input name="password" minlength="8" maxlength="64" autocomplete="off" /></label></div>
			<label class="check"><input type="checkbox" name="md5" />${t('endpoint.md5')}</label></${Form}></details>
		${made?.password ? html`<div class="made"><b>${t('endpoint.made', { user: made.user })}</b><p class="url" data-secret>${made.password}</p><p class="dim">${t('endpoint.once')}</p>
			<div class="acts"><button class="main" onClick=${() => void copy(made.password ?? '')}>${t('endpoint.copy')}</button></div></div>` : null}</section>`;
}

export function Trunks() {
	return html`<section data-trunks><h3>${t('trunks')}</h3><p class="dim">${t('trunks.how')}</p>
		<table class="rows"><tbody>${conf.trunks.value.map((x) => html`<tr><td>${x.name}</td><td class="num">${x.address}</td><td><${TrunkMark} x=${x} /></td><td>${x.why}</td></tr>`)}</tbody></table>
		${conf.trunks.value.length ? null : html`<p class="empty">${t('trunks.none')}</p>`}</section>`;
}
