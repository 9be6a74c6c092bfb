// Alarms in three classes: 1 act now (two tones, every 5 s until acknowledged), 2 look soon (one chime), 3 list only.
// No sound without a row in the list; the browser plays nothing before the first click, and the strip says so.
import { signal } from '../lib/view.js';

const REPEAT_MS = 5000;
const KEEP = 50;

/**
 * @typedef {{ key: string, level: 1 | 2 | 3, text: string, incident?: string, step?: number, at_ms: number, acked: boolean }} Alarm
 */

/** @type {import('../vendor/signals.js').Signal<Alarm[]>} */
export const alarms = signal([]);
export const soundOn = signal(false);
/** @type {AudioContext | null} */
let context = null;

/** Call from a click or a key: from then on alarms are heard. */
export function unlockSound() {
	context ??= new AudioContext();
	void context.resume().then(() => (soundOn.value = context?.state === 'running'));
}

/** @param {Omit<Alarm, 'at_ms' | 'acked'>} alarm */
export function raise(alarm) {
	if (alarms.value.some((a) => a.key === alarm.key && !a.acked)) {
		return;
	}
	alarms.value = [{ ...alarm, at_ms: Date.now(), acked: false }, ...alarms.value].slice(0, KEEP);
	ring(alarm.level);
}

/** The cause is gone: rows whose key starts so are settled. @param {string} prefix */
export function settleAlarms(prefix) {
	if (alarms.value.some((a) => !a.acked && a.key.startsWith(prefix))) {
		alarms.value = alarms.value.map((a) => (a.key.startsWith(prefix) ? { ...a, acked: true } : a));
	}
}

/** @param {Alarm} alarm */
export function ackAlarm(alarm) {
	alarms.value = alarms.value.map((a) => (a.key === alarm.key ? { ...a, acked: true } : a));
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

setInterval(() => alarms.value.some((a) => a.level === 1 && !a.acked) && ring(1), REPEAT_MS);
