// All circulars of roll calls: found by name, site, result and time; and the figures of a month for the appraisal.
import { byId, html, render, signal } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { errorText, LanguageButton } from '../lib/ui.js';

/** @type {Ortoo.Result[]} */
const results = ['present', 'present_late', 'no_picture', 'no_sound', 'no_answer', 'unreachable', 'excused'];
const faults = ['black', 'frozen', 'looped', 'silent', 'clipped'];
/** @type {import('../vendor/signals.js').Signal<Ortoo.RollCall[] | null>} */
const found = signal(null);
/** @type {import('../vendor/signals.js').Signal<Ortoo.RollStat[] | null>} */
const stats = signal(null);
const month = signal(new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 7));
const error = signal('');

/** @param {() => Promise<void>} fn */
async function attempt(fn) {
	try {
		error.value = '';
		await fn();
	} catch (e) {
		error.value = errorText(e);
	}
}

/** Midnight of a day of this machine, or 0. @param {FormDataEntryValue | null} day @param {number} later days */
function midnight(day, later) {
	const at = day ? new Date(`${day}T00:00:00`) : null;
	at?.setDate(at.getDate() + later);
	return at?.getTime() ?? 0;
}

/** @param {FormData} f */
async function find(f) {
	const text = String(f.get('text') ?? '').trim();
	const site = String(f.get('site') ?? '').trim();
	found.value = (await rest('rollcall.search', {
		...(text ? { text } : {}), ...(site ? { site } : {}), ...(f.get('result') ? { result: f.get('result') } : {}),
		from_ms: midnight(f.get('from'), 0), to_ms: midnight(f.get('to'), 1), limit: 200,
	})).rollcalls;
}

/** First and last moment of the chosen month. */
function span() {
	const [year, m] = month.value.split('-').map(Number);
	return { from_ms: new Date(year, m - 1, 1).getTime(), to_ms: new Date(year, m, 1).getTime() };
}

async function count() {
	stats.value = (await rest('rollcall.stats', span())).rollcall_stats;
}

async function saveCsv() {
	const { csv } = await rest('rollcall.stats', { ...span(), format: 'csv' });
	const url = URL.createObjectURL(new Blob([csv], { type: 'text/csv' }));
	Object.assign(document.createElement('a'), { href: url, download: `rollcall-${month.value}.csv` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {SubmitEvent} e */
function submit(e) {
	e.preventDefault();
	void attempt(() => find(new FormData(/** @type {HTMLFormElement} */ (e.target))));
}

function Find() {
	return html`<form class="find" onSubmit=${submit}><label>${t('circulars.text')}<input name="text" maxlength="60" /></label><label>${t('circulars.site')}<input name="site" maxlength="90" /></label>
		<label>${t('circulars.result')}<select name="result"><option value="">${t('circulars.any')}</option>${results.map((r) => html`<option value=${r}>${t(`result.${r}`)}</option>`)}</select></label>
		<label>${t('circulars.from')}<input name="from" type="date" /></label><label>${t('circulars.to')}<input name="to" type="date" /></label><button>${t('circulars.find')}</button></form>
		${found.value ? html`<p role="status">${found.value.length ? t('circulars.count', { count: found.value.length }) : t('circulars.none')}</p>` : null}
		${found.value?.length ? html`<table data-found><thead><tr><th>${t('circulars.when')}</th><th>${t('circulars.text')}</th><th>${t('circulars.present')}</th><th>${t('roll.result')}</th><th>${t('circulars.state')}</th></tr></thead>
			<tbody>${found.value.map((r) => html`<tr data-circular=${r.id}><td class="num">${dateTime(r.opened_ms)}</td><td><a href=${`/circular/${r.id}`}>${r.name}</a>${r.drill ? html` <b>${t('cert.drill')}</b>` : null}</td>
				<td class="num">${r.totals.present + r.totals.present_late} / ${r.sites}</td><td>${results.filter((x) => r.totals[x]).map((x) => `${t(`result.${x}`)} ${r.totals[x]}`).join(' · ')}</td><td>${t(`roll.${r.state}`)}</td></tr>`)}</tbody></table>` : null}`;
}

function Stats() {
	const choose = (/** @type {any} */ e) => {
		month.value = e.target.value || month.value;
		void attempt(count);
	};
	return html`<h2>${t('stats')}</h2><div class="find"><label>${t('stats.month')} <input type="month" data-month value=${month.value} onChange=${choose} /></label>
			<button data-stats-csv onClick=${() => void attempt(saveCsv)}>${t('stats.csv')}</button></div>
		${stats.value?.length ? html`<table data-stats><thead><tr><th>${t('directory.site')}</th><th>${t('stats.called')}</th><th>${t('stats.share')}</th><th>${t('stats.answer')}</th><th>${t('stats.faults')}</th><th>${t('roll.result')}</th></tr></thead>
			<tbody>${stats.value.map((s) => html`<tr data-stat=${s.site}><td>${s.name}</td><td class="num">${s.called}</td><td class="num">${(s.share * 100).toFixed(1)} %</td><td class="num">${s.answer_ms ? t('circular.seconds', { n: (s.answer_ms / 1000).toFixed(1) }) : ''}</td>
				<td>${faults.filter((f) => s.faults[f]).map((f) => `${t(`figure.${f}`)} ${s.faults[f]}`).join(' · ')}</td><td>${results.filter((x) => s.totals[x]).map((x) => `${t(`result.${x}`)} ${s.totals[x]}`).join(' · ')}</td></tr>`)}</tbody></table>`
			: stats.value ? html`<p role="status">${t('stats.none')}</p>` : null}`;
}

function App() {
	return html`<main class="wide"><header><h1>${t('circulars')}</h1><nav><button onClick=${() => print()}>${t('cert.print')}</button><${LanguageButton} /></nav></header>
		${error.value ? html`<p role="alert" class="drill">${error.value}</p>` : null}<${Find} /><${Stats} /></main>`;
}

await loadTexts('rollcall');
render(html`<${App} />`, byId('app'));
void attempt(() => find(new FormData()));
void attempt(count);
