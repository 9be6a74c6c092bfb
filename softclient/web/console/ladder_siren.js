// The siren of a call-and-acknowledge over the console: large words, two tones until somebody confirms.
import { html, useEffect, useRef } from '../lib/view.js';
import { loadTexts, t } from '../lib/i18n.js';
import { span } from '../lib/clock.js';
import { DrillChip, Glyph, tick } from '../lib/ui.js';
import { raise, settleAlarms } from './alarms.js';
import * as ladder from './ladder_store.js';
import * as store from './store.js';

await loadTexts('callack');

export function Siren() {
	void tick.value;
	const s = ladder.sounding.value;
	const key = s && `siren-${s.c.id}-${s.row.row}`;
	const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
	useEffect(() => {
		if (!s || !key) {
			return undefined;
		}
		raise({ key, level: 1, text: t('siren.alarm', { name: s.row.name }) });
		ref.current?.showModal();
		return () => settleAlarms(key);
	}, [key]);
	if (!s) {
		return null;
	}
	return html`<dialog ref=${ref} class="siren" data-siren=${s.c.id} aria-label=${t('siren')} onCancel=${(/** @type {Event} */ e) => e.preventDefault()}>
		<h2><${Glyph} shape="alarm" />${t('siren')}${s.c.drill ? html`<${DrillChip} />` : null}</h2><p class="siren-text">${s.c.text}</p>
		<p>${t('siren.for', { name: s.row.name })} · <span class="num">${span(store.client.now() - s.row.tried_ms)}</span></p>
		<button class="main siren-key" autofocus data-confirm onClick=${() => void ladder.confirm(s)}><${Glyph} shape="check" />${t('siren.confirm')}</button></dialog>`;
}
