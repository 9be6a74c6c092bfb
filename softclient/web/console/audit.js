// The whole log with filters, newest first, the walk along its chain, and the export: for auditors and administrators.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime, zone } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';
import * as eyes from './eyes.js';
import { actorText, recordText } from './record.js';

const PAGE = 100;
const types = ['incident.', 'escalation.', 'link.', 'scene.', 'wall.', 'conference.', 'party.', 'rollcall.', 'auth.', 'account.', 'access.', 'approval.', 'session.', 'totp.', 'directory.', 'log.', 'gateway.'];

/** Says whether the chain is whole. */
export function VerifyLog() {
	const [verdict, setVerdict] = useState(/** @type {any} */ (null));
	const verify = () => void store.attempt(store.client.call('log.verify', {}, { timeout_ms: 120000 })).then(setVerdict);
	return html`<div class="acts"><button data-verify onClick=${verify}>${t('log.verify')}</button>${verdict ? html`<p class=${verdict.ok ? 'state s-present' : 'state s-failed'}>
		<${Glyph} shape=${verdict.ok ? 'check' : 'failed'} />${t(verdict.ok ? 'log.whole' : 'log.broken', { records: verdict.records ?? 0, why: verdict.why ?? '' })}
		${verdict.ok && verdict.signatures !== undefined ? ` · ${t('log.signatures', { n: verdict.signatures })}` : ''}</p>` : null}</div>`;
}

/** The filter as the gateway wants it: local times become milliseconds, empty ones are not sent. @param {FormData} data */
function filterOf(data) {
	/** @type {Record<string, string | number>} */
	const out = {};
	for (const name of ['type', 'actor', 'text']) {
		const value = String(data.get(name) ?? '').trim();
		if (value) {
			out[name] = value;
		}
	}
	for (const name of ['from', 'to']) {
		const ms = Date.parse(String(data.get(name) ?? ''));
		if (ms) {
			out[`${name}_ms`] = ms;
		}
	}
	const [kind, id] = String(data.get('of') ?? '').split(' ');
	return id ? { ...out, [kind]: id } : out;
}

/** @param {{ set: (filter: object) => void }} p */
function Filter(p) {
	const [conferences, setConferences] = useState(/** @type {any[]} */ ([]));
	const [incidents, setIncidents] = useState(/** @type {any[]} */ ([]));
	useEffect(() => {
		void store.attempt(store.client.call('conference.list', { limit: 100 })).then((r) => setConferences(r?.conferences ?? []));
		void store.attempt(store.client.call('incident.list', { limit: 100 })).then((r) => setIncidents(r?.incidents ?? []));
	}, []);
	const submit = (/** @type {any} */ e) => {
		e.preventDefault();
		p.set(filterOf(new FormData(e.currentTarget)));
	};
	const clear = (/** @type {any} */ e) => {
		e.currentTarget.form.reset();
		p.set({});
	};
	return html`<form class="audit-filter" onSubmit=${submit}>
		<label>${t('audit.from', { zone: zone() })}<input name="from" type="datetime-local" step="1" /></label><label>${t('audit.to', { zone: zone() })}<input name="to" type="datetime-local" step="1" /></label>
		<label>${t('audit.actor')}<input name="actor" maxlength="60" autocomplete="off" /></label>
		<label>${t('audit.type')}<select name="type"><option value="">${t('filter.all')}</option>${types.map((x) => html`<option value=${x}>${t(`audit_type.${x.slice(0, -1)}`)}</option>`)}</select></label>
		<label>${t('audit.of')}<select name="of"><option value="">${t('filter.all')}</option>
			${incidents.map((i) => html`<option value=${`incident ${i.id}`}>${`${t('incident')} ${i.number} ${i.kind} · ${i.place}`}</option>`)}
			${conferences.map((c) => html`<option value=${`conference ${c.id}`}>${`${t('access_kind.conference')} ${c.number} ${c.name}`}</option>`)}</select></label>
		<label>${t('audit.text')}<input name="text" maxlength="100" autocomplete="off" /></label>
		<div class="acts"><button class="main">${t('audit.find')}</button><button type="button" onClick=${clear}>${t('audit.clear')}</button></div></form>`;
}

/** @param {string} csv */
function save(csv) {
	const url = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
	Object.assign(document.createElement('a'), { href: url, download: `log-${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}.csv` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function Audit() {
	const [filter, setFilter] = useState(/** @type {object} */ ({}));
	const [pages, setPages] = useState(/** @type {number[]} */ ([0])); // before_seq of each page up to the shown one
	const [found, setFound] = useState(/** @type {{ records: Ortoo.LogRecord[], last_seq?: number }} */ ({ records: [] }));
	const before_seq = pages[pages.length - 1];
	useEffect(() => void store.attempt(store.client.call('log.list', { ...filter, newest: true, before_seq, limit: PAGE })).then((r) => setFound(r ?? { records: [] })), [filter, before_seq]);
	const set = (/** @type {object} */ f) => {
		setFilter(f);
		setPages([0]);
	};
	const take = async () => {
		const reply = await eyes.secured('log.export', filter, { post: true });
		if (reply) {
			save(reply.csv);
			store.say(t(reply.more ? 'audit.exported_part' : 'audit.exported', { n: reply.records }));
		}
	};
	const last = found.last_seq ?? 0;
	return html`<div class="directory audit"><${VerifyLog} /><${Filter} set=${set} />
		<div class="scroll tall" tabindex="0" role="region" aria-label=${t('audit')}><table class="rows"><thead><tr><th>${t('audit.seq')}</th><th>${t('cert.at')}</th><th>${t('audit.actor')}</th>
			<th>${t('audit.what')}</th><th>${t('audit.hash')}</th></tr></thead><tbody>${found.records.map((r) => html`<tr key=${r.seq} data-type=${r.type}><td class="num">${r.seq}</td>
			<td class="num">${dateTime(r.at_ms)}</td><td>${actorText(r.actor)}</td><td title=${`${r.type} ${JSON.stringify(r.body)}`}>${recordText(r)}</td><td class="hash" title=${r.hash}>${r.hash?.slice(0, 12)}</td></tr>`)}</tbody></table>
			${found.records.length ? null : html`<p class="empty">${t('audit.none')}</p>`}</div>
		<div class="acts"><button disabled=${pages.length < 2} onClick=${() => setPages(pages.slice(0, -1))}>${t('audit.newer')}</button>
			<button disabled=${last <= 1} onClick=${() => setPages([...pages, last])}>${t('audit.older')}</button><span class="spring"></span>
			<button data-export onClick=${() => void take()}>${t('audit.export')}</button></div></div>`;
}
