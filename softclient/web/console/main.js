// Dispatcher's console: log in, then one screen for everything.
import { byId, html, render, useEffect, useState } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { hms, zone } from '../lib/clock.js';
import { errorText, Glyph, LanguageButton } from '../lib/ui.js';
import * as store from './store.js';
import { installKeys } from './keys.js';
import { Strip } from './strip.js';
import { Tree } from './tree.js';
import { Centre } from './centre.js';
import { Side } from './side.js';
import { Dialogs } from './dialogs.js';
import { ConferenceScreen } from './conference.js';
import * as conf from './conference_store.js';
import * as roll from './rollcall_store.js';
import * as duty from './duty_store.js';
import * as ladder from './ladder_store.js';
import * as eyes from './eyes.js';
import * as ctl from './control_store.js';

function Login() {
	const [error, setError] = useState('');
	const [busy, setBusy] = useState(false);
	const [second, setSecond] = useState(false);
	const submit = async (/** @type {any} */ e) => {
		e.preventDefault();
		const data = new FormData(e.target);
		const code = String(data.get('code') ?? '').trim();
		setBusy(true);
		setError('');
		try {
			await rest('auth.login', { name: data.get('name'), password: data.get('password'), ...(code ? { code } : {}) });
			location.reload();
		} catch (refusal) {
			const wants = /** @type {{ code?: string }} */ (refusal).code === 'second_factor';
			setSecond(second || wants);
			const wrong = second && /** @type {{ code?: string }} */ (refusal).code === 'credentials';
			setError(wants && !second ? '' : wrong ? t('factor.wrong') : errorText(refusal));
			setBusy(false);
		}
	};
	return html`<main class="gate"><form class="form" onSubmit=${submit}>
		<h1>Ortoo</h1><p class="dim">${t('login.title')}</p>
		<label>${t('account.name')}<input name="name" required autofocus autocomplete="username" maxlength="64" /></label>
		<label>${t('password')}<input name="password" type="password" required autocomplete="current-password" maxlength="256" /></label>
		${second ? html`<label>${t('factor.code_or')}<input key="code" name="code" required autofocus autocomplete="one-time-code" maxlength="32" ref=${(/** @type {any} */ x) => x?.focus()} /></label>` : null}
		${error ? html`<p class="cause" role="alert">${error}</p>` : null}
		<button class="main big" disabled=${busy}>${t('login')}</button><${LanguageButton} /></form></main>`;
}

function EventLine() {
	const shown = store.line.value;
	return html`<footer class=${`line ${shown?.bad ? 'bad' : ''}`} role="status">
		${shown ? html`<span class="num dim" title=${zone()}>${hms(shown.at_ms)}</span>${shown.bad ? html`<${Glyph} shape="failed" />` : null}<span class="line-text" title=${shown.text}>${shown.text}</span>
			${shown.undo ? html`<button onClick=${store.undo}>${t('undo')}<kbd>Ctrl+Z</kbd></button>` : null}` : html`<span class="dim">${t('line.ready')}</span>`}
		<span class="spring"></span>
		${store.talking.value ? html`<span class="on-air"><${Glyph} shape="mic" />${t(`talking.${store.talking.value}`, { name: store.scene.value?.name ?? '' })}</span>` : null}
		<span class="dim keys-hint"><kbd>?</kbd> ${t('help')} <kbd>/</kbd> ${t('command')} <kbd>${t('key.space')}</kbd> ${t('talk.short')}</span></footer>`;
}

/** The house wants a second factor first; fetched when needed. */
function Gate() {
	const [part, setPart] = useState(/** @type {any} */ (null));
	useEffect(() => void import('./factor.js').then((m) => setPart(() => m.FactorGate)), []);
	return part ? html`<${part} />` : null;
}

function App() {
	if (store.session.value === undefined) {
		return html`<main class="gate"><p class="dim">${t('loading')}</p></main>`;
	}
	if (store.session.value === null) {
		return html`<${Login} />`;
	}
	if (store.session.value.limited) {
		return html`<${Gate} />`;
	}
	return html`<div class="console">${ladder.ribbon.value ? html`<${ladder.ribbon.value} />` : null}<${Strip} />${store.mode.value === 'conference' ? html`<${ConferenceScreen} />` : html`<${Tree} /><${Centre} /><${Side} />`}<${EventLine} /><${Dialogs} />${ladder.overlay.value ? html`<${ladder.overlay.value} />` : null}</div>`;
}

await loadTexts('access', 'dutylog', 'control', 'rollcall');
installKeys();
store.listen();
conf.listen();
roll.listen();
duty.listen();
ladder.listen();
eyes.listen();
ctl.listen();
render(html`<${App} />`, byId('app'));
void store.start();
addEventListener('pagehide', store.flush);
addEventListener('pagehide', () => void conf.leave());
