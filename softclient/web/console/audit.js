// The whole log, page by page, and the walk along its chain: for auditors and administrators.
import { html, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as store from './store.js';
import { actorText, recordText } from './record.js';

const PAGE = 100;

/** Says whether the chain is whole. */
export function VerifyLog() {
	const [verdict, setVerdict] = useState(/** @type {any} */ (null));
	const verify = () => void store.attempt(store.client.call('log.verify', {}, { timeout_ms: 120000 })).then(setVerdict);
	return html`<div class="acts"><button onClick=${verify}>${t('log.verify')}</button>${verdict ? html`<p class=${verdict.ok ? 'state s-present' : 'state s-failed'}>
		<${Glyph} shape=${verdict.ok ? 'check' : 'failed'} />${t(verdict.ok ? 'log.whole' : 'log.broken', { records: verdict.records ?? 0, why: verdict.why ?? '' })}</p>` : null}</div>`;
}

export function Audit() {
	const [after, setAfter] = useState(0);
	const [rows, setRows] = useState(/** @type {Ortoo.LogRecord[]} */ ([]));
	useEffect(() => void store.attempt(store.client.call('log.list', { after_seq: after, limit: PAGE })).then((r) => setRows(r?.records ?? [])), [after]);
	return html`<div class="directory"><${VerifyLog} />
		<div class="scroll tall" tabindex="0" role="region" aria-label=${t('audit')}><table class="rows"><thead><tr><th>${t('audit.seq')}</th><th>${t('cert.at')}</th><th>${t('audit.actor')}</th>
			<th>${t('audit.what')}</th><th>${t('audit.hash')}</th></tr></thead><tbody>${rows.map((r) => html`<tr key=${r.seq}><td class="num">${r.seq}</td>
			<td class="num">${dateTime(r.at_ms)}</td><td>${actorText(r.actor)}</td><td title=${JSON.stringify(r.body)}>${recordText(r)}</td><td class="hash">${r.hash?.slice(0, 12)}</td></tr>`)}</tbody></table></div>
		<div class="acts"><button disabled=${!after} onClick=${() => setAfter(Math.max(0, after - PAGE))}>${t('audit.before')}</button>
			<button disabled=${rows.length < PAGE} onClick=${() => setAfter(rows.at(-1)?.seq ?? 0)}>${t('audit.after')}</button></div></div>`;
}
