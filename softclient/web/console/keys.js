// Keyboard first: one table gives the keys, their help text and the command words of the `/` bar.
import * as store from './store.js';
import { ackAlarm, unlockSound, waiting } from './alarms.js';
import { keysOf } from './remap.js';
import { switchLanguage, t } from '../lib/i18n.js';
import * as conf from './conference_store.js';
import * as roll from './rollcall_store.js';
import * as ctl from './control_store.js';
import * as ladder from './ladder_store.js';
import { turnTo } from './strip.js';

/** @typedef {{ keys: string[], word: string, text: string, run: () => void, take?: (words: string[]) => void, fixed?: boolean, command?: boolean, mode?: 'incident' | 'conference', when?: () => boolean }} Act */

/** @param {string} name */
const open = (name) => () => (store.dialog.value = { name });

/** Keys as KeyboardEvent.key with Ctrl+ and Shift+ before; `command` = only for who may command, `mode` = only on that screen, `when` = only then, before others of the same key. @type {Act[]} */
export const acts = [
	...roll.keyed.map((k) => ({ keys: [k.key], word: '', text: k.text, mode: /** @type {'conference'} */ ('conference'), run: k.run, command: true, fixed: true, when: () => roll.takesKeys.value && k.when() })),
	{ keys: ['?', 'F1'], word: 'help', text: 'key.help', run: open('help') },
	{ keys: ['F2'], word: 'new', text: 'key.new', mode: 'incident', run: open('incident'), command: true },
	{ keys: ['F6', 'Enter'], word: 'wall', text: 'key.push', mode: 'incident', run: () => void store.push(store.scene.value), take: ([n, w]) => void store.push(store.scenes.value[Number(n) - 1] ?? null, Number(w) || undefined), command: true },
	{ keys: ['1…9'], word: 'pick', text: 'key.pick', mode: 'incident', run: () => pickScene(1), take: ([n]) => pickScene(Number(n)) },
	{ keys: ['Shift+1…9'], word: 'window', text: 'key.window', mode: 'incident', run: () => void store.push(store.scene.value), take: ([n]) => void store.push(store.scene.value, Number(n)), command: true },
	{ keys: ['Space'], word: '', text: 'key.talk', mode: 'incident', run: () => {}, command: true },
	{ keys: ['Shift+Space'], word: '', text: 'key.talk_all', mode: 'incident', run: () => {}, command: true },
	{ keys: ['ArrowLeft', 'ArrowRight'], word: '', text: 'key.step', mode: 'incident', run: () => {} },
	{ keys: ['l'], word: 'links', text: 'key.links', mode: 'incident', run: () => (store.tab.value = 'links') },
	{ keys: ['n'], word: 'note', text: 'key.note', mode: 'incident', run: () => focusNote(), take: (words) => void store.note(words.join(' ')) },
	{ keys: ['h'], word: 'listen', text: 'key.listen', mode: 'incident', run: () => (store.listening.value = !store.listening.value) },
	{ keys: ['F10'], word: 'still', text: 'key.still', mode: 'incident', run: still },
	{ keys: ['m'], word: 'map', text: 'key.map', mode: 'incident', run: () => (store.mapOpen.value = !store.mapOpen.value) },
	{ keys: ['F2'], word: 'new', text: 'conference.new', mode: 'conference', run: open('conference'), command: true },
	{ keys: ['F3'], word: 'roll', text: 'key.roll', mode: 'conference', run: roll.next, command: true },
	{ keys: ['1…8'], word: 'result', text: 'key.roll_result', mode: 'conference', run: () => {}, take: ([n]) => { const r = roll.results[Number(n) - 1] ?? roll.results.find((x) => x === n); r && roll.record(r); }, command: true },
	{ keys: ['Backspace'], word: 'back', text: 'key.roll_back', mode: 'conference', run: () => roll.takesKeys.value && roll.back(), command: true },
	{ keys: ['F4'], word: 'absent', text: 'key.absent', mode: 'conference', run: () => void conf.callAbsent(), command: true },
	{ keys: ['F7', 'b'], word: 'broadcast', text: 'key.broadcast', mode: 'conference', run: () => ctl.broadcastSite(), command: true },
	{ keys: ['F8'], word: 'free', text: 'floor.free', mode: 'conference', run: ctl.freeDiscussion, command: true },
	{ keys: ['F9'], word: 'mute', text: 'mute.all', mode: 'conference', run: conf.muteAll, command: true },
	{ keys: ['1…9'], word: 'site', text: 'key.pick_site', mode: 'conference', run: () => {}, take: ([n]) => pickParty(Number(n)) },
	{ keys: ['Shift+1…9'], word: 'cell', text: 'key.cell', mode: 'conference', run: () => {}, take: ([n]) => void conf.intoCell(Number(n)), command: true },
	{ keys: ['ArrowUp', 'ArrowDown'], word: '', text: 'key.step_site', mode: 'conference', run: () => {} },
	{ keys: ['Space'], word: '', text: 'key.speak', mode: 'conference', run: () => {}, command: true },
	{ keys: ['j'], word: 'join', text: 'key.join', mode: 'conference', run: joinOrLeave, command: true },
	{ keys: ['m'], word: 'mic', text: 'key.mic', mode: 'conference', run: () => conf.openMic(!conf.micOpen.value) },
	{ keys: ['x'], word: 'mutesite', text: 'key.mute_site', mode: 'conference', run: () => conf.party.value && conf.muteMic(conf.party.value), command: true },
	{ keys: ['k'], word: 'content', text: 'key.content', mode: 'conference', run: conf.contentKey, command: true },
	{ keys: ['s'], word: 'slides', text: 'key.slides', mode: 'conference', run: conf.turnStage },
	{ keys: ['g'], word: 'floor', text: 'key.floor', mode: 'conference', run: () => ctl.giveFloor(), command: true },
	{ keys: ['v'], word: 'view', text: 'key.view', mode: 'conference', run: ctl.viewSite, command: true },
	{ keys: ['p'], word: 'poll', text: 'broadcast.poll', mode: 'conference', run: open('poll'), command: true },
	{ keys: ['n'], word: 'next', text: 'key.poll_next', mode: 'conference', run: () => ctl.pollStep('next'), command: true },
	{ keys: ['h'], word: 'hand', text: 'key.hand', mode: 'conference', run: ctl.raiseHand, command: true },
	{ keys: ['w'], word: 'admit', text: 'key.admit', mode: 'conference', run: ctl.admitNext, command: true },
	{ keys: [], word: 'split', text: 'split', mode: 'conference', run: open('split'), command: true },
	{ keys: [], word: 'voice', text: 'voice', mode: 'conference', run: open('voice'), command: true },
	{ keys: ['l'], word: 'lock', text: 'key.lock', mode: 'conference', run: lock, command: true },
	{ keys: ['c'], word: 'call', text: 'key.call', mode: 'conference', run: callOut, command: true },
	{ keys: ['o'], word: 'conference', text: 'key.mode', run: () => turnTo(store.mode.value === 'conference' ? 'incident' : 'conference') },
	{ keys: ['a'], word: 'ack', text: 'key.ack', run: acknowledgeFirst },
	{ keys: ['F11'], word: 'full', text: 'key.full', run: fullScreen },
	{ keys: ['/'], word: '', text: 'key.command', run: open('command') },
	{ keys: ['Ctrl+k'], word: 'find', text: 'key.find', run: open('find') },
	{ keys: ['Ctrl+z'], word: 'undo', text: 'key.undo', run: store.undo },
	{ keys: ['Escape'], word: '', text: 'key.escape', run: escape },
	{ keys: [], word: 'directory', text: 'key.directory', run: open('directory') },
	{ keys: [], word: 'ready', text: 'menu.ready', run: open('ready') },
	{ keys: [], word: 'ribbon', text: 'key.ribbon', run: () => void ladder.toggleRibbon() },
	{ keys: [], word: 'history', text: 'history', run: open('history') },
	{ keys: [], word: 'close', text: 'key.close', mode: 'incident', run: store.closeIncident, command: true },
	{ keys: [], word: 'admin', text: 'admin', run: () => store.isAdmin.value && open('admin')() },
	{ keys: [], word: 'audit', text: 'audit', run: () => store.mayAudit.value && open('audit')() },
	{ keys: [], word: 'alarms', text: 'alarms.title', run: open('alarms') },
	{ keys: [], word: 'lists', text: 'schedule', run: open('schedules'), command: true },
	{ keys: [], word: 'factor', text: 'factor', run: open('factor') },
	{ keys: [], word: 'language', text: 'key.language', run: switchLanguage },
];

