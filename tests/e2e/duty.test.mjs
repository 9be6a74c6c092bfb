// The duty room by real pages: a roster with a wrong line, then right; who is on watch; a number verified by key; a hand-over that an
// alarm holds up; daily reports; deadlines of incident reports that turn red before they lapse, receipts, the paper.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, until } from './ortoo.mjs';
import { call, openIncident, play, setUp } from './play.mjs';

const ortoo = new Ortoo(['duty.shifts=all 00:00 00:00', 'duty.zone=+08:00', 'duty.carry=0s', 'duty.zero_by=23:59', 'report.written=30s', 'report.followup=10m', 'incident.escalate_1=3s']);
let browser, desk, duty, day, incident;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, duty }), ortoo);
const people = [['p-1', 'Anna', '13800000001'], ['p-2', 'Bat', '13800000002'], ['p-3', 'Chief', '']];
const choose = async (name, csv) => {
	const path = join(ortoo.state, name);
	writeFileSync(path, csv);
	await duty.setInputFiles('[data-import]', path);
	await duty.waitForSelector('[data-plan]');
};

step('a roster with a wrong line is refused by line, the right one is imported and seen', async () => {
	desk = await person(browser, { width: 1920, height: 1080 });
	await setUp(desk, ortoo);
	await call(desk, 'directory.put', { kind: 'division', item: { id: 'd-1', name: 'Kundulun' } });
	await call(desk, 'directory.put', { kind: 'site', item: { id: 's-1', name: 'Duty room A', division: 'd-1', kind: 'duty_room', address: 'sip:a@127.0.0.1:9' } });
	for (const [id, name, phone] of people) {
		await call(desk, 'directory.put', { kind: 'person', item: { id, name, division: 'd-1', ...(phone ? { phone } : {}) } });
	}
	duty = await desk.context().newPage();
	duty.faults = desk.faults;
	await duty.goto(`${ortoo.url}/duty`);
	await duty.waitForSelector('[data-place="s-1"]');
	day = (await call(desk, 'duty.roster')).today;
	await choose('wrong.csv', `place,day,shift,people,leader\n"Duty room A",${day},all,Anna,Chief\nDuty room A,${day},all,Nobody,Chief\n`);
	assert.equal(await duty.locator('.bad-lines li').count(), 1);
	assert.equal(await duty.getAttribute('.bad-lines li', 'data-line'), '3');
	assert.ok(await duty.isDisabled('[data-plan] button.main'));
	await shot(duty, 'duty-import-1920');
	assert.deepEqual(await axeFaults(duty), []);
	await duty.keyboard.press('Escape');
	await choose('right.csv', `\ufeff单位,日期,班次,值班人员,带班领导\r\nDuty room A,${day},all,Anna、Bat,Chief\r\n`);
	await duty.click('[data-plan] button.main');
	await duty.waitForSelector(`[data-cell="${day}/all"] b >> text=Anna Bat`);
	const row = (await call(desk, 'duty.now', { place: 's-1' })).places[0];
	assert.deepEqual([row.people.map((x) => x.name), row.leader.name], [['Anna', 'Bat'], 'Chief']);
	await shot(duty, 'duty-roster-1920');
	assert.deepEqual(await axeFaults(duty), []);
});

step('a cell is changed by keyboard alone', async () => {
	await duty.focus(`[data-cell="${day}/all"]`);
	await duty.keyboard.press('Enter');
	await duty.waitForSelector('dialog [name=person]');
	await duty.uncheck('dialog [name=person][value=p-2]');
	await duty.keyboard.press('Enter');
	await duty.waitForSelector('dialog', { state: 'detached' });
	await until('the changed roster', async () => (await call(desk, 'duty.now', { place: 's-1' })).places[0].people.length === 1);
});

step('numbers are verified by one key', async () => {
	await duty.keyboard.press('5');
	await duty.waitForSelector('[data-contact="p-1"][data-state=never]');
	await duty.click('[data-contact="p-1"]');
	await duty.keyboard.press('v');
	await duty.waitForSelector('[data-contact="p-1"][data-state=good]');
	assert.equal(await duty.getAttribute('[data-contact="p-3"]', 'data-state'), 'no_number');
	await shot(duty, 'duty-contacts-1920');
	await duty.keyboard.press('4');
	await duty.click('[data-zero="s-1"] button:first-child');
	await duty.waitForSelector('[data-zero="s-1"][data-state=on_time]');
});

