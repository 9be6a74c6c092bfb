// What opens over the console: new incident, links, help, command bar, find, alarms, history, password.
import { html, signal, useEffect, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { dateTime } from '../lib/clock.js';
import { Dialog, errorText, Glyph, LevelChip } from '../lib/ui.js';
import * as store from './store.js';
import { allowedActs } from './keys.js';
import { AlarmList } from './alarm_list.js';
import { LinkCard } from './side.js';
import { matchesText } from './pinyin.js';
import { MapView } from './map.js';
import { DirectoryView } from './directory.js';
import { Banner, NewConference } from './conference_dialogs.js';
import { NewRollCall } from './rollcall.js';
import { ControlDialog } from './control.js';

const kinds = ['fire', 'flood', 'quake', 'snow', 'traffic', 'mine', 'chemical', 'health', 'unrest', 'other'];

export function close() {
	store.dialog.value = null;
}

/** Form whose submit runs an act and shows its refusal in place. @param {{ run: (data: FormData) => Promise<unknown>, submit: string, children?: any }} p */
export function Form(p) {
	const [error, setError] = useState('');
	const [busy, setBusy] = useState(false);
	const submit = async (/** @type {any} */ e) => {
		e.preventDefault();
		setBusy(true);
		setError('');
		try {
			await p.run(new FormData(e.target));
		} catch (refusal) {
			setError(errorText(refusal));
		}
		setBusy(false);
	};
	return html`<form class="form" onSubmit=${submit}>${p.children}
		${error ? html`<p class="cause" role="alert">${error}</p>` : null}
		<div class="acts"><button class="main big" disabled=${busy}>${p.submit}</button></div></form>`;
}

function NewIncident() {
	const [place, setPlace] = useState(/** @type {[number, number] | null} */ (null));
	const [mapShown, showMap] = useState(false);
	const run = async (/** @type {FormData} */ data) => {
		await store.openIncident({
			kind: data.get('kind'), level: Number(data.get('level')), place: data.get('place'), text: data.get('text'), drill: data.get('drill') === 'on',
			...(place ? { lat: place[0], lon: place[1] } : {}),
		});
		close();
	};
	return html`<${Dialog} title=${t('incident.new')} close=${close} wide=${mapShown}><${Form} run=${run} submit=${t('incident.start')}>
		<div class="two"><label>${t('incident.kind')}<select name="kind" autofocus>${kinds.map((k) => html`<option>${t(`kind.${k}`)}</option>`)}</select></label>
		<fieldset><legend>${t('incident.level')}</legend><div class="levels">${[1, 2, 3, 4].map((n) => html`<label class="radio"><input type="radio" name="level" value=${n} checked=${n === 3} /><${LevelChip} level=${n} /></label>`)}</div></fieldset></div>
		<label>${t('incident.place')}<input name="place" required maxlength="200" autocomplete="off" /></label>
		<div class="place-line"><button type="button" aria-pressed=${mapShown} onClick=${() => showMap(!mapShown)}><${Glyph} shape="place" />${t('incident.on_map')}</button>
			<span class="dim num">${place ? `${place[0].toFixed(5)}, ${place[1].toFixed(5)}` : t('incident.no_position')}</span></div>
		${mapShown ? html`<${MapView} pick=${(/** @type {number} */ lat, /** @type {number} */ lon) => setPlace([lat, lon])} />` : null}
		<label>${t('incident.text')}<textarea name="text" rows="3" maxlength="2000"></textarea></label>
		<label class="check"><input type="checkbox" name="drill" />${t('incident.drill')}</label></${Form}></${Dialog}>`;
}

function GuestLink() {
	const run = async (/** @type {FormData} */ data) => {
		const phone = String(data.get('phone') ?? '').trim();
		const channel = data.get('channel') === 'on' ? 'webhook' : 'copy';
		const link = await store.issueLink({ guest_name: String(data.get('name')), channel, ...(phone ? { phone } : {}) });
		store.tab.value = 'links';
		store.dialog.value = link ? { name: 'link', id: link.id } : null;
	};
	return html`<${Dialog} title=${t('link.guest')} close=${close}><${Form} run=${run} submit=${t('link.make')}>
		<label>${t('link.guest_name')}<input name="name" required maxlength="60" autofocus autocomplete="off" /></label>
		<label>${t('link.phone')}<input name="phone" type="tel" maxlength="20" autocomplete="off" /></label>
		<label class="check"><input type="checkbox" name="channel" />${t('link.by_webhook')}</label></${Form}></${Dialog}>`;
}

/** A line to write in and a list to choose from with the arrows. @param {{ title: string, hint: string, items: (query: string) => { text: string, side?: string, run: () => void }[] }} p */
function Chooser(p) {
	const [query, setQuery] = useState('');
	const [at, setAt] = useState(0);
	const items = p.items(query).slice(0, 12);
	const take = (/** @type {number} */ n) => {
		close();
		items[n]?.run();
	};
	const key = (/** @type {KeyboardEvent} */ e) => {
		const by = { ArrowDown: 1, ArrowUp: -1 }[e.key];
		if (by) {
			e.preventDefault();
			setAt((at + by + items.length) % Math.max(1, items.length));
		} else if (e.key === 'Enter') {
			e.preventDefault();
			take(at);
		}
	};
	return html`<${Dialog} title=${p.title} close=${close}>
		<input class="chooser-input" autofocus placeholder=${p.hint} aria-label=${p.hint} value=${query} onKeyDown=${key} onInput=${(/** @type {any} */ e) => { setQuery(e.target.value); setAt(0); }} />
		<ul class="choices">${items.map((item, n) => html`<li><button class=${n === at ? 'at' : ''} onClick=${() => take(n)}><span>${item.text}</span><span class="dim">${item.side ?? ''}</span></button></li>`)}</ul></${Dialog}>`;
}

function Command() {
	const items = (/** @type {string} */ query) => {
		const [word, ...rest] = query.replace(/^\//, '').toLowerCase().split(/\s+/);
		return allowedActs().filter((a) => a.word && (a.word.startsWith(word) || matchesText(t(a.text), word)))
			.map((a) => ({ text: t(a.text), side: `/${a.word}`, run: () => {
				if (rest.length && a.take) {
					a.take(rest);
				} else {
					a.run();
				}
			} }));
	};
	return html`<${Chooser} title=${t('command')} hint=${t('command.hint')} items=${items} />`;
}

function Find() {
	const items = (/** @type {string} */ query) => {
		const words = query.trim().toLowerCase();
		const scenes = store.scenes.value.map((s) => ({ text: s.name, side: t('find.scene'), run: () => { store.sceneId.value = s.id; } }));
		const incidents = [...store.incidents.value.values()].map((i) => ({ text: `${i.number} ${i.kind} · ${i.place}`, side: t('incident'), run: () => store.choose(i.id) }));
		const here = new Set(store.scenes.value.map((s) => s.person));
		const people = store.directory.value.people.filter((x) => !here.has(x.id)).map((x) => ({ text: `${x.name} ${x.title ?? ''}`, side: t('link.send'), run: () => void store.issueLinks([x.id]) }));
		return [...scenes, ...incidents, ...(store.mayCommand.value ? people : [])].filter((i) => !words || matchesText(i.text, words));
	};
	return html`<${Chooser} title=${t('find')} hint=${t('find.hint')} items=${items} />`;
}

/** @type {import('../vendor/signals.js').Signal<Ortoo.Incident[] | null>} */
const past = signal(null);

function History() {
	useEffect(() => {
		past.value = null;
		void store.attempt(store.client.call('incident.list', { open_only: false, limit: 100 })).then((r) => (past.value = r?.incidents ?? []));
	}, []);
	const show = (/** @type {Ortoo.Incident} */ i) => {
		store.incidents.value = new Map(store.incidents.value).set(i.id, i);
		store.choose(i.id);
		close();
	};
	return html`<${Dialog} title=${t('history')} close=${close} wide>${past.value ? html`<table class="rows"><thead><tr>
		<th>${t('history.number')}</th><th>${t('incident.level')}</th><th>${t('incident.kind')}</th><th>${t('incident.place')}</th><th>T0</th><th>${t('history.verdict')}</th><th></th></tr></thead>
		<tbody>${past.value.map((i) => html`<tr><td>${i.number}</td><td><${LevelChip} level=${i.level} /></td><td>${i.kind}</td><td>${i.place}</td><td class="num">${dateTime(i.t0_ms)}</td>
			<td>${t(`verdict.${i.verdict}`)}</td><td><button onClick=${() => show(i)}>${t('show')}</button> <a class="button" target="_blank" rel="noopener" href=${`/certificate/${encodeURIComponent(i.id)}`}>${t('certificate')}</a></td></tr>`)}</tbody></table>` : html`<p class="empty">${t('loading')}</p>`}</${Dialog}>`;
}

function Password() {
	const run = async (/** @type {FormData} */ data) => {
		await store.client.call('account.password', { old: data.get('old'), new: data.get('new') });
		store.say(t('password.changed'));
		close();
	};
	return html`<${Dialog} title=${t('password.change')} close=${close}><${Form} run=${run} submit=${t('save')}>
		<label>${t('password.old')}<input name="old" type="password" required autocomplete="current-password" autofocus /></label>
		<label>${t('password.new')}<input name="new" type="password" required minlength="10" autocomplete="new-password" /></label></${Form}></${Dialog}>`;
}

/** A part that is fetched when it is first shown. @param {{ from: () => Promise<any>, name: string }} p */
function Late(p) {
	const [part, setPart] = useState(/** @type {any} */ (null));
	useEffect(() => void p.from().then((m) => setPart(() => m[p.name])), [p.name]);
	return part ? html`<${part} />` : html`<p class="dim">${t('loading')}</p>`;
}

const late = {
	help: () => import('./help.js'), admin: () => import('./admin.js'), access: () => import('./admin_access.js'), audit: () => import('./audit.js'), factor: () => import('./factor.js'), schedules: () => import('./rollcall_schedules.js'),
};

/** A dialog whose module comes with it. @param {{ load: () => Promise<any> }} p */
function Lazy(p) {
	const [Body, setBody] = useState(/** @type {any} */ (null));
	useEffect(() => void p.load().then((/** @type {any} */ x) => setBody(() => x)), []);
	return Body ? html`<${Body} />` : null;
}

export function Dialogs() {
	const shown = store.dialog.value;
	switch (shown?.name) {
	case 'incident':
		return html`<${NewIncident} />`;
	case 'conference':
		return html`<${NewConference} />`;
	case 'rollcall':
		return html`<${NewRollCall} />`;
	case 'poll':
	case 'split':
	case 'voice':
		return html`<${ControlDialog} name=${shown.name} />`;
	case 'banner':
		return html`<${Banner} />`;
	case 'guest':
		return html`<${GuestLink} />`;
	case 'link':
		return html`<${Dialog} title=${t('link.title')} close=${close} wide><${LinkCard} id=${shown.id} /></${Dialog}>`;
	case 'help':
		return html`<${Late} from=${late.help} name="Help" />`;
	case 'command':
		return html`<${Command} />`;
	case 'find':
		return html`<${Find} />`;
	case 'alarms':
		return html`<${AlarmList} />`;
	case 'history':
		return html`<${History} />`;
	case 'password':
		return html`<${Password} />`;
	case 'audit':
		return html`<${Dialog} title=${t('audit')} close=${close} wide><${Late} from=${late.audit} name="Audit" /></${Dialog}>`;
	case 'admin':
		return html`<${Dialog} title=${t('admin')} close=${close} wide><${Late} from=${late.admin} name="Admin" /></${Dialog}>`;
	case 'approvals':
		return html`<${Dialog} title=${t('eyes')} close=${close} wide><${Late} from=${late.access} name="Approvals" /></${Dialog}>`;
	case 'schedules':
		return html`<${Dialog} title=${t('schedule')} close=${close} wide><${Late} from=${late.schedules} name="Schedules" /></${Dialog}>`;
	case 'factor':
		return html`<${Late} from=${late.factor} name="Factor" />`;
	case 'directory':
		return html`<${Dialog} title=${t('directory')} close=${close} wide><${DirectoryView} /></${Dialog}>`;
	case 'ready':
		return html`<${Lazy} load=${() => import('./ready.js').then((m) => m.ReadyList)} />`;
	default:
		return null;
	}
}
