// The daily report of the place that this room stands in: one key says that nothing happened. Hidden where none is owed.
import { html, signal } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { hms } from '../lib/clock.js';
import { Glyph } from '../lib/ui.js';
import * as state from './state.js';

const AGAIN_MS = 60000; // another day begins without anybody telling us
/** @type {import('../vendor/signals.js').Signal<(Ortoo.ZeroPlace & { due_ms: number }) | null>} */
const zero = signal(null);
const failed = signal(false);

async function load() {
	const day = await state.client.call('zero.day').catch(() => null);
	const row = day?.places[0];
	zero.value = row ? { ...row, due_ms: day.due_ms } : null;
}

async function report() {
	const done = await state.client.call('zero.report', { nothing: true }).then(() => true, () => false);
	failed.value = !done;
	await load();
}

state.client.onUp(() => void load());
setInterval(() => state.client.state.value === 'up' && void load(), AGAIN_MS);
addEventListener('keydown', (e) => {
	if (e.key === '0' && zero.value && !zero.value.at_ms && !state.call.value && !state.siren.value) {
		e.preventDefault();
		void report();
	}
});

export function ZeroKey() {
	const z = zero.value;
	if (!z) {
		return null;
	}
	const words = z.at_ms ? t('zeroroom.done', { at: hms(z.at_ms) }) : t(z.state === 'missing' ? 'zeroroom.late' : 'zeroroom.due', { at: hms(z.due_ms) });
	return html`<p class="line-row" data-zero=${z.at_ms ? 'done' : z.state}><span class=${z.state === 'missing' ? 'trouble' : ''}><${Glyph} shape=${z.at_ms ? 'check' : z.state === 'missing' ? 'failed' : 'absent'} />${words}</span>
		${z.at_ms ? null : html`<button onClick=${() => void report()}>${t('zeroroom.nothing')} <kbd>0</kbd></button>`}${failed.value ? html`<span class="trouble" role="alert">${t('zeroroom.failed')}</span>` : null}</p>`;
}
