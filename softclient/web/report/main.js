// One incident report for paper and for files: facts first, the cause last, who signed for it, and the log's head.
import { byId, html, render, signal } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { errorText, LanguageButton } from '../lib/ui.js';

const id = decodeURIComponent(location.pathname.split('/')[2] ?? '');
/** @type {import('../vendor/signals.js').Signal<Ortoo.ReportPaper | null>} */
const paper = signal(null);
const error = signal('');

/** @param {string} text @param {string} type @param {string} name */
function save(text, type, name) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	Object.assign(document.createElement('a'), { href: url, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {Ortoo.ReportPaper} r */
async function saveCsv(r) {
	save((await rest('report.export', { incident: r.incident })).csv, 'text/csv', `reports-${r.incident}.csv`);
}

/** @param {Ortoo.Report} r */
function casualties(r) {
	return `${t('report.counts', { dead: r.dead, missing: r.missing, injured: r.injured })}${r.casualties ? ` ${r.casualties}` : ''}`;
}

/** @param {{ r: Ortoo.ReportPaper }} p */
function Page(p) {
	const { r } = p;
	return html`<main><header><div><h1>${t(`report.${r.kind}`)}${r.spoken ? t('report.by_phone') : ''}${r.kind === 'followup' ? ` ${r.nr}` : ''}</h1><p>${t('report.of', { number: r.number, kind: r.incident_kind })}</p></div>
			<nav><button onClick=${() => print()}>${t('cert.print')}</button><button onClick=${() => void saveCsv(r)}>${t('circular.csv')}</button>
				<button onClick=${() => save(JSON.stringify(r, null, 1), 'application/json', `report-${r.id}.json`)}>${t('cert.json')}</button><${LanguageButton} /></nav></header>
		${r.drill ? html`<p class="drill">${t('cert.drill')}</p>` : null}
		<dl class="facts"><dt>${t('report.level')}</dt><dd class="strong">${t(`level.${r.level}`)}</dd><dt>${t('report.given')}</dt><dd class="strong">${dateTime(r.at_ms)} · ${r.by.replace(/^u:/, '')}</dd>
			<dt>${t('report.time')}</dt><dd class="strong">${dateTime(r.time_ms)}</dd><dt>${t('report.place')}</dt><dd class="strong">${r.place || r.incident_place}</dd>
			<dt>${t('report.what')}</dt><dd>${r.what}</dd><dt>${t('report.casualties')}</dt><dd>${casualties(r)}</dd><dt>${t('report.measures')}</dt><dd>${r.measures || '-'}</dd>
			<dt>${t('report.contact')}</dt><dd>${[r.contact, r.contact_phone].filter(Boolean).join(' ') || '-'}</dd>
			${r.spoken ? html`<dt>${t('report.told')}</dt><dd>${t('report.told_line', { by: r.told_by, to: r.told_to })}</dd>` : null}</dl>
		${r.recipients.length ? html`<h2>${t('report.recipients')}</h2><table><tbody>${r.recipients.map((x) => html`<tr data-receipt=${x.receipt_ms ? 'signed' : 'open'}><td>${x.name}</td>
			<td class=${x.receipt_ms ? 'num' : 'unsigned'}>${x.receipt_ms ? t('report.signed', { by: x.receipt_by ?? '', at: dateTime(x.receipt_ms) }) : t('report.unsigned')}</td></tr>`)}</tbody></table>` : null}
		<h2 class="last">${t('report.cause')}</h2><p>${r.cause || t('report.cause_later')}</p>
		<footer><p>${t('cert.issued', { at: dateTime(r.issued_ms) })} · ${r.node}</p><p>${t('cert.head', { seq: r.log_head.seq })}</p><p class="hash">${r.log_head.hash}</p><p>${t('cert.note')}</p></footer></main>`;
}

function App() {
	return paper.value ? html`<${Page} r=${paper.value} />` : html`<main><p role="status">${error.value || t('loading')}</p>${error.value ? html`<a href="/">${t('setup.to_login')}</a>` : null}</main>`;
}

await loadTexts('report');
render(html`<${App} />`, byId('app'));
try {
	paper.value = await rest('report.paper', { id });
} catch (e) {
	error.value = errorText(e);
}
