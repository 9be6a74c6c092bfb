// Call-and-acknowledge (right side of the conference screen): who is called, and the closed loop: who knows what since when.
import { html, useState } from '../lib/view.js';
import { cause, loadTexts, t } from '../lib/i18n.js';
import { hms, span } from '../lib/clock.js';
import { DrillChip, Glyph, tick } from '../lib/ui.js';
import { Qr } from '../lib/qr.js';
import { Form } from './dialogs.js';
import * as store from './store.js';
import * as conf from './conference_store.js';
import * as ladder from './ladder_store.js';

await loadTexts('callack');

/** @type {Record<Ortoo.CallAckState, import('../lib/ui.js').Shape>} */
const shapes = { waiting: 'absent', sent: 'calling', delivered: 'calling', ringing: 'calling', answered: 'degraded', acked: 'check', failed: 'failed', cancelled: 'held' };
/** @type {Record<Ortoo.CallAckState, string>} */
const tones = { waiting: 'absent', sent: 'calling', delivered: 'calling', ringing: 'ringing', answered: 'degraded', acked: 'present', failed: 'failed', cancelled: 'absent' };

/** Shape, word and colour. @param {{ state: Ortoo.CallAckState, why?: string | null }} p */
function Mark(p) {
	return html`<span class=${`state s-${tones[p.state]}`} data-ack=${p.state} title=${cause(p.why)}><${Glyph} shape=${shapes[p.state]} />${t(`ack.${p.state}`)}</span>`;
}

/** @param {{ c: Ortoo.CallAck, r: Ortoo.CallAckRow }} p */
function Row(p) {
	const { c, r } = p;
	const [url, setUrl] = useState('');
	const open = c.state !== 'closed';
	const show = () => void store.attempt(store.client.call('callack.link', { callack: c.id, row: r.row })).then((x) => x && setUrl(x.url));
	const at = r.acked_ms || r.tried_ms;
	return html`<li class="ladder-row" data-row=${r.row} data-state=${r.state}><div class="ladder-head"><b>${r.name}</b>${r.post !== r.name ? html`<span class="dim">${r.post}</span>` : null}<span class="spring"></span><${Mark} state=${r.state} /></div>
		<div class="dim num">${at ? hms(at) : ''}${r.acked_ms ? ` · ${t('ack.after', { span: span(r.acked_ms - r.tried_ms), channel: t(`channel.${r.channel}`) })}` : r.tried_ms && open ? ` · ${span(store.client.now() - r.tried_ms)}` : ''}
			${r.party ? html` · ${t(r.party_state === 'present' ? 'ack.in_conference' : 'ack.not_in_conference')}` : null}</div>
		<ul class="ladder-ways">${r.ways.map((w) => html`<li data-channel=${w.channel}><span>${t(`channel.${w.channel}`)}</span> <span class="dim break">${w.to === 'console' ? t('channel.console') : w.to}</span><span class="spring"></span>
			<${Mark} state=${w.state} why=${w.why} />${w.why ? html`<span class="cause">${cause(w.why)}</span>` : null}</li>`)}</ul>
		${open && !r.acked_ms && store.mayCommand.value ? html`<button class="small" onClick=${show}>${t('ack.link')}</button>` : null}
		${url && !r.acked_ms ? html`<div class="link-card"><${Qr} text=${url} label=${t('ack.link')} /><p class="url" data-url>${url}</p></div>` : null}</li>`;
}

/** @param {{ c: Ortoo.CallAck }} p */
function Loop(p) {
	void tick.value;
	const { c } = p;
	const end = () => void store.attempt(store.client.call('callack.close', { id: c.id }));
	return html`<section class="ladder" data-callack=${c.id} data-state=${c.state}><h3>${t(`ack.is_${c.state}`)}${c.drill ? html`<${DrillChip} />` : null}<span class="spring"></span><span class="num">${t('ack.count', { acked: c.acked, posts: c.posts })}</span></h3>
		<progress max=${c.posts} value=${c.acked} aria-label=${t('ack.count', { acked: c.acked, posts: c.posts })}></progress>
		<p>${c.text}</p><p class="dim num">${hms(c.opened_ms)} · ${c.number}${c.spent ? html` · <span class="cause">${t('ack.spent', { count: c.spent })}</span>` : null}</p>
		<ul>${c.rows.map((r) => html`<${Row} key=${r.row} c=${c} r=${r} />`)}</ul>
		${c.state !== 'closed' && store.mayCommand.value ? html`<button class="danger" onClick=${end}>${t('ack.close')}</button>` : null}</section>`;
}

function NewOne() {
	const [filter, setFilter] = useState('');
	const [picked, setPicked] = useState(/** @type {string[]} */ ([]));
	const { sites, people } = store.directory.value;
	const rows = [{ id: 'console', name: t('channel.console'), what: { name: t('channel.console'), ways: [{ channel: 'page', to: 'console' }] } },
		...sites.map((s) => ({ id: `s/${s.id}`, name: s.name, what: { site: s.id } })),
		...people.map((p) => ({ id: `p/${p.id}`, name: [p.name, p.title].filter(Boolean).join(' '), what: { person: p.id } }))];
	const toggle = (/** @type {string} */ id) => setPicked(picked.includes(id) ? picked.filter((x) => x !== id) : [...picked, id]);
	const run = async (/** @type {FormData} */ data) => {
		const steps = data.get('mode') === 'steps';
		const wait_ms = Number(data.get('wait')) * 1000;
		const chosen = picked.map((id) => rows.find((r) => r.id === id)?.what).map((what) => ({ ...what, wait_ms, ...(steps ? { post: t('ack.one_post') } : {}) }));
		await store.client.call('callack.open', {
			text: String(data.get('text')), rows: chosen, ...(conf.mayAct.value && conf.conference.value ? { conference: conf.conference.value.id } : { drill: data.get('drill') === 'on' }),
		});
		setPicked([]);
	};
	return html`<details class="more" data-new-callack open=${ladder.list.value.length === 0}><summary>${t('ack.new')}</summary><${Form} run=${run} submit=${t('ack.call')}>
		<label>${t('ack.text')}<textarea name="text" rows="2" required maxlength="500"></textarea></label>
		<label>${t('ack.who')}<input type="search" value=${filter} onInput=${(/** @type {any} */ e) => setFilter(e.target.value)} /></label>
		<ul class="ladder-pick">${rows.filter((r) => r.name.toLowerCase().includes(filter.toLowerCase())).slice(0, 200).map((r) => html`<li key=${r.id}><label class="check">
			<input type="checkbox" data-who=${r.id} checked=${picked.includes(r.id)} onChange=${() => toggle(r.id)} />${r.name}${picked.includes(r.id) ? html`<span class="spring"></span><span class="num dim">${picked.indexOf(r.id) + 1}</span>` : null}</label></li>`)}</ul>
		<label class="radio"><input type="radio" name="mode" value="all" checked />${t('ack.all')}</label><label class="radio"><input type="radio" name="mode" value="steps" />${t('ack.steps')}</label>
		<label>${t('ack.wait')}<input name="wait" type="number" min="5" max="3600" value="30" /></label>
		${conf.mayAct.value && conf.conference.value ? null : html`<label class="check"><input type="checkbox" name="drill" />${t('drill')}</label>`}</${Form}></details>`;
}

export function LadderTab() {
	return html`${store.mayCommand.value ? html`<${NewOne} />` : null}${ladder.list.value.slice(0, 10).map((c) => html`<${Loop} key=${c.id} c=${c} />`)}
		${ladder.list.value.length ? null : html`<p class="empty">${t('ack.none')}</p>`}`;
}
