// First administrator: a one-time token in the address, a name and a password of one's own. There is no default password.
import { byId, html, render, useEffect, useState } from '../lib/view.js';
import { rest } from '../lib/api.js';
import { loadTexts, t } from '../lib/i18n.js';
import { errorText, LanguageButton } from '../lib/ui.js';

const MIN_PASSWORD = 10;
const token = decodeURIComponent(location.hash.slice(1));

function Setup() {
	const [needed, setNeeded] = useState(true);
	const [error, setError] = useState('');
	const [busy, setBusy] = useState(false);
	useEffect(() => void rest('setup.state').then((r) => setNeeded(r.needed)).catch((e) => setError(errorText(e))), []);
	const submit = async (/** @type {any} */ e) => {
		e.preventDefault();
		const data = new FormData(e.target);
		if (data.get('password') !== data.get('again')) {
			setError(t('setup.differ'));
			return;
		}
		setBusy(true);
		setError('');
		try {
			await rest('setup.complete', { token, name: data.get('name'), password: data.get('password') });
			location.replace('/');
		} catch (refusal) {
			setError(errorText(refusal));
			setBusy(false);
		}
	};
	if (!needed) {
		return html`<main class="gate"><div class="form"><h1>Ortoo</h1><p>${t('setup.done')}</p><a class="button" href="/">${t('setup.to_login')}</a></div></main>`;
	}
	return html`<main class="gate"><form class="form" onSubmit=${submit}><h1>Ortoo</h1><p>${t('setup.title')}</p>
		${token ? null : html`<p class="cause" role="alert">${t('setup.no_token')}</p>`}
		<label>${t('account.name')}<input name="name" required autofocus maxlength="40" autocomplete="username" /></label>
		<label>${t('password.new')}<input name="password" type="password" required minlength=${MIN_PASSWORD} maxlength="256" autocomplete="new-password" /></label>
		<label>${t('setup.again')}<input name="again" type="password" required maxlength="256" autocomplete="new-password" /></label>
		${error ? html`<p class="cause" role="alert">${error}</p>` : null}
		<button class="main big" disabled=${busy || !token}>${t('setup.create')}</button><${LanguageButton} /></form></main>`;
}

await loadTexts();
render(html`<${Setup} />`, byId('app'));
