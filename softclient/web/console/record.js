// A record of the log as a sentence. The log itself holds types and facts, never sentences of one language.
import { cause, has, t } from '../lib/i18n.js';
import * as store from './store.js';
import { nameOfAny } from './conference_store.js';

/** Types too frequent for the tab of an incident; they stay in the log. */
export const quiet = new Set(['scene.position', 'party.agent', 'party.unseat', 'rollcall.figures']);

/** Names that records told: links and scenes of incidents that are not loaded. @type {Map<string, string>} */
const told = new Map();

/** Name of whom a record is about: a scene, or the scene of a link. @param {any} body */
function nameOf(body) {
	if (body.name) {
		told.set(body.scene, body.name).set(body.link, body.name).set(body.party, body.name);
		return body.name;
	}
	if (body.party) {
		return nameOfAny(body.party) || (told.get(body.party) ?? body.party);
	}
	for (const incident of store.incidents.value.values()) {
		const link = incident.links.find((l) => l.id === body.link || l.scene === body.scene);
		if (link) {
			return link.name;
		}
	}
	return told.get(body.scene ?? body.link) ?? body.scene ?? body.link ?? '';
}

/** A word of the protocol in the language of the operator, or the word itself. @param {string} group @param {unknown} word */
function say(group, word) {
	const key = `${group}.${word}`;
	return word && has(key) ? t(key) : String(word ?? '');
}

/** @param {any} body */
function dutyAlarm(body) {
	return t(`dutyalarm.${body.kind}`, { n: body.n ?? 0, division: body.division ?? t('filter.all'), subject: say('reportrow', body.subject) });
}

/** @param {string | undefined} id */
function siteName(id) {
	return store.directory.value.sites.find((s) => s.id === id)?.name ?? id ?? '';
}

/** @param {string} type @param {any} body @returns {Record<string, string | number>} */
function values(type, body) {
	const about = type.startsWith('rollcall.') ? { site: siteName(body.site), result: say('result', body.result), evidence: say('evidence', body.kind), right: t(body.right ? 'right.true' : 'right.false') } : {};
	const state = type.startsWith('wall.') ? say('window', body.state) : say('state', body.state);
	return {
		alarm: type === 'duty.alarm' ? dutyAlarm(body) : '', late: '',
		...body, ...about, name: nameOf(body), state, verdict: say('verdict', body.verdict), stamp: say('stamp', body.stamp), what: type === 'conference.broadcast' ? say('broadcast', body.mode) : say('said', body.kind),
		why: body.why ? ` (${has(`ended.${body.why}`) ? say('ended', body.why) : cause(body.why)})` : '', role: say('party', body.role), mode: say('cell', body.mode), cell: Number(body.cell ?? 0) + 1, detail: body.detail ? ` (${body.detail})` : '',
		whom: (body.scenes ?? []).map((/** @type {string} */ id) => (id === '*' ? t('filter.all') : nameOf({ scene: id }))).join(', '),
	};
}

/** @param {Ortoo.LogRecord} r */
export function recordText(r) {
	const body = /** @type {any} */ (r.body ?? {});
	const off = ('on' in body && !body.on) || (r.type === 'wall.window' && !body.scene);
	const key = off && has(`log.${r.type}.off`) ? `log.${r.type}.off` : `log.${r.type}`;
	return r.text || (has(key) ? t(key, values(r.type, body)) : r.type);
}

/** @param {string} actor `u:name`, `field:<scene>`, `wall:<id>`, or a program */
export function actorText(actor) {
	const [kind, ...rest] = actor.split(':');
	const id = rest.join(':');
	if (kind === 'field') {
		return nameOf({ scene: id });
	}
	if (kind === 'wall') {
		return store.walls.value.find((w) => w.id === id)?.name ?? t('by.wall');
	}
	return kind === 'u' ? id : say('by', kind);
}
