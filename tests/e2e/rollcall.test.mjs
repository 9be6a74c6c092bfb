// A roll call by real pages: made from the directory, started by key, a SIP room answers and is measured, the others do not;
// results by key, an excuse, a jump back, and the circular for paper and files.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { after, before } from 'node:test';
import { hasBaresip, startRoom } from './baresip.mjs';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, until } from './ortoo.mjs';
import { call, play, setUp } from './play.mjs';

const sip = await new Promise((done) => {
	const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
		const { port } = socket.address();
		socket.close(() => done(port));
	});
});
const ortoo = new Ortoo([`sip.zones=name=default bind=127.0.0.1 announce=127.0.0.1 port=${sip} tls_port=0 plain_rtp=yes md5=yes`, 'party.ring=5s']);
let browser, desk, room, id;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	room?.kill('SIGTERM');
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk }), ortoo);
const state = async () => call(desk, 'rollcall.get', { id });
const entry = async (site) => (await state()).entries.find((e) => e.site === site);
const sites = [['s-1', 'Kundulun', 'device:room-a'], ['s-2', 'Jiuyuan', 'device:room-b'], ['s-3', 'Donghe', 'sip:nobody@127.0.0.1:9'], ['s-4', 'Guyang', 'device:room-c']];

step('it is made from the directory, in an order of ours', async () => {
	desk = await person(browser, { width: 1920, height: 1080 });
	await setUp(desk, ortoo);
	await call(desk, 'directory.put', { kind: 'division', item: { id: 'd-1', name: 'Baotou' } });
	for (const [site, name, address] of sites) {
		await call(desk, 'directory.put', { kind: 'site', item: { id: site, name, address, division: 'd-1' } });
	}
	if (hasBaresip()) {
		const { password } = await call(desk, 'endpoint.put', { user: 'room-a', name: 'Room A', md5: true });
		room = startRoom(ortoo.state, 'room-a', password, sip);
		await until('the room to be registered', async () => (await call(desk, 'sip.state')).registrations.some((r) => r.user === 'room-a')).catch((e) => {
			throw new Error(`${e.message}\n${room.said}`);
		});
	}
	await desk.keyboard.press('o');
	await desk.click('#tab-roll');
	await desk.waitForSelector('[data-roll-new]');
	await desk.keyboard.press('F3');
	await desk.waitForSelector('dialog [data-order="s-1"]');
	assert.equal(await desk.locator('.order li').count(), 4);
	await desk.click('dialog [data-order="s-3"] button:nth-of-type(3)');
	assert.equal(await desk.isChecked('[data-pick="s-3"]'), false);
	await desk.check('[data-pick="s-3"]');
	await desk.dragAndDrop('[data-order="s-1"] .name', '[data-order="s-4"] .name');
	await until('the dragged one', async () => (await desk.locator('.order li').first().getAttribute('data-order')) !== 's-1');
	while ((await desk.locator('.order li').first().getAttribute('data-order')) !== 's-1') {
		await desk.click('dialog [data-order="s-1"] button:nth-of-type(1)');
	}
	await shot(desk, 'rollcall-new-1920');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.fill('dialog input[name=name]', 'Morning');
	await desk.click('dialog form button.main:not([type=button])');
	await desk.waitForSelector('[data-roll=ready]');
	id = (await call(desk, 'rollcall.list')).rollcalls[0].id;
	assert.equal((await state()).entries[0].site, 's-1');
});

step('started by key: the first is on the screen and measured, an excused one is passed over', async () => {
	await desk.click('[data-site="s-4"] .row');
	await desk.click('[data-site="s-4"] .acts button:last-child');
	await desk.waitForSelector('[data-site="s-4"][data-said=excused]');
	await desk.keyboard.press('F3');
	await desk.waitForSelector('[data-turn="s-1"]');
	if (room) {
		await until('the room on the screen', async () => (await entry('s-1')).state === 'present', 20000);
		await until('figures of it', async () => (await entry('s-1')).figures?.bitrate_bps > 50000, 15000);
		await until('picture and sound', async () => (await entry('s-1')).measured === 'present', 10000);
		assert.equal((await entry('s-1')).figures.silent, false);
		await until('a still and a clip', async () => (await entry('s-1')).still && (await entry('s-1')).clip, 20000);
		await desk.keyboard.press('q');
		await desk.waitForSelector('[data-code=shown] .code-digits');
		assert.match(await desk.textContent('.code-digits'), /^\d{4}$/);
		await desk.keyboard.press('y');
		await desk.waitForSelector('[data-code=right]');
		await desk.waitForSelector('.turn [data-result=present]');
	}
	await shot(desk, 'rollcall-1920');
	await desk.setViewportSize({ width: 1366, height: 768 });
	await shot(desk, 'rollcall-1366');
	assert.deepEqual(await axeFaults(desk), []);
});

