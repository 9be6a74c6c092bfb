// Alarms in three classes: 1 act now (two tones, every 5 s until acknowledged), 2 look soon (one chime), 3 list only.
// No sound without a row in the list; the browser plays nothing before the first click, and the strip says so. An operator
// hears six a hour at most: above that chimes stay silent and say so in their row; class 1 always sounds. What comes within
// ten seconds is one sounding. A shelved row is quiet until its time is over, then it is new again unless its cause has gone.
import { computed, signal } from '../lib/view.js';

const REPEAT_MS = 5000;
const KEEP = 50;
const BUDGET = 6;
const HOUR_MS = 3600000;
const GROUP_MS = 10000;

/**
 * @typedef {{ key: string, level: 1 | 2 | 3, text: string, incident?: string, step?: number, open?: string, at_ms: number, acked: boolean,
 *   by?: string, acked_ms?: number, settled?: boolean, shelved_ms?: number, silent?: boolean }} Alarm
 */

/** @type {import('../vendor/signals.js').Signal<Alarm[]>} */
export const alarms = signal([]);
export const soundOn = signal(false);
/** When something sounded, within the last hour. @type {import('../vendor/signals.js').Signal<number[]>} */
export const soundings = signal([]);
/** Rows that want a hand: not acknowledged, not shelved, and not for the list only. */
export const waiting = computed(() => alarms.value.filter((a) => !a.acked && !a.shelved_ms && a.level < 3));
/** @type {AudioContext | null} */
let context = null;

/** Call from a click or a key: from then on alarms are heard. */
export function unlockSound() {
	context ??= new AudioContext();
	void context.resume().then(() => (soundOn.value = context?.state === 'running'));
}

/** May it sound, and is that a new sounding? Counts it. @param {number} level @param {number} now_ms */
function spend(level, now_ms) {
	const recent = soundings.value.filter((ms) => now_ms - ms < HOUR_MS);
	const grouped = recent.length > 0 && now_ms - recent[recent.length - 1] < GROUP_MS;
	const allowed = level === 1 || (level === 2 && (grouped || recent.length < BUDGET));
	soundings.value = allowed && !grouped ? [...recent, now_ms] : recent;
	return { allowed, heard: allowed && (level === 1 || !grouped) };
}

/** @param {Omit<Alarm, 'at_ms' | 'acked'> & { at_ms?: number }} alarm at_ms: when it began, if that was before this page */
export function raise(alarm) {
	if (alarms.value.some((a) => a.key === alarm.key && !a.acked)) {
		return;
	}
	const now_ms = Date.now();
	const sound = alarm.level < 3 ? spend(alarm.level, now_ms) : { allowed: true, heard: false };
	alarms.value = [{ ...alarm, at_ms: alarm.at_ms || now_ms, acked: false, silent: !sound.allowed }, ...alarms.value].slice(0, KEEP);
	if (sound.heard) {
		ring(alarm.level);
	}
}

/** @param {(a: Alarm) => boolean} which @param {Partial<Alarm>} patch */
function change(which, patch) {
	if (alarms.value.some(which)) {
		alarms.value = alarms.value.map((a) => (which(a) ? { ...a, ...patch } : a));
	}
}

/** The cause is gone: rows whose key starts so are settled; by whom, when somebody did it. @param {string} prefix @param {string} [by] */
export function settleAlarms(prefix, by) {
	change((a) => !a.acked && a.key.startsWith(prefix), { acked: true, settled: true, shelved_ms: 0, acked_ms: Date.now(), ...(by ? { by } : {}) });
}

/** @param {Alarm} alarm @param {string} by */
export function ackAlarm(alarm, by) {
	change((a) => a.key === alarm.key && !a.acked, { acked: true, shelved_ms: 0, by, acked_ms: Date.now() });
}

/** Quiet for so long. @param {Alarm} alarm @param {number} minutes @param {string} by */
export function shelve(alarm, minutes, by) {
	change((a) => a.key === alarm.key && !a.acked, { shelved_ms: Date.now() + minutes * 60000, by });
}

/** @param {Alarm} alarm */
export function unshelve(alarm) {
	change((a) => a.key === alarm.key, { shelved_ms: 0, by: undefined });
}

/** @param {number} hz @param {number} after_s @param {number} length_s */
function tone(hz, after_s, length_s) {
	if (context?.state !== 'running') {
		return;
	}
	const at = context.currentTime + after_s;
	const gain = context.createGain();
	gain.gain.setValueAtTime(0.0001, at);
	gain.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
	gain.gain.exponentialRampToValueAtTime(0.0001, at + length_s);
	const oscillator = context.createOscillator();
	oscillator.frequency.value = hz;
	oscillator.connect(gain).connect(context.destination);
	oscillator.start(at);
	oscillator.stop(at + length_s);
}

/** @param {number} level */
function ring(level) {
	if (level === 1) {
		tone(880, 0, 0.25);
		tone(660, 0.3, 0.35);
	} else if (level === 2) {
		tone(740, 0, 0.4);
	}
}

function turn() {
	const now_ms = Date.now();
	for (const a of alarms.value.filter((x) => x.shelved_ms && x.shelved_ms <= now_ms)) {
		change((x) => x.key === a.key, { shelved_ms: 0, by: undefined, silent: !spend(a.level, now_ms).allowed });
	}
	if (waiting.value.some((a) => a.level === 1)) {
		ring(1);
	}
}

setInterval(turn, REPEAT_MS);
