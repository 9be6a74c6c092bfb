// The incident's certificate: what happened when, who saw it, whether thirty minutes were kept. For paper and for files.
import { byId, html, render, signal } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { dateTime, hms, precise, span } from '../lib/clock.js';
import { errorText, LanguageButton } from '../lib/ui.js';

const incident = decodeURIComponent(location.pathname.split('/')[2] ?? '');
/** @type {import('../vendor/signals.js').Signal<Ortoo.Certificate | null>} */
const certificate = signal(null);
const error = signal('');

/** A moment with its milliseconds: the order of two stamps may hang on them. @param {number} ms */
function exact(ms) {
	return `${hms(ms)}.${String(ms % 1000).padStart(3, '0')}`;
}

/** @param {{ scene: Ortoo.Certificate['scenes'][number], t0: number }} p */
function Stamps(p) {
	return html`<section><h2>${p.scene.name}</h2><table><thead><tr><th>${t('cert.step')}</th><th>${t('cert.at')}</th><th>${t('cert.elapsed')}</th>
			<th>${t('cert.by')}</th><th>${t('cert.record')}</th></tr></thead>
		<tbody>${p.scene.stamps.map((s) => html`<tr class=${s.at_ms ? '' : 'not-yet'} data-step=${s.step} data-at=${s.at_ms || 0}><td>${t(`stamp.${s.step}`)}</td>
			<td class="num">${s.at_ms ? exact(s.at_ms) : t('cert.not_yet')}</td><td class="num">${s.at_ms ? precise(s.elapsed_ms ?? s.at_ms - p.t0) : ''}</td>
			<td>${t(`by.${s.by}`)}</td><td class="hash">${s.seq ? `#${s.seq} ${s.hash?.slice(0, 12) ?? ''}` : ''}</td></tr>`)}</tbody></table></section>`;
}

function download() {
	const url = URL.createObjectURL(new Blob([JSON.stringify(certificate.value, null, 1)], { type: 'application/json' }));
	Object.assign(document.createElement('a'), { href: url, download: `certificate-${incident}.json` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** @param {{ c: Ortoo.Certificate }} p */
function Page(p) {
	const { c } = p;
	const of = c.incident;
	return html`<main><header><div><h1>${t('cert.title')}</h1><p>${t('cert.subtitle')}</p></div>
			<nav><button onClick=${() => print()}>${t('cert.print')}</button><button onClick=${download}>${t('cert.json')}</button><${LanguageButton} /></nav></header>
		${of.drill ? html`<p class="drill">${t('cert.drill')}</p>` : null}
		<dl><dt>${t('history.number')}</dt><dd>${of.number}</dd><dt>${t('incident.kind')}</dt><dd>${of.kind}</dd>
			<dt>${t('incident.level')}</dt><dd>${of.level ? t(`level.${of.level}`) : ''}</dd><dt>${t('incident.place')}</dt><dd>${of.place}</dd>
			<dt>T0</dt><dd>${dateTime(c.t0_ms)}</dd><dt>${t('cert.deadline')}</dt><dd>${dateTime(c.deadline_ms)}</dd></dl>
		<p class=${`verdict v-${c.verdict}`} data-verdict=${c.verdict}><b>${t(`verdict.${c.verdict}`)}</b>${c.met_ms ? html`<span>${t('cert.took', { span: span(c.met_ms - c.t0_ms) })}</span>` : null}</p>
		${c.scenes.map((s) => html`<${Stamps} scene=${s} t0=${c.t0_ms} />`)}
		${c.escalations.length ? html`<section><h2>${t('steps')}</h2><table><tbody>${c.escalations.map((e) => html`<tr><td>${t('minutes', { n: e.minutes })}</td><td>${t(`step.${e.state}`)}</td>
			<td class="num">${e.fired_ms ? exact(e.fired_ms) : ''}</td><td>${e.acked_by ? t('step.acked_by', { name: e.acked_by, at: hms(e.acked_ms) }) : ''}</td></tr>`)}</tbody></table></section>` : null}
		<footer><p>${t('cert.issued', { at: dateTime(c.issued_ms) })}</p>
			${c.log_head ? html`<p>${t('cert.head', { seq: c.log_head.seq })}</p><p class="hash">${c.log_head.hash}</p>` : null}<p>${t('cert.note')}</p></footer></main>`;
}

function App() {
	return certificate.value ? html`<${Page} c=${certificate.value} />`
		: html`<main><p role="status">${error.value || t('loading')}</p>${error.value ? html`<a href="/">${t('setup.to_login')}</a>` : null}</main>`;
}

await loadTexts();
render(html`<${App} />`, byId('app'));
try {
	certificate.value = await rest('incident.certificate', { id: incident });
} catch (e) {
	error.value = errorText(e);
}