step('results by key; the clock knows who does not come', async () => {
	await desk.keyboard.press(room ? 'F3' : 'Enter');
	await until('the second', async () => (await entry('s-1')).done_ms > 0);
	assert.equal((await entry('s-1')).result, 'present');
	const second = (await state()).entries.find((e) => e.turn);
	assert.ok(second, 'somebody is next');
	await desk.waitForSelector(`[data-turn="${second.site}"]`);
	await desk.keyboard.press('a');
	await until('its result', async () => (await entry(second.site)).result === 'no_answer');
	const third = await until('the third', async () => (await state()).entries.find((e) => e.turn));
	await desk.waitForSelector(`[data-turn="${third.site}"]`);
	await desk.keyboard.press('Backspace');
	await desk.waitForSelector(`[data-turn="${second.site}"]`);
	await desk.keyboard.press('6');
	await until('the corrected one', async () => (await entry(second.site)).result === 'unreachable');
	await desk.waitForSelector(`[data-turn="${third.site}"]`);
	await until('the last call to fail', async () => ['unreachable', 'failed', 'no_answer'].includes((await entry(third.site)).state), 20000);
	await desk.keyboard.press('F3');
	await desk.waitForSelector('[data-roll=closed]');
	const { totals } = await state();
	assert.equal(totals.present, 1);
	assert.equal(totals.excused, 1);
	assert.equal(totals.not_called, 0);
	await shot(desk, 'rollcall-over-1366');
});

step('the circular names all of them, with the head of the log', async () => {
	const opened = desk.waitForEvent('popup');
	await desk.click('[data-circular]');
	const paper = await opened;
	await paper.waitForSelector('tr[data-site="s-1"][data-result=present]');
	assert.equal(await paper.locator('tbody tr').count(), 4);
	assert.equal((await paper.textContent('.hash')).length, 64);
	assert.equal(await paper.getAttribute('[data-here]', 'data-here'), '1');
	if (room) {
		assert.match(await paper.getAttribute('tr[data-site="s-1"] img', 'src'), /^\/rollcall\/.*\.jpg$/);
		assert.ok(await paper.evaluate(() => new Promise((done) => { const i = document.querySelector('tr[data-site="s-1"] img'); i.complete ? done(i.naturalWidth) : i.addEventListener('load', () => done(i.naturalWidth)); })) > 100, 'the still is a picture');
		const clip = await paper.evaluate(async () => { const r = await fetch(document.querySelector('tr[data-site="s-1"] audio').src); return [r.headers.get('content-type'), (await r.arrayBuffer()).byteLength]; });
		assert.equal(clip[0], 'audio/wav');
		assert.ok(clip[1] > 100000, 'five seconds of sound');
	}
	const pdf = await paper.evaluate(async () => { const r = await fetch(document.querySelector('[data-pdf]').href); return [r.headers.get('content-type'), (await r.text()).slice(0, 5)]; });
	assert.deepEqual(pdf, ['application/pdf', '%PDF-']);
	await shot(paper, 'circular');
	assert.deepEqual(await axeFaults(paper), []);
	const download = paper.waitForEvent('download');
	await paper.click('nav button:nth-of-type(2)');
	assert.match((await download).suggestedFilename(), /^circular-.*\.csv$/);
	await paper.goto(`${paper.url()}?lang=en`);
	await paper.waitForSelector('h1 >> text=roll call');
	assert.equal((await paper.evaluate(() => fetch('/rollcall/rc-1/nothing.jpg').then((r) => r.status))), 404);
});

step('circulars are found again, the month is counted, lists are saved with their hour', async () => {
	const pages = await desk.context().newPage();
	await pages.goto(new URL('/circulars', desk.url()).href);
	await pages.waitForSelector(`tr[data-circular="${id}"]`);
	await pages.waitForSelector('tr[data-stat="s-1"]');
	await pages.fill('input[name=text]', 'Evening');
	await pages.click('form.find button');
	await pages.waitForSelector('[data-found]', { state: 'detached' });
	await pages.fill('input[name=text]', 'Morn');
	await pages.selectOption('select[name=result]', 'excused');
	await pages.click('form.find button');
	await pages.waitForSelector(`tr[data-circular="${id}"]`);
	await shot(pages, 'circulars');
	assert.deepEqual(await axeFaults(pages), []);
	const download = pages.waitForEvent('download');
	await pages.click('[data-stats-csv]');
	assert.match((await download).suggestedFilename(), /^rollcall-.*\.csv$/);
	await desk.bringToFront();
	await desk.click('[data-schedules]');
	await desk.click('[data-schedule-new]');
	await desk.check('[data-pick="s-1"]');
	await desk.check('input[name=day0]');
	await shot(desk, 'rollcall-schedule');
	await desk.click('dialog form button.main:not([type=button])');
	await desk.waitForSelector('[data-schedule]');
	assert.deepEqual(await axeFaults(desk), []);
	const { schedules } = await call(desk, 'rollcall.schedules');
	assert.equal(schedules[0].days, 1);
	assert.ok(schedules[0].next_ms > Date.now());
	await desk.keyboard.press('Escape');
	assert.deepEqual(desk.faults, []);
});
