// The directory: divisions as a tree, sites, people; one form a row, CSV in and out.
import { html, useState } from '../lib/view.js';
import { has, t } from '../lib/i18n.js';
import * as store from './store.js';
import { Form } from './dialogs.js';
import { secured } from './eyes.js';

const kinds = /** @type {const} */ (['person', 'division', 'site']);

/** @param {string} [id] */
function divisionName(id) {
	return store.directory.value.divisions.find((d) => d.id === id)?.name ?? '';
}

function DivisionOptions() {
	return store.directory.value.divisions.map((d) => html`<option value=${d.id}>${d.name}</option>`);
}

/** Fields of each kind: name, input type. @type {Record<string, [string, string][]>} */
const fields = {
	person: [['name', 'text'], ['division', 'division'], ['title', 'text'], ['phone', 'tel'], ['duty', 'checkbox']],
	division: [['name', 'text'], ['parent', 'division'], ['code', 'text']],
	site: [['name', 'text'], ['division', 'division'], ['kind', 'text'], ['address', 'text']],
};

/** One entry, new or to be corrected. Empty fields are not sent. @param {{ kind: string, item: any, done: () => void }} p */
function ItemForm(p) {
	const run = async (/** @type {FormData} */ data) => {
		const rows = fields[p.kind].map(([name, type]) => [name, type === 'checkbox' ? data.get(name) === 'on' : String(data.get(name) ?? '').trim()]);
		const item = { ...(p.item.id ? { id: p.item.id } : {}), ...Object.fromEntries(rows.filter(([, value]) => value !== '')) };
		await store.client.call('directory.put', { kind: p.kind, item });
		p.done();
	};
	return html`<${Form} run=${run} submit=${t(p.item.id ? 'save' : 'directory.add')}><div class="two">${fields[p.kind].map(([name, type]) => type === 'checkbox'
		? html`<label class="check"><input type="checkbox" name=${name} checked=${Boolean(p.item[name])} />${t(`field.${name}`)}</label>`
		: html`<label>${t(`field.${name}`)}${type === 'division' ? html`<select name=${name} value=${p.item[name] ?? (name === 'parent' ? '' : store.directory.value.divisions[0]?.id)}>${name === 'parent' ? html`<option value="">${t('directory.top')}</option>` : null}<${DivisionOptions} /></select>`
			: html`<input name=${name} type=${type} required=${name === 'name'} maxlength="120" autocomplete="off" value=${p.item[name] ?? ''} />`}</label>`)}</div></${Form}>`;
}

/** @param {{ kind: string, edit: (item: any) => void }} p */
function Table(p) {
	const dir = store.directory.value;
	const rows = /** @type {any[]} */ (p.kind === 'person' ? dir.people : p.kind === 'division' ? dir.divisions : dir.sites);
	const columns = fields[p.kind].map(([name]) => name);
	const show = (/** @type {any} */ row, /** @type {string} */ c) => (c === 'division' || c === 'parent' ? divisionName(row[c]) : c === 'duty' ? (row[c] ? t('duty') : '') : row[c] ?? '');
	const remove = (/** @type {any} */ row) => store.later(t('act.remove', { name: row.name }), () => void secured('directory.remove', { kind: p.kind, id: row.id }));
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${t('directory')}><table class="rows"><thead><tr>${columns.map((c) => html`<th>${t(`field.${c}`)}</th>`)}<th></th></tr></thead>
		<tbody>${rows.map((row) => html`<tr key=${row.id}>${columns.map((c) => html`<td>${show(row, c)}</td>`)}
			<td class="row-acts">${store.mayCommand.value ? html`<button onClick=${() => p.edit(row)}>${t('directory.edit')}</button> <button class="danger" onClick=${() => remove(row)}>${t('remove')}</button>` : null}</td></tr>`)}</tbody></table></div>`;
}

/** Chinese spreadsheets write GBK unless told otherwise. @param {ArrayBuffer} bytes */
function decode(bytes) {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
	} catch {
		return new TextDecoder('gb18030').decode(bytes);
	}
}

/** @param {string} name @param {string} csv */
function saveCsv(name, csv) {
	const url = URL.createObjectURL(new Blob(['\ufeff', csv], { type: 'text/csv' })); // the mark lets spreadsheets see UTF-8
	Object.assign(document.createElement('a'), { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** A line that cannot be read, in the operator's language. @param {{ line: number, code?: string, value?: string, why: string }} e */
function badLine(e) {
	const key = `csv.${e.code}`;
	return t('directory.bad_line', { line: e.line, why: e.code && has(key) ? t(`csv.${e.code}`, { value: e.value ?? '' }) : e.why });
}

async function download() {
	const reply = await secured('directory.export');
	if (reply) {
		saveCsv('directory.csv', reply.csv);
	}
}

/** First a dry run that says what would change, then the import. */
function Import() {
	const [csv, setCsv] = useState('');
	const [plan, setPlan] = useState(/** @type {any} */ (null));
	const send = async (/** @type {string} */ text, /** @type {boolean} */ dry_run) => {
		const reply = await store.attempt(store.client.call('directory.import', { csv: text, dry_run }, { timeout_ms: 30000 }));
		setPlan(dry_run ? reply : null);
		if (!dry_run && reply) {
			setCsv('');
			store.say(t('directory.imported', { added: reply.added, changed: reply.changed, removed: reply.removed }));
		}
	};
	const read = async (/** @type {any} */ e) => {
		const file = e.target.files[0];
		if (file) {
			const text = decode(await file.arrayBuffer());
			setCsv(text);
			await send(text, true);
			e.target.value = '';
		}
	};
	return html`<div class="acts"><label class="button">${t('directory.import')}<input class="unseen" type="file" accept=".csv,text/csv" onChange=${read} /></label>
			<button data-template onClick=${() => saveCsv(t('csv.file'), t('csv.template'))}>${t('directory.template')}</button>
			<button onClick=${() => void download()}>${t('directory.export')}</button></div>
		${plan ? html`<div class="made"><p>${t('directory.plan', { added: plan.added, changed: plan.changed, removed: plan.removed })}</p>
			${plan.errors?.length ? html`<ul class="cause">${plan.errors.slice(0, 10).map((/** @type {any} */ e) => html`<li>${badLine(e)}</li>`)}</ul>` : null}
			<button class="main" disabled=${Boolean(plan.errors?.length)} onClick=${() => void send(csv, false)}>${t('directory.do_import')}</button></div>` : null}`;
}

export function DirectoryView() {
	const [kind, setKind] = useState(/** @type {string} */ ('person'));
	const [item, setItem] = useState(/** @type {any} */ (null));
	const [round, setRound] = useState(0);
	const turn = (/** @type {string} */ k) => {
		setKind(k);
		setItem(null);
	};
	const done = () => {
		setItem(item?.id ? null : {});
		setRound(round + 1);
	};
	return html`<div class="directory"><div class="chips" role="group" aria-label=${t('directory')}>${kinds.map((k) => html`<button class="chip" aria-pressed=${kind === k} onClick=${() => turn(k)}>${t(`directory.${k}`)}</button>`)}
			<span class="spring"></span>${store.mayCommand.value ? html`<button class="main" onClick=${() => setItem({})}>${t('directory.add')}</button><${Import} />` : null}</div>
		${item ? html`<div class="made"><${ItemForm} key=${`${kind}-${item.id ?? ''}-${round}`} kind=${kind} item=${item} done=${done} /></div>` : null}
		<${Table} kind=${kind} edit=${setItem} /></div>`;
}