/** Acts this operator may do. */
export function allowedActs() {
	return acts.filter((a) => (!a.command || store.mayCommand.value) && (!a.mode || a.mode === store.mode.value));
}

function joinOrLeave() {
	void (conf.joined.value ? conf.leave() : conf.join(false));
}

function lock() {
	void conf.act('conference.update', { locked: !conf.conference.value?.locked });
}

function callOut() {
	conf.tab.value = 'call';
	setTimeout(() => document.getElementById('call-find')?.focus());
}

function focusNote() {
	store.tab.value = 'log';
	setTimeout(() => document.getElementById('note')?.focus());
}

function acknowledgeFirst() {
	const alarm = waiting.value[0];
	if (alarm) {
		acknowledgeAlarm(alarm);
	}
}

/** @param {import('./alarms.js').Alarm} alarm */
export function acknowledgeAlarm(alarm) {
	ackAlarm(alarm, store.session.value?.name ?? '');
	if (alarm.key.startsWith('duty-') && store.mayCommand.value) {
		void store.attempt(store.client.call('duty.alarm_ack', { key: alarm.key.slice('duty-'.length) }));
	}
	if (alarm.step !== undefined && alarm.incident && store.mayCommand.value) {
		void store.attempt(store.client.call('escalation.ack', { incident: alarm.incident, step: alarm.step }));
	}
}

