// After-action sheet of a drill (or of the real thing): each step's time against its target, from the records, for paper and files.
import { byId, html, render, signal } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { dateTime, hms, span } from '../lib/clock.js';
import { errorText, Glyph, LanguageButton } from '../lib/ui.js';

const id = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const S = 1000, MIN = 60 * S;
/** What each step may take; orders O5, O10, O6. */
const targets = { link_issued: 2 * MIN, link_opened: 5 * MIN, camera_granted: 6 * MIN, first_drawn: 30 * MIN, two_way: 30 * MIN, first_ack: 90 * S, all_acked: 5 * MIN, answer: 20 * S };
/** @typedef {{ what: string, who: string, from_ms: number, at_ms: number, target_ms: number }} Step */
/** @type {import('../vendor/signals.js').Signal<{ name: string, drill: boolean, opened_ms: number, closed_ms: number, steps: Step[] } | null>} */
const sheet = signal(null);
const error = signal('');

/** @param {Ortoo.Certificate} c @returns {Step[]} */
function sceneSteps(c) {
	const stamps = /** @type {const} */ (['link_issued', 'link_opened', 'camera_granted', 'first_drawn', 'two_way']);
	return c.scenes.flatMap((s) => stamps.map((what) => ({
		what, who: s.name, from_ms: c.t0_ms, at_ms: s.stamps.find((x) => x.step === what)?.at_ms ?? 0, target_ms: targets[what],
	})));
}

/** @param {Ortoo.CallAck} c @returns {Step[]} */
function ackSteps(c) {
	const times = c.rows.map((r) => r.acked_ms).filter(Boolean);
	const posts = [...new Set(c.rows.map((r) => r.post))];
	const each = posts.map((post) => ({
		what: 'ack', who: post, from_ms: c.opened_ms, at_ms: Math.max(0, ...c.rows.filter((r) => r.post === post).map((r) => r.acked_ms)), target_ms: targets.all_acked,
	}));
	return [{ what: 'first_ack', who: c.text.slice(0, 40), from_ms: c.opened_ms, at_ms: times.length ? Math.min(...times) : 0, target_ms: targets.first_ack },
		{ what: 'all_acked', who: c.text.slice(0, 40), from_ms: c.opened_ms, at_ms: c.acked === c.posts ? Math.max(0, ...times) : 0, target_ms: targets.all_acked }, ...each];
}

/** @param {Ortoo.RollCall} r @returns {Step[]} */
function rollSteps(r) {
	return (r.entries ?? []).filter((e) => e.result !== 'excused').map((e) => ({ what: 'answer', who: e.name, from_ms: e.called_ms, at_ms: e.answered_ms, target_ms: targets.answer }));
}

/** Of an incident, or of a conference that belongs to none. */
async function load() {
	try {
		const { conferences } = await rest('conference.list', { limit: 500 });
		const mine = conferences.filter((/** @type {Ortoo.Conference} */ c) => c.id === id || c.incident === id);
		const conferences_of = new Set(mine.map((/** @type {Ortoo.Conference} */ c) => c.id));
		const certificate = await rest('incident.certificate', { id }).catch(() => null);
		const { callacks } = await rest('callack.list', { limit: 200 });
		const { rollcalls } = await rest('rollcall.list', { limit: 200 });
		const rolls = await Promise.all(rollcalls.filter((/** @type {Ortoo.RollCall} */ r) => conferences_of.has(r.conference)).map((/** @type {Ortoo.RollCall} */ r) => rest('rollcall.get', { id: r.id })));
		const facts = certificate?.incident ?? mine[0];
		if (!facts) {
			throw new Error(t('sheet.none'));
		}
		sheet.value = {
			name: certificate ? [facts.kind, facts.place].join(' ') : facts.name, drill: Boolean(facts.drill), opened_ms: facts.opened_ms, closed_ms: facts.closed_ms,
			steps: [...(certificate ? sceneSteps(certificate) : []), ...callacks.filter((/** @type {Ortoo.CallAck} */ c) => conferences_of.has(c.conference)).flatMap(ackSteps), ...rolls.flatMap(rollSteps)],
		};
	} catch (e) {
		error.value = errorText(e);
	}
}

/** @param {Step} s @returns {'met' | 'late' | 'missing'} */
function verdict(s) {
	return !s.at_ms ? 'missing' : s.at_ms - s.from_ms <= s.target_ms ? 'met' : 'late';
}

function saveCsv() {
	const s = sheet.value;
	const cell = (/** @type {string | number} */ x) => `"${String(x).replace(/^([=+@-])/, "'$1").replace(/"/g, '""')}"`;
	const rows = [['sheet.step', 'sheet.who', 'sheet.from', 'sheet.at', 'sheet.took', 'sheet.target', 'sheet.verdict'].map((k) => t(k)),
		...(s?.steps ?? []).map((x) => [t(`sheet.${x.what}`), x.who, x.from_ms ? dateTime(x.from_ms) : '', x.at_ms ? dateTime(x.at_ms) : '', x.at_ms ? Math.round((x.at_ms - x.from_ms) / S) : '', x.target_ms / S, t(`sheet.${verdict(x)}`)])];
	const url = URL.createObjectURL(new Blob(['\ufeff', rows.map((r) => r.map(cell).join(',')).join('\r\n')], { type: 'text/csv' }));
	Object.assign(document.createElement('a'), { href: url, download: `after-action-${id}.csv` }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function Sheet() {
	const s = sheet.value;
	if (!s) {
		return html`<main><p>${error.value || t('loading')}</p></main>`;
	}
	const met = s.steps.filter((x) => verdict(x) === 'met').length;
	return html`<main class="sheet"><nav><button onClick=${() => print()}>${t('cert.print')}</button><button data-csv onClick=${saveCsv}>CSV</button><${LanguageButton} /></nav>
		<h1>${s.drill ? html`<span class="drill" data-drill>${t('drill')}</span> ` : null}${t('sheet.title')}</h1><p>${s.name}</p>
		<p class="num">${dateTime(s.opened_ms)}${s.closed_ms ? ` - ${dateTime(s.closed_ms)} (${span(s.closed_ms - s.opened_ms)})` : ''} · ${t('sheet.count', { met, all: s.steps.length })}</p>
		<table><thead><tr><th>${t('sheet.step')}</th><th>${t('sheet.who')}</th><th>${t('sheet.from')}</th><th>${t('sheet.at')}</th><th>${t('sheet.took')}</th><th>${t('sheet.target')}</th><th>${t('sheet.verdict')}</th></tr></thead>
		<tbody>${s.steps.map((x) => html`<tr data-step=${x.what} data-verdict=${verdict(x)}><td>${t(`sheet.${x.what}`)}</td><td>${x.who}</td><td class="num">${x.from_ms ? hms(x.from_ms) : ''}</td><td class="num">${x.at_ms ? hms(x.at_ms) : ''}</td>
			<td class="num">${x.at_ms ? span(x.at_ms - x.from_ms) : ''}</td><td class="num">${span(x.target_ms)}</td><td><${Glyph} shape=${verdict(x) === 'met' ? 'check' : verdict(x) === 'late' ? 'degraded' : 'cross'} />${t(`sheet.${verdict(x)}`)}</td></tr>`)}</tbody></table></main>`;
}

await loadTexts('drill');
render(html`<${Sheet} />`, byId('app'));
void load();
