// The desk's daily work by real pages: directory, links by person, undo, alarms of the ladder, windows of the wall,
// accounts of other roles, the whole log.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, until } from './ortoo.mjs';
import { call, joinField, makeWall, openIncident, play, setUp } from './play.mjs';
import { seePicture } from './picture.mjs';

const PASSWORD = 'Correct-horse-7-battery';
const ortoo = new Ortoo(['incident.escalate_1=3s']);
let browser, desk, wall, phone, incident;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, wall, phone }), ortoo);
const state = async () => call(desk, 'incident.get', { id: incident });

async function menu(page, nth) {
	await page.click('.menu summary');
	await page.click(`.menu-list button:nth-of-type(${nth})`);
	await page.waitForSelector('dialog');
}

async function closeDialog(page) {
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
}

step('divisions and people are written in by hand', async () => {
	desk = await person(browser, { width: 1366, height: 768, media: true });
	await setUp(desk, ortoo);
	await menu(desk, 1);
	await desk.click('dialog .chips .chip:nth-of-type(2)');
	await desk.click('dialog .chips button.main');
	await desk.fill('dialog input[name=name]', 'Kundulun');
	await desk.click('dialog form button.main');
	await desk.waitForSelector('dialog td >> text=Kundulun');
	await desk.click('dialog .chips .chip:nth-of-type(1)');
	await desk.click('dialog .chips button.main');
	await desk.fill('dialog input[name=name]', 'Batu');
	await desk.click('dialog form button.main');
	await desk.waitForSelector('dialog td >> text=Batu');
	await desk.click('dialog tr:has-text("Batu") .row-acts button');
	await desk.fill('dialog input[name=title]', 'Captain');
	await desk.click('dialog form button.main');
	await desk.waitForSelector('dialog td >> text=Captain');
	assert.equal((await call(desk, 'directory.get')).people.length, 1, 'corrected, not added');
	await shot(desk, 'directory-1366');
	assert.deepEqual(await axeFaults(desk), []);
});

step('the directory goes out as CSV and comes in again, dry first', async () => {
	const { csv } = await call(desk, 'directory.export');
	const file = join(ortoo.state, 'more.csv');
	const line = csv.trim().split(/\r?\n/).find((l) => l.includes('Batu'));
	writeFileSync(file, `${csv.trim()}\r\n${line.replaceAll('Batu', 'Wulan').replace(/^([^,]*,)[^,]*/, '$1p-wulan')}\r\n`);
	await desk.setInputFiles('dialog input[type=file]', file);
	await desk.waitForSelector('dialog .made p');
	assert.ok(!(await call(desk, 'directory.get')).people.some((p) => p.name === 'Wulan'), 'the dry run changes nothing');
	await desk.click('dialog .made button.main');
	await desk.waitForSelector('dialog td >> text=Wulan');
	await closeDialog(desk);
});

step('a person of the tree gets a link by one click, with a code to scan', async () => {
	await openIncident(desk);
	incident = (await call(desk, 'incident.list', { open_only: true })).incidents[0].id;
	await desk.click('.person:has-text("Batu") button.small');
	await desk.waitForSelector('dialog svg.qr');
	await shot(desk, 'link-1366');
	assert.deepEqual(await axeFaults(desk), []);
	const url = await desk.textContent('dialog [data-url]');
	await closeDialog(desk);
	phone = await person(browser, { width: 390, height: 844, media: true });
	await joinField(phone, url);
	await desk.waitForSelector('.person.here:has-text("Batu") .s-present', { timeout: 20000 });
});

step('the ladder alarms, and is acknowledged by one key', async () => {
	await desk.waitForSelector('.step.m-fired', { timeout: 10000 });
	await desk.click('.alarms');
	await desk.waitForSelector('.alarm-list .class-1');
	await shot(desk, 'alarm-1366');
	await desk.keyboard.press('a');
	await desk.waitForSelector('.alarm-list .acked');
	await closeDialog(desk);
	await desk.waitForSelector('.step.m-acked');
	assert.equal((await state()).escalations[0].state, 'acked');
});

step('windows: four of them, a scene into the third, cleared, and back by undo', async () => {
	const url = await makeWall(desk, 'Hall');
	wall = await person(browser, { width: 1280, height: 720 });
	await wall.goto(url);
	await desk.waitForSelector('.monitor .s-present');
	await desk.click('.monitor .chips .chip:nth-of-type(3)');
	await desk.waitForSelector('.windows.l-4');
	await desk.keyboard.press('1');
	await desk.keyboard.press('Shift+Digit3');
	await seePicture(wall, '[data-window="3"] video');
	await shot(wall, 'wall-four');
	await desk.click('.window[data-window="3"] button');
	await wall.waitForSelector('.idle');
	await desk.keyboard.press('Control+z');
	await seePicture(wall, '[data-window="3"] video');
	assert.deepEqual(await axeFaults(wall), []);
});

step('a scene is muted from the desk and says so on the phone', async () => {
	await desk.click('#tab-scene');
	await desk.click('#side-panel button[aria-pressed=false]');
	await phone.waitForSelector('.target.off');
	await desk.click('#side-panel button[aria-pressed=true]');
	await phone.waitForSelector('.target.off', { state: 'detached' });
});

step('a dangerous act waits five seconds and can be undone', async () => {
	await desk.click('#side-panel section:nth-of-type(2) button.danger');
	await desk.keyboard.press('Control+z');
	await new Promise((done) => setTimeout(done, 5500));
	assert.equal((await state()).scenes.length, 1);
	await desk.click('#side-panel section:nth-of-type(2) button.danger');
	await until('the scene to be removed', async () => !(await state()).scenes.some((s) => s.state !== 'leaving' && s.state !== 'absent'), 12000);
	await phone.waitForSelector('[data-phase=ended]');
});

step('a note goes into the log by key', async () => {
	await desk.keyboard.press('n');
	await desk.waitForSelector('#note:focus');
	await desk.keyboard.type('fire engine has arrived');
	await desk.keyboard.press('Enter');
	await desk.waitForSelector('.log .is-note >> text=fire engine has arrived');
	await shot(desk, 'log-1366');
});

step('a viewer sees and cannot command; an auditor reads the whole log', async () => {
	for (const role of ['viewer', 'auditor']) {
		await call(desk, 'account.put', { name: role, display: role, role, password: PASSWORD, disabled: false });
		const page = await person(browser);
		await page.goto(ortoo.url);
		await page.fill('input[name=name]', role);
		await page.fill('input[name=password]', PASSWORD);
		await page.click('button.main');
		await page.waitForSelector('.console');
		await page.waitForSelector('.scene-clock');
		assert.equal(await page.locator('.push, .strip .main, .tree-foot').count(), 0, `${role} has no commanding buttons`);
		if (role === 'auditor') {
			await menu(page, 3);
			await page.waitForSelector('dialog tbody tr');
			await shot(page, 'audit-1366');
			assert.deepEqual(await axeFaults(page), []);
		}
		assert.deepEqual(page.faults, [], role);
		await page.context().close();
	}
});

step('administration is accessible, and the chain of the log is whole', async () => {
	await desk.click('.menu summary');
	await desk.click('.menu-list [data-open=admin]');
	await desk.click('dialog [data-checks] button');
	await desk.waitForSelector('dialog [data-checks] .s-present');
	await shot(desk, 'admin-1366');
	assert.deepEqual(await axeFaults(desk), []);
	await closeDialog(desk);
	assert.deepEqual(desk.faults, []);
});