/** The picture of the chosen scene as a file, named by scene and time. */
function still() {
	const video = /** @type {HTMLVideoElement | null} */ (document.querySelector('.cell.selected video'));
	if (!video?.videoWidth) {
		store.say(t('still.none'));
		return;
	}
	const canvas = Object.assign(document.createElement('canvas'), { width: video.videoWidth, height: video.videoHeight });
	canvas.getContext('2d')?.drawImage(video, 0, 0);
	const name = `${store.scene.value?.name ?? ''}-${new Date(store.client.now()).toISOString().slice(0, 19).replace(/\D/g, '')}.png`;
	Object.assign(document.createElement('a'), { href: canvas.toDataURL('image/png'), download: name }).click();
	store.say(t('still.saved', { name }));
	void store.note(t('still.noted', { name }));
}

function fullScreen() {
	void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
}

function escape() {
	store.hush();
	if (!store.dialog.value && store.mode.value === 'conference' && ctl.stopBroadcast()) {
		return;
	}
	store.dialog.value = null;
	if (document.activeElement instanceof HTMLElement) {
		document.activeElement.blur();
	}
}

/** @param {Event} e true when the key belongs to a field that is being written in */
function inField(e) {
	return e.target instanceof HTMLElement && Boolean(e.target.closest('input, textarea, select, [contenteditable]'));
}

/** Enter and space belong to a button that was reached by the keyboard; one that was only clicked does not keep them. @param {Event} e */
function onButton(e) {
	return e.target instanceof HTMLElement && e.target.matches('button:focus-visible, a:focus-visible, summary:focus-visible');
}

