// Naughty strings as names, places and notes, looked at in real Chromium: all of them are shown as text, none of them runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { openBrowser, person, shot } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { call, makeWall, play, setUp } from './play.mjs';

const OWN = ['<script>window.hit = 1</script>', '"><img src=x onerror="window.hit = 1">', '<svg/onload=window.hit=1>', 'javascript:window.hit=1',
	'<iframe srcdoc="<script>parent.hit=1</script>"></iframe>', '${window.hit=1}', '{{constructor.constructor("window.hit=1")()}}', '\u202etxt.exe',
	'<style>*{display:none}</style>', '</textarea><script>window.hit=1</script>'];
const MANY = 140;
const list = JSON.parse(readFileSync(new URL('../data/blns/blns.json', import.meta.url), 'utf8'));
const dangerous = list.filter((s) => /[<>"'`]|script|on\w+=/i.test(s) && !/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(s));
const strings = [...OWN, ...dangerous].slice(0, MANY);
const short = strings.filter((s) => new TextEncoder().encode(s).length <= 60 && s.trim()).slice(0, 30);

const ortoo = new Ortoo();
let browser, desk, wall, incident, alerts = 0;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, wall }), ortoo);

/** @param {any} page */
function watch(page) {
	page.on('dialog', (d) => {
		alerts++;
		void d.dismiss();
	});
	return page;
}

/** Calls within the rate of one session. */
async function all(rows) {
	for (let n = 0; n < rows.length; n += 20) {
		await Promise.all(rows.slice(n, n + 20).map(([method, params]) => call(desk, method, params)));
		await sleep(900);
	}
}

/** Nothing of the strings became an element, ran, or asked the network for something. */
async function harmless(page, what) {
	const seen = await page.evaluate(() => ({
		hit: window.hit ?? null, scripts: document.querySelectorAll('script:not([src^="/"])').length,
		foreign: document.querySelectorAll('iframe, object, embed, base, meta[http-equiv], img:not([src^="/"]):not([src^="data:"]):not([src^="blob:"]), a[href^="javascript:" i], [onerror], [onload], [onclick]').length,
	}));
	assert.deepEqual(seen, { hit: null, scripts: 0, foreign: 0 }, what);
	assert.equal(alerts, 0, what);
	assert.deepEqual(page.faults, [], what);
}

step('an incident, its people, links and notes of such strings', async () => {
	desk = watch(await person(browser, { width: 1366, height: 768 }));
	await setUp(desk, ortoo);
	await call(desk, 'incident.open', { kind: OWN[0].slice(0, 60), level: 2, place: OWN[1], text: strings.slice(0, 20).join('\n').slice(0, 3000), drill: true });
	incident = (await call(desk, 'incident.list', { open_only: true })).incidents[0].id;
	await all([
		...short.map((s, n) => ['directory.put', { kind: 'division', item: { id: `d${n}`, name: s } }]),
		...short.map((s, n) => ['directory.put', { kind: 'person', item: { id: `p${n}`, name: s, division: `d${n}`, title: s } }]),
		...short.slice(0, 10).map((s) => ['link.issue', { incident, guest_name: s }]),
		...strings.map((s) => ['incident.note', { id: incident, text: s }]),
	]);
});

step('the console shows them, and nothing runs', async () => {
	await desk.reload();
	await desk.waitForSelector('.scene-clock');
	await desk.click('#tab-log');
	await until('the notes', async () => (await desk.locator('.log .is-note').count()) >= strings.length, 15000);
	const shown = await desk.locator('.log').innerText();
	assert.ok(shown.includes('<script>window.hit = 1</script>'), 'as text');
	await shot(desk, 'naughty-log-1366');
	await harmless(desk, 'log');
	await desk.click('#tab-links');
	await desk.waitForSelector('.links .link');
	await harmless(desk, 'links');
	for (const name of ['directory', 'history', 'find']) {
		await desk.keyboard.press('/');
		await desk.waitForSelector('dialog input');
		await desk.keyboard.type(`/${name}`);
		await desk.keyboard.press('Enter');
		await sleep(400);
		await harmless(desk, name);
		await desk.keyboard.press('Escape');
		await desk.waitForSelector('dialog', { state: 'detached' });
	}
});

step('so do certificate, field page and wall', async () => {
	const page = watch(await desk.context().newPage());
	page.faults = desk.faults;
	await page.goto(`${ortoo.url}/certificate/${incident}`);
	await page.waitForSelector('[data-verdict]');
	await harmless(page, 'certificate');
	await page.close();
	wall = watch(await person(browser, { width: 1280, height: 720 }));
	await wall.goto(await makeWall(desk, '<img src=x onerror=alert(1)>'));
	await wall.waitForSelector('.idle time');
	await harmless(wall, 'wall');
	const phone = watch(await person(browser, { width: 390, height: 844 }));
	const { link } = await call(desk, 'link.issue', { incident, guest_name: OWN[1] });
	await phone.goto(link.url);
	await phone.waitForSelector('[data-phase=ready]');
	assert.ok((await phone.textContent('.who')).includes('onerror'), 'as text');
	await harmless(phone, 'field page');
});
