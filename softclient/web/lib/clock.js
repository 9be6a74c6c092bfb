// Times as people of a duty room read them. All input is wall-clock milliseconds of the server.
import { language } from './i18n.js';

/** @param {number} n */
const two = (n) => String(n).padStart(2, '0');

/** 14:03:22 in this machine's zone. @param {number | undefined} ms */
export function hms(ms) {
	if (!ms) {
		return '--:--:--';
	}
	const d = new Date(ms);
	return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** "UTC+8": the zone that this machine shows times in. @param {number} [ms] */
export function zone(ms) {
	const minutes = -new Date(ms ?? Date.now()).getTimezoneOffset();
	const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
	return minutes ? `UTC${minutes < 0 ? '-' : '+'}${hours}${rest ? `:${two(rest)}` : ''}` : 'UTC';
}

/** Date, time and zone. @param {number} ms */
export function dateTime(ms) {
	const format = new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });
	return `${format.format(new Date(ms))} ${zone(ms)}`;
}

/** 12:34 or 1:12:34 since something. @param {number} ms */
export function span(ms) {
	const s = Math.max(0, Math.floor(ms / 1000));
	const tail = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
	return s >= 3600 ? `${Math.floor(s / 3600)}:${tail}` : tail;
}

/** T+00:12.345 for the certificate. @param {number} ms */
export function precise(ms) {
	const sign = ms < 0 ? '-' : '+';
	const abs = Math.abs(ms);
	return `T${sign}${span(abs)}.${String(Math.floor(abs % 1000)).padStart(3, '0')}`;
}