/** @param {number} by */
function step(by) {
	const list = store.scenes.value;
	const at = list.findIndex((s) => s.id === store.sceneId.value);
	if (list.length) {
		store.sceneId.value = list[(at + by + list.length) % list.length].id;
	}
}

/** @param {number} n @param {boolean} shift */
function conferenceDigit(n, shift) {
	if (shift) {
		conf.intoCell(n);
	} else if (roll.takesKeys.value && roll.results[n - 1]) {
		roll.record(roll.results[n - 1]);
	} else {
		pickParty(n);
	}
}

/** @param {number} n */
function pickParty(n) {
	if (conf.parties.value[n - 1]) {
		conf.partyId.value = conf.parties.value[n - 1].id;
		conf.tab.value = 'site';
	}
}

/** @param {number} n */
function pickScene(n) {
	store.sceneId.value = store.scenes.value[n - 1]?.id ?? store.sceneId.value;
}

/** Held: the own microphone is open, whatever it was. @param {boolean} down */
function speak(down) {
	if (down && !conf.micOpen.value && conf.joined.value?.mic) {
		held = true;
		conf.openMic(true);
	} else if (!down && held) {
		held = false;
		conf.openMic(false);
	}
}
let held = false;

/** @param {KeyboardEvent} e @returns {boolean} taken */
function digit(e) {
	const n = /^Digit([1-9])$/.exec(e.code)?.[1];
	if (!n || e.ctrlKey || e.altKey || e.metaKey) {
		return false;
	}
	if (store.mode.value === 'conference') {
		conferenceDigit(Number(n), e.shiftKey);
	} else if (e.shiftKey) {
		if (store.mayCommand.value) {
			void store.push(store.scene.value, Number(n));
		}
	} else {
		pickScene(Number(n));
	}
	return true;
}

/** @param {KeyboardEvent} e */
function down(e) {
	unlockSound();
	if (!store.session.value || (inField(e) && e.key !== 'Escape' && !/^F\d/.test(e.key))) {
		return;
	}
	const alarms_shown = store.dialog.value?.name === 'alarms' && e.key.toLowerCase() === 'a' && !e.ctrlKey;
	if (store.dialog.value && e.key !== 'Escape' && !alarms_shown) {
		if (e.key === 'F5' || /^F[26]$/.test(e.key)) {
			e.preventDefault();
		}
		return;
	}
	if (take(e)) {
		e.preventDefault();
	}
}

/** @param {KeyboardEvent} e @returns {boolean} taken */
function take(e) {
	if (e.key === 'F5') {
		return true; // a reload in the middle of an incident is never what the hand wanted
	}
	if (e.code === 'Space' && !onButton(e)) {
		if (!e.repeat) {
			store.mode.value === 'conference' ? speak(true) : void store.talk(e.shiftKey ? 'all' : 'one');
		}
		return true;
	}
	if (e.key === 'Enter' && onButton(e)) {
		return false;
	}
	const back = store.mode.value === 'conference' ? 'ArrowUp' : 'ArrowLeft';
	if (e.key === back || e.key === (back === 'ArrowUp' ? 'ArrowDown' : 'ArrowRight')) {
		store.mode.value === 'conference' ? conf.step(e.key === back ? -1 : 1) : step(e.key === back ? -1 : 1);
		return true;
	}
	if (digit(e)) {
		return true;
	}
	const name = (e.ctrlKey ? 'Ctrl+' : '') + (e.key.length === 1 ? e.key.toLowerCase() : e.key);
	const act = e.altKey || e.metaKey || e.repeat ? undefined : allowedActs().find((a) => keysOf(a).includes(name) && (!a.when || a.when()));
	act?.run();
	return Boolean(act);
}

export function installKeys() {
	addEventListener('keydown', down);
	const release = () => {
		store.hush();
		speak(false);
	};
	addEventListener('keyup', (e) => e.code === 'Space' && release());
	addEventListener('blur', release);
	addEventListener('pointerdown', unlockSound);
}
