// The circular of a roll call: who answered when, what was seen and heard, what was said of it. For paper and for files.
import { byId, html, render, signal } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { cause, loadTexts, t } from '../lib/i18n.js';
import { dateTime, hms } from '../lib/clock.js';
import { errorText, LanguageButton } from '../lib/ui.js';

const id = decodeURIComponent(location.pathname.split('/')[2] ?? '');
/** @type {Ortoo.Result[]} */
const results = ['present', 'present_late', 'no_picture', 'no_sound', 'no_answer', 'unreachable', 'excused', 'not_called'];
/** @type {import('../vendor/signals.js').Signal<Ortoo.Circular | null>} */
const circular = signal(null);
const error = signal('');

/** @param {string} text @param {string} type @param {string} ending */
function save(text, type, ending) {
	const url = URL.createObjectURL(new Blob([text], { type }));
	Object.assign(document.createElement('a'), { href: url, download: `circular-${id}.${ending}` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function saveCsv() {
	save((await rest('rollcall.circular', { id, format: 'csv' })).csv, 'text/csv', 'csv');
}

/** @param {Ortoo.RollFigures | null} f */
function figures(f) {
	const faults = f ? ['black', 'frozen', 'looped', 'silent', 'clipped'].filter((x) => f[/** @type {'black'} */ (x)]).map((x) => t(`figure.${x}`)) : [];
	return f ? [...faults, `${Math.round(f.bitrate_bps / 1000)} kb/s`, t('loss_short', { percent: Math.round(f.loss * 100) })].join(' · ') : '';
}

/** A still opens large; a clip plays where it stands. What the quota took away leaves its hash in the log. @param {{ e: Ortoo.RollEntry }} p */
function Evidence(p) {
	const at = (/** @type {Ortoo.Evidence} */ x) => `/rollcall/${encodeURIComponent(id)}/${encodeURIComponent(x.file)}`;
	const { still, clip } = p.e;
	return html`${still ? html`<a href=${at(still)} target="_blank" rel="noopener"><img src=${at(still)} alt=${`${t('circular.still')} ${p.e.name}`} title=${still.sha256} loading="lazy" onError=${(/** @type {any} */ e) => e.target.replaceWith(t('circular.gone'))} /></a>` : null}
		${clip ? html`<audio controls preload="none" src=${at(clip)} title=${clip.sha256} aria-label=${t('circular.clip', { name: p.e.name })}></audio>` : null}`;
}

/** @param {Ortoo.RollEntry} e */
function past(e) {
	return e.last ? t('circular.past', { result: t(`result.${e.last.result}`), misses: e.last.misses, of: e.last.of }) : t('circular.first');
}

/** @param {{ e: Ortoo.RollEntry, n: number }} p */
function Row(p) {
	const { e } = p;
	const took = e.figures?.answer_ms ? t('circular.seconds', { n: (e.figures.answer_ms / 1000).toFixed(1) }) : '';
	return html`<tr data-site=${e.site} data-result=${e.result}><td class="num">${p.n + 1}</td><td>${e.name}</td><td class=${`said r-${e.result}`}>${t(`result.${e.result}`)}</td>
		<td class="num">${e.called_ms ? hms(e.called_ms) : ''}</td><td class="num">${took}</td><td class="num">${e.shown_ms ? hms(e.shown_ms) : ''}</td>
		<td class="num">${figures(e.figures)}${e.code ? html`<div>${t('circular.code')} ${e.code.digits} ${t(`code_state.${e.code.state}`)}</div>` : null}</td><td><${Evidence} e=${e} /></td><td>${past(e)}</td><td>${cause(e.why)}</td><td>${e.by === 'clock' ? t('circular.measured') : (e.by ?? '').replace(/^u:/, '')}</td></tr>`;
}

/** @param {{ c: Ortoo.Circular }} p */
function Page(p) {
	const { c } = p;
	const here = c.totals.present + c.totals.present_late;
	return html`<main class="wide"><header><div><h1>${t('circular.title')}</h1><p>${c.name}</p></div>
			<nav><button onClick=${() => print()}>${t('cert.print')}</button><button onClick=${() => void saveCsv()}>${t('circular.csv')}</button><a class="button" data-pdf href=${`/rollcall/${encodeURIComponent(id)}/circular.pdf`} download=${`circular-${id}.pdf`}>${t('circular.pdf')}</a>
				<button onClick=${() => save(JSON.stringify(c, null, 1), 'application/json', 'json')}>${t('cert.json')}</button><${LanguageButton} /></nav></header>
		${c.drill ? html`<p class="drill">${t('cert.drill')}</p>` : null}
		<dl><dt>${t('circular.started')}</dt><dd>${c.started_ms ? dateTime(c.started_ms) : '-'}</dd><dt>${t('circular.ended')}</dt><dd>${c.closed_ms ? dateTime(c.closed_ms) : t('circular.running')}</dd>
			<dt>${t('circular.how')}</dt><dd>${c.dwell_ms ? t('circular.by_clock') : t('circular.by_hand')}</dd><dt>${t('circular.node')}</dt><dd>${c.node}</dd></dl>
		<p class="verdict" data-here=${here}><b>${t('circular.here', { here, all: c.sites })}</b><span>${results.filter((r) => c.totals[r]).map((r) => `${t(`result.${r}`)} ${c.totals[r]}`).join(' · ')}</span></p>
		<table><thead><tr><th></th><th>${t('directory.site')}</th><th>${t('roll.result')}</th><th>${t('circular.called')}</th><th>${t('circular.took')}</th><th>${t('circular.shown')}</th>
			<th>${t('roll.measured')}</th><th>${t('circular.still')}</th><th>${t('circular.last')}</th><th>${t('circular.why')}</th><th>${t('circular.by')}</th></tr></thead><tbody>${(c.entries ?? []).map((e, n) => html`<${Row} e=${e} n=${n} />`)}</tbody></table>
		<footer><p>${t('cert.issued', { at: dateTime(c.issued_ms) })}</p><p>${t('cert.head', { seq: c.log_head.seq })}</p><p class="hash">${c.log_head.hash}</p><p>${t('cert.note')}</p></footer></main>`;
}

function App() {
	return circular.value ? html`<${Page} c=${circular.value} />`
		: html`<main><p role="status">${error.value || t('loading')}</p>${error.value ? html`<a href="/">${t('setup.to_login')}</a>` : null}</main>`;
}

await loadTexts('rollcall');
render(html`<${App} />`, byId('app'));
try {
	circular.value = (await rest('rollcall.circular', { id })).circular;
} catch (e) {
	error.value = errorText(e);
}
