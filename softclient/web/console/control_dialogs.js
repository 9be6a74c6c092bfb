// Dialogs of conference control, loaded when they are first opened: polling, parts of a conference, voice switching.
import { html, useState } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { Dialog } from '../lib/ui.js';
import { close, Form } from './dialogs.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import * as ctl from './control_store.js';

/** Sites with a tick before each. @param {{ picked: Set<string>, set: (s: Set<string>) => void }} p */
function Picker(p) {
	const turn = (/** @type {string} */ id) => {
		const next = new Set(p.picked);
		next.delete(id) || next.add(id);
		p.set(next);
	};
	return html`<fieldset class="picker"><legend>${t('sites')}</legend>${ctl.active.value.map((q) => html`<label class="check"><input type="checkbox" data-pick=${q.id} checked=${p.picked.has(q.id)} onChange=${() => turn(q.id)} />${q.name}</label>`)}</fieldset>`;
}

/** @param {string} method @param {object} params */
const ask = async (method, params) => conf.took(await store.client.call(method, { conference: conf.conference.value?.id, ...params }));

function Poll() {
	const [picked, setPicked] = useState(new Set(ctl.active.value.map((q) => q.id)));
	const running = ctl.poll();
	const run = async (/** @type {FormData} */ data) => {
		const viewer = String(data.get('viewer'));
		await ask('poll.start', { parties: ctl.active.value.filter((q) => picked.has(q.id)).map((q) => q.id), interval_ms: Number(data.get('seconds')) * 1000, ...(viewer ? { viewer } : {}) });
		close();
	};
	const stop = () => void ask('poll.stop', running?.more ?? {}).then(close);
	return html`<${Dialog} title=${t('poll')} close=${close}><${Form} run=${run} submit=${t('poll.start')}>
		<div class="two"><label>${t('poll.viewer')}<select name="viewer" autofocus><option value="">${t('poll.all')}</option>${ctl.active.value.map((q) => html`<option value=${q.id}>${t('poll.for', { name: q.name })}</option>`)}</select></label>
		<label>${t('poll.seconds')}<input name="seconds" type="number" min="5" max="600" value="10" required /></label></div>
		<${Picker} picked=${picked} set=${setPicked} /><p class="dim">${t('poll.how')}</p></${Form}>
		${running ? html`<div class="acts"><button class="danger" data-poll-stop onClick=${stop}>${t('poll.stop')}</button></div>` : null}</${Dialog}>`;
}

function Split() {
	const [picked, setPicked] = useState(new Set(conf.party.value ? [conf.party.value.id] : []));
	const run = async (/** @type {FormData} */ data) => {
		await ask('conference.split', { name: String(data.get('name')).trim(), parties: [...picked] });
		close();
	};
	return html`<${Dialog} title=${t('split')} close=${close}><${Form} run=${run} submit=${t('split.start')}>
		<label>${t('conference.name')}<input name="name" required maxlength="60" autofocus autocomplete="off" /></label>
		<${Picker} picked=${picked} set=${setPicked} /><p class="dim">${t('split.how')}</p></${Form}></${Dialog}>`;
}

function Voice() {
	const v = ctl.control.value?.voice;
	const run = async (/** @type {FormData} */ data) => {
		const number = (/** @type {string} */ f) => Number(data.get(f));
		await ask('conference.voice', { speak_ms: Math.round(number('speak') * 1000), hold_ms: Math.round(number('hold') * 1000), level_db: number('level') });
		close();
	};
	return html`<${Dialog} title=${t('voice')} close=${close}><${Form} run=${run} submit=${t('save')}>
		<div class="two"><label>${t('voice.speak')}<input name="speak" type="number" min="0" max="10" step="0.5" value=${(v?.speak_ms ?? 0) / 1000} autofocus /></label>
		<label>${t('voice.hold')}<input name="hold" type="number" min="0" max="60" step="0.5" value=${(v?.hold_ms ?? 1500) / 1000} /></label></div>
		<label>${t('voice.level')}<input name="level" type="number" min="-70" max="-20" step="1" value=${v?.level_db ?? -45} /></label><p class="dim">${t('voice.how')}</p></${Form}></${Dialog}>`;
}

/** @type {Record<string, any>} */
export const dialogs = { poll: Poll, split: Split, voice: Voice };
