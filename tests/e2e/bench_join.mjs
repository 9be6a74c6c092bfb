// Benchmark: link opened -> first frame drawn on the wall, with real Chromium, 20 joins one after the other.
// All moments are the certificate's own stamps (gateway, page, engine, wall); prints p50 and p95 of each part.
import { openBrowser, person } from './browser.mjs';
import { Ortoo } from './ortoo.mjs';
import { call, certificate, guestLink, joinField, makeWall, openIncident, setUp } from './play.mjs';

const JOINS = Number(process.env.ORTOO_BENCH_JOINS ?? 20);
const AIM_MS = 1000;
const parts = [['link_opened', 'first_drawn'], ['camera_granted', 'first_drawn'], ['link_opened', 'camera_granted'], ['camera_granted', 'ice_connected'],
	['ice_connected', 'first_rtp'], ['first_rtp', 'first_keyframe'], ['first_keyframe', 'first_drawn']];

/** @param {number[]} sorted @param {number} part */
const at = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];

const ortoo = new Ortoo();
let browser;
try {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
	const desk = await person(browser, { media: true });
	await setUp(desk, ortoo);
	const wall = await person(browser, { width: 1280, height: 720 });
	await wall.goto(await makeWall(desk, 'Wall'));
	await desk.waitForSelector('.monitor .s-present');
	const rows = [];
	for (let n = 0; n < JOINS; n++) {
		// A new incident for each, so that "first drawn" is first every time; the window waits before the phone is there.
		await openIncident(desk, { place: `Join ${n}` });
		const url = await guestLink(desk, `Phone ${n}`);
		const [incident] = (await call(desk, 'incident.list', { open_only: true })).incidents;
		await call(desk, 'wall.push', { wall: (await call(desk, 'wall.list')).walls[0].id, scene: incident.scenes[0].id, window: 1 });
		const phone = await person(browser, { width: 390, height: 844, media: true });
		await joinField(phone, url);
		const c = await certificate(desk, incident.id, ['link_opened', 'camera_granted', 'ice_connected', 'first_rtp', 'first_keyframe', 'first_drawn']);
		rows.push(Object.fromEntries(c.scenes[0].stamps.map((s) => [s.step, s.at_ms])));
		await phone.context().close();
		await call(desk, 'incident.close', { id: incident.id, reason: 'bench' });
	}
	console.log(`join: ${rows.length} joins, ms       p50    p95`);
	for (const [from, to] of parts) {
		const times = rows.map((r) => r[to] - r[from]).sort((a, b) => a - b);
		console.log(`${`${from} -> ${to}`.padEnd(34)} ${String(at(times, 0.5)).padStart(6)} ${String(at(times, 0.95)).padStart(6)}`);
	}
	const p50 = at(rows.map((r) => r.first_drawn - r.link_opened).sort((a, b) => a - b), 0.5);
	console.log(`aim: link opened -> first drawn p50 < ${AIM_MS} ms: ${p50 < AIM_MS ? 'met' : 'not met'} (ratio ${(p50 / AIM_MS).toFixed(2)})`);
} finally {
	await browser?.close();
	await ortoo.stop();
}