step('the hand-over is refused while an alarm stands, then done; both names are in the log', async () => {
	await desk.bringToFront();
	await openIncident(desk, { drill: false });
	incident = (await call(desk, 'incident.list')).incidents[0].id;
	await duty.bringToFront();
	await duty.keyboard.press('2');
	await duty.selectOption('[name=from]', 'p-1');
	await duty.selectOption('[name=to]', 'p-2');
	await duty.fill('[name=notes]', 'watch the street');
	await duty.click('[data-begin] button.main');
	await duty.waitForSelector(`[data-alarm="step/${incident}/1"]`, { timeout: 20000 });
	const standing = await duty.locator('[data-alarm]').count();
	await duty.click('[data-complete]');
	await duty.waitForSelector('.line.bad');
	assert.ok(await duty.locator('[data-open]').count(), 'it is not completed');
	await shot(duty, 'duty-handover-refused-1920');
	await duty.click(`[data-alarm="step/${incident}/1"] button`);
	await until('the mark to be gone', async () => (await duty.locator('[data-alarm]').count()) === standing - 1);
	for (const input of await duty.locator('[data-alarm] input').all()) {
		await input.fill('told by phone');
	}
	await duty.waitForSelector('[data-left="0"]');
	await duty.click('[data-complete]');
	await duty.waitForSelector('.history li');
	const { records } = await call(desk, 'log.list', { type: 'duty.taken' });
	assert.deepEqual([records[0].body.from_name, records[0].body.to_name], ['Anna', 'Bat']);
	await duty.keyboard.press('3');
	await duty.keyboard.press('n');
	await duty.keyboard.type('call from the city');
	await duty.keyboard.press('Enter');
	await duty.waitForSelector('tr[data-kind=note] >> text=call from the city');
	assert.ok(await duty.locator('tr[data-kind=handover]').count() >= 2);
	await shot(duty, 'duty-watch-1920');
	assert.deepEqual(await axeFaults(duty), []);
});

step('a deadline is red before it lapses; a report with facts first, a receipt, the paper', async () => {
	await desk.bringToFront();
	await desk.click('#tab-report');
	await desk.waitForSelector('[data-deadline=first_written][data-state=warning]', { timeout: 40000 });
	const red = await desk.locator('[data-deadline=first_written]').evaluate((e) => getComputedStyle(e).borderTopColor);
	assert.equal(red, 'rgb(229, 72, 77)');
	await shot(desk, 'report-warning-1920');
	await desk.setViewportSize({ width: 1366, height: 768 });
	await desk.click('[data-write=first]');
	const fields = await desk.locator('.report-form [name]').evaluateAll((list) => list.map((e) => e.getAttribute('name')));
	assert.equal(fields.at(-1), 'cause');
	await desk.fill('.report-form [name=what]', 'smoke from a workshop');
	await desk.fill('.report-form [name=recipients]', 'City office\nDistrict office');
	await shot(desk, 'report-form-1366');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.click('.report-form button.main');
	await desk.waitForSelector('[data-given]');
	const state = await desk.getAttribute('[data-deadline=first_written]', 'data-state');
	assert.ok(['met', 'late'].includes(state), state);
	await desk.fill('[data-to="City office"] [name=by]', 'Liu');
	await desk.click('[data-to="City office"] button');
	await desk.waitForSelector('[data-receipt=signed]');
	await shot(desk, 'report-given-1366');
	const opened = desk.waitForEvent('popup');
	await desk.click('[data-given] a');
	const paper = await opened;
	await paper.waitForSelector('[data-receipt=signed]');
	assert.equal(await paper.locator('[data-receipt]').count(), 2);
	assert.equal((await paper.textContent('.hash')).length, 64);
	await shot(paper, 'report-paper');
	assert.deepEqual(await axeFaults(paper), []);
	assert.deepEqual(desk.faults, []);
});
