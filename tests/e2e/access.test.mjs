// Who may see and do what, by real pages: two divisions with a console each, a share between them, a second factor, sessions
// ended by the administrator, four eyes; then the console's own screens: audit reader, keys, alarms, search, no overflow.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { ADMIN, call, logIn, openIncident, play, setUp } from './play.mjs';

const PASSWORD = 'Correct-horse-7-battery';
const ortoo = new Ortoo(['incident.escalate_1=4s']);
const strict = new Ortoo(['auth.require_second_factor=true']);
let browser, chief, deputy, east, west, incident, secret, recovery;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
	await strict.stop();
});

let keeper;
const step = play(() => ({ chief, deputy, east, west, keeper }), ortoo);

async function enter(name, size = {}) {
	const page = await person(browser, size);
	await logIn(page, ortoo, { name, password: PASSWORD });
	return page;
}

/** What a method answers: "ok" or the error's code. */
async function tries(page, method, params) {
	return page.evaluate(async ([m, p]) => {
		const reply = await fetch(`/api/v1/${m}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(p) });
		return reply.ok ? 'ok' : (await reply.json()).error.code;
	}, [method, params]);
}

/** RFC 6238 of this step, or of a later one. */
function totp(base32, later = 0) {
	const bits = [...base32].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000) + later));
	const mac = createHmac('sha1', key).update(counter).digest();
	return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

async function openDialog(page, name) {
	await page.click('.menu summary');
	await page.click(`.menu-list [data-open=${name}]`);
	await page.waitForSelector('dialog');
}

async function closeDialog(page) {
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
}

/** Nothing stands out of the window, and no text of the strip is cut without saying the rest. */
async function fits(page, what) {
	const faults = await page.evaluate(() => {
		const out = [];
		if (document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight) {
			out.push(`page ${document.documentElement.scrollWidth}x${document.documentElement.scrollHeight}`);
		}
		for (const e of document.querySelectorAll('.strip > *, .line > *, .bar > *')) {
			const box = e.getBoundingClientRect();
			if (box.width && (box.right > innerWidth + 1 || box.left < -1)) {
				out.push(`${e.className} ${Math.round(box.left)}..${Math.round(box.right)}`);
			}
		}
		for (const e of document.querySelectorAll('.name, .line-text')) {
			if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && getComputedStyle(e).overflow !== 'visible' && !e.closest('[title]')) {
				out.push(`cut without title: ${e.textContent}`);
			}
		}
		return out;
	});
	assert.deepEqual(faults, [], what);
}

step('two divisions with a dispatcher each; what one makes the other does not see', async () => {
	chief = await person(browser, { width: 1920, height: 1080 });
	await setUp(chief, ortoo);
	for (const [id, name, parent] of [['city', '鄂尔多斯市'], ['east', '鄂托克旗', 'city'], ['west', '乌审旗', 'city'], ['sumu', '苏米图苏木', 'east']]) {
		await call(chief, 'directory.put', { kind: 'division', item: { id, name, ...(parent ? { parent } : {}) } });
		await call(chief, 'directory.put', { kind: 'site', item: { id: `s-${id}`, name: `${name}值班室`, division: id, address: `sip:${id}@127.0.0.1` } });
		await call(chief, 'directory.put', { kind: 'person', item: { id: `p-${id}`, name: `巴图-${id}`, division: id, title: '值班员' } });
	}
	for (const division of ['east', 'west']) {
		await call(chief, 'account.put', { name: `${division}-duty`, display: `${division}-duty`, role: 'dispatcher', password: PASSWORD, disabled: false, division });
	}
	east = await enter('east-duty');
	west = await enter('west-duty', { width: 1366, height: 768 });
	await openIncident(east, { place: 'Otog' });
	incident = (await call(east, 'incident.list', {})).incidents[0].id;
	const { id: conference } = await call(east, 'conference.open', { name: 'east conference' });
	await chief.waitForSelector('.scene-clock');
	await sleep(500);
	assert.equal(await west.locator('.scene-clock').count(), 0, 'the page of the west knows nothing');
	assert.deepEqual((await call(west, 'incident.list', {})).incidents, []);
	assert.deepEqual((await call(west, 'conference.list', {})).conferences, []);
	assert.deepEqual((await call(west, 'directory.get')).people.map((p) => p.id), ['p-west']);
	assert.deepEqual((await call(east, 'directory.get')).sites.map((s) => s.id), ['s-east', 's-sumu']);
	for (const [method, params] of [['incident.get', { id: incident }], ['incident.note', { id: incident, text: 'x' }], ['conference.get', { id: conference }],
		['incident.log', { id: incident }], ['conference.close', { id: conference }], ['party.call', { conference, address: 'sip:east@127.0.0.1' }],
		['directory.put', { kind: 'site', item: { id: 's-east', name: 'mine', division: 'west' } }], ['directory.put', { kind: 'person', item: { name: 'of the house' } }]]) {
		assert.equal(await tries(west, method, params), 'forbidden', method);
	}
	assert.equal(await tries(west, 'directory.put', { kind: 'person', item: { id: 'p-new', name: 'Nomin', division: 'west' } }), 'ok');
	assert.equal(await tries(east, 'conference.close', { id: conference }), 'ok');
	await until('the text of the menu', async () => (await east.locator('.menu-list p').first().textContent()).includes('鄂托克旗'));
});

step('a share to read shows it, a share to command lets act, its end hides it again', async () => {
	const { id } = await call(east, 'access.share', { kind: 'incident', object: incident, to: 'west' });
	await west.waitForSelector('.scene-clock');
	assert.equal(await tries(west, 'incident.note', { id: incident, text: 'x' }), 'forbidden');
	assert.equal(await tries(west, 'access.unshare', { id }), 'forbidden');
	assert.equal((await call(east, 'access.share', { kind: 'incident', object: incident, to: 'west', command: true })).id, id);
	assert.equal(await tries(west, 'incident.note', { id: incident, text: 'help is on its way' }), 'ok');
	await call(east, 'access.unshare', { id });
	assert.equal(await tries(west, 'incident.get', { id: incident }), 'forbidden');
	await until('it to be gone from the page', async () => await west.locator('.scene-clock').count() === 0);
});

step('an administrator sets up a second factor, and needs it from then on', async () => {
	await call(chief, 'account.put', { name: 'deputy', display: 'deputy', role: 'administrator', password: PASSWORD, disabled: false });
	deputy = await enter('deputy');
	await deputy.waitForSelector('.line-text');
	await openDialog(deputy, 'factor');
	await deputy.waitForSelector('dialog svg.qr');
	secret = await deputy.getAttribute('[data-secret]', 'data-secret');
	await deputy.fill('dialog input[name=code]', '000000');
	await deputy.click('dialog form button.main');
	await deputy.waitForSelector('dialog .cause');
	await shot(deputy, 'factor-1366');
	assert.deepEqual(await axeFaults(deputy), []);
	await deputy.fill('dialog input[name=code]', totp(secret));
	await deputy.click('dialog form button.main');
	await deputy.waitForSelector('[data-recovery] li:nth-of-type(8)');
	recovery = await deputy.locator('[data-recovery] code').allTextContents();
	await deputy.click('[data-done]');
	await deputy.waitForSelector('.console');
	await deputy.context().close();
	deputy = await person(browser);
	await deputy.goto(ortoo.url);
	await deputy.fill('input[name=name]', 'deputy');
	await deputy.fill('input[name=password]', PASSWORD);
	await deputy.click('button.main');
	await deputy.waitForSelector('input[name=code]');
	await shot(deputy, 'login-code-1366');
	await deputy.fill('input[name=code]', totp(secret, -1)); // of the step before: that of the set-up is used up, this is older
	await deputy.click('button.main');
	await deputy.waitForSelector('.cause');
	await deputy.fill('input[name=code]', totp(secret, 1));
	await deputy.click('button.main');
	await deputy.waitForSelector('.console', { timeout: 20000 });
	assert.equal((await call(deputy, 'auth.whoami')).second_factor, true);
	const other = await person(browser);
	await other.goto(ortoo.url);
	assert.equal(await tries(other, 'auth.login', { name: 'deputy', password: PASSWORD, code: recovery[2] }), 'ok');
	assert.equal(await tries(other, 'auth.login', { name: 'deputy', password: PASSWORD, code: recovery[2] }), 'credentials');
	await other.context().close();
});

step('sessions are listed, and ending one closes its page', async () => {
	await openDialog(chief, 'admin');
	await chief.waitForSelector('[data-session="account:west-duty"]');
	assert.match(await chief.textContent('[data-session="account:west-duty"]'), /127\.0\.0\.1/);
	await chief.locator('[data-sessions]').scrollIntoViewIfNeeded();
	await shot(chief, 'admin-sessions-1920');
	assert.deepEqual(await axeFaults(chief), []);
	await chief.click('[data-session="account:west-duty"] [data-end]');
	await west.waitForSelector('input[name=password]', { timeout: 10000 });
	assert.equal(await tries(west, 'auth.whoami', {}), 'unauthenticated');
	await shot(west, 'session-ended-1366');
	await closeDialog(chief);
	await chief.setViewportSize({ width: 1366, height: 768 });
	await openDialog(chief, 'admin');
	await chief.waitForSelector('[data-sessions] tbody tr');
	await shot(chief, 'admin-1366-access');
	const wide = await chief.evaluate(() => [document.querySelector('dialog').scrollWidth, document.querySelector('dialog').clientWidth]);
	assert.ok(wide[0] <= wide[1] + 1, `the dialog overflows: ${wide}`);
	await closeDialog(chief);
	await chief.setViewportSize({ width: 1920, height: 1080 });
});

step('four eyes: the second administrator approves, and only then the first one has the file', async () => {
	assert.equal(await tries(chief, 'log.export', {}), 'approval');
	const own = (await call(chief, 'approval.list')).approvals[0];
	assert.equal(own.state, 'waiting');
	assert.equal(await tries(chief, 'approval.decide', { id: own.id, approve: true }), 'conflict');
	await call(chief, 'approval.decide', { id: own.id, approve: false });
	await chief.keyboard.press('/');
	await chief.fill('.chooser-input', '/directory');
	await chief.keyboard.press('Enter');
	await chief.waitForSelector('dialog [data-template]');
	const download = chief.waitForEvent('download', { timeout: 30000 });
	await chief.click('dialog [data-template] + button');
	await deputy.waitForSelector('.alarms.some', { timeout: 10000 });
	await deputy.click('.alarms');
	await deputy.click('.alarm-list li:has(.glyph.g-alarm) button:not([data-shelve]):not(.main)');
	await deputy.waitForSelector('[data-approval=waiting]');
	await shot(deputy, 'approvals-1366');
	assert.deepEqual(await axeFaults(deputy), []);
	await deputy.click('[data-approval=waiting] [data-approve]');
	assert.equal((await download).suggestedFilename(), 'directory.csv');
	await deputy.waitForSelector('[data-approval=used]');
	await closeDialog(deputy);
	await closeDialog(chief);
	assert.equal(await tries(chief, 'account.put', { name: 'third', display: 'third', role: 'administrator', password: PASSWORD, disabled: false }), 'approval', 'a third administrator');
	assert.equal(await tries(chief, 'account.put', { name: 'viewer', display: 'viewer', role: 'viewer', password: PASSWORD, disabled: false }), 'ok');
	assert.equal(await tries(chief, 'account.remove', { name: 'deputy' }), 'approval');
});

step('the audit reader filters, pages and exports', async () => {
	await openDialog(chief, 'audit');
	await chief.waitForSelector('dialog tbody tr');
	await chief.click('[data-verify]');
	await chief.waitForSelector('.audit .s-present');
	await chief.selectOption('.audit-filter select[name=type]', 'approval.');
	await chief.click('.audit-filter button.main');
	await until('only approvals', async () => {
		const types = await chief.locator('dialog tbody tr').evaluateAll((rows) => rows.map((r) => r.dataset.type));
		return types.length > 3 && types.every((x) => x.startsWith('approval.'));
	});
	await chief.fill('.audit-filter input[name=text]', 'directory.export');
	await chief.click('.audit-filter button.main');
	await until('one record', async () => await chief.locator('dialog tbody tr').count() === 1);
	await shot(chief, 'audit-1920');
	assert.deepEqual(await axeFaults(chief), []);
	const download = chief.waitForEvent('download', { timeout: 30000 });
	await chief.click('[data-export]');
	const id = await until('the request', async () => (await call(deputy, 'approval.list')).approvals.find((a) => a.state === 'waiting' && a.method === 'log.export')?.id);
	await call(deputy, 'approval.decide', { id, approve: true });
	const csv = readFileSync(await (await download).path(), 'utf8');
	assert.match(csv, /^\ufeffseq,time_utc,actor,type,incident,facts,hash\r\n\d+,\d{4}-.*approval\.ask/);
	const lines = csv.trim().split('\r\n').slice(1);
	assert.equal(lines.length, 2, 'what was found, and the request for this very export, which names its filter');
	assert.ok(lines.every((l) => l.includes('approval.ask')));
	await closeDialog(chief);
	const { records } = await call(chief, 'log.list', { incident, text: 'help is on', newest: true });
	assert.equal(records.length, 1);
	assert.equal((await call(chief, 'log.list', { to_ms: 1000 })).records.length, 0);
	assert.ok((await call(chief, 'log.list', { actor: 'EAST', limit: 5 })).records.every((r) => r.actor.includes('east')));
});

step('keys are shown, can be changed, and a conflict is said', async () => {
	await chief.keyboard.press('?');
	const row = chief.locator('[data-act="key.links|incident"]');
	await row.locator('button').click();
	await row.locator('[role=status]').waitFor();
	await chief.keyboard.press('n');
	await chief.waitForSelector('[data-conflict]');
	await shot(chief, 'keys-1920');
	assert.deepEqual(await axeFaults(chief), []);
	await row.locator('button:not(.main)').click();
	await row.locator('button').click();
	await row.locator('[role=status]').waitFor();
	await chief.keyboard.press('y');
	await until('the new key', async () => /Y/.test(await row.locator('kbd').first().textContent()));
	await closeDialog(chief);
	await chief.click('#tab-scene');
	await chief.keyboard.press('y');
	await chief.waitForSelector('#tab-links[aria-selected=true]');
	await chief.reload();
	await chief.waitForSelector('.scene-clock');
	await chief.keyboard.press('y');
	await chief.waitForSelector('#tab-links[aria-selected=true]');
	await chief.keyboard.press('/');
	await chief.fill('.chooser-input', '/note key words work');
	await chief.keyboard.press('Enter');
	await chief.click('#tab-log');
	await chief.waitForSelector('.log .is-note >> text=key words work');
});

step('alarms: a class, a shelf with its end, and who has it', async () => {
	await chief.waitForSelector('.alarms.some', { timeout: 10000 });
	await chief.click('.alarms');
	await chief.click('.alarm-list .class-1 [data-shelve="10"]');
	await chief.waitForSelector('.alarm-list .shelved [data-shelved]');
	assert.equal(await chief.locator('.alarms.some').count(), 0, 'a shelved one is quiet');
	await chief.click('.alarm-list .shelved button');
	await chief.waitForSelector('.alarm-list .class-1');
	await shot(chief, 'alarms-1920');
	assert.deepEqual(await axeFaults(chief), []);
	await chief.keyboard.press('a');
	await until('by whom', async () => (await chief.textContent('.alarm-list [data-acked]')).includes(ADMIN.name));
	await closeDialog(chief);
	await until('the other console to see by whom', async () => {
		await east.click('.alarms');
		const text = await east.textContent('.alarm-list');
		await closeDialog(east);
		return text.includes(ADMIN.name);
	});
});

step('people are found by pinyin initials and by the Latin name of the place; several are picked at once', async () => {
	const shown = () => chief.locator('.tree .person .name').allTextContents();
	for (const [query, ids] of [['etk', ['east', 'sumu']], ['wsq', ['west', 'new']], ['ordos', ['city', 'east', 'sumu', 'west', 'new']], ['bt', ['city', 'east', 'sumu', 'west']], ['nomin', ['new']]]) {
		await chief.fill('#search', query);
		await until(`${query} to find`, async () => {
			const names = await shown();
			return names.length === ids.length && ids.every((id) => names.some((n) => n.includes(id) || (id === 'new' && n.includes('Nomin'))));
		});
	}
	await chief.fill('#search', 'etk');
	await chief.click('[data-pick="p-east"]');
	await chief.click('[data-pick="p-sumu"]', { modifiers: ['Shift'] });
	await chief.click('[data-issue]');
	await chief.fill('#search', '');
	await chief.click('.tree-head .chip:nth-of-type(6)');
	await until('those who have not opened their link', async () => (await shown()).length === 2);
	await shot(chief, 'tree-filter-1920');
	await chief.click('.tree-head .chip:nth-of-type(1)');
});

step('no overflow and no fault of accessibility at 1920x1080 and 1366x768, in both languages', async () => {
	await call(chief, 'directory.put', { kind: 'person', item: { id: 'p-long', name: '内蒙古自治区鄂尔多斯市鄂托克旗应急管理局调度指挥中心主任', division: 'city', title: '应急指挥中心主任兼值班长' } });
	await call(chief, 'conference.open', { name: '鄂尔多斯市各旗区防汛调度视频会商第一次会' });
	for (const [width, height] of [[1920, 1080], [1366, 768]]) {
		await chief.setViewportSize({ width, height });
		for (const lang of ['zh-CN', 'en']) {
			await chief.goto(`${ortoo.url}/?lang=${lang}`);
			for (const mode of ['incident', 'conference']) {
				await chief.click(`[data-mode=${mode}]`);
				await chief.waitForSelector(`[data-mode=${mode}][aria-pressed=true]`);
				await sleep(700);
				await shot(chief, `console-${mode}-${lang}-${width}`);
				await fits(chief, `${mode} ${lang} ${width}`);
				assert.deepEqual(await axeFaults(chief), [], `${mode} ${lang} ${width}`);
			}
		}
	}
	assert.match(await chief.textContent('time.local'), /UTC\+8/);
	for (const page of [chief, deputy, east]) {
		assert.deepEqual(page.faults, []);
	}
});

step('a wall given to a division is seen there, and nowhere beside it', async () => {
	const { id } = await call(chief, 'device.issue', { kind: 'wall', name: 'Otog hall' });
	assert.deepEqual((await call(east, 'wall.list')).walls, []);
	await openDialog(chief, 'admin');
	await chief.selectOption(`[data-division="${id}"]`, 'east');
	await until('it to be seen', async () => (await call(east, 'wall.list')).walls.length === 1);
	const again = await enter('west-duty');
	assert.deepEqual((await call(again, 'wall.list')).walls, []);
	assert.equal(await tries(again, 'wall.layout', { wall: id, layout: 4 }), 'forbidden');
	assert.equal(await tries(east, 'wall.layout', { wall: id, layout: 4 }), 'ok');
	await again.context().close();
	await closeDialog(chief);
});

step('where a second factor is demanded, an administrator does nothing before', async () => {
	await strict.start();
	keeper = await person(browser);
	await keeper.goto(strict.setupLink());
	await keeper.fill('input[name=name]', ADMIN.name);
	await keeper.fill('input[name=password]', ADMIN.password);
	await keeper.fill('input[name=again]', ADMIN.password);
	await keeper.click('button.main');
	await keeper.waitForSelector('.gate svg.qr', { timeout: 20000 });
	assert.equal(await tries(keeper, 'account.list', {}), 'second_factor');
	assert.equal(await tries(keeper, 'directory.get', {}), 'second_factor');
	await shot(keeper, 'factor-demanded-1366');
	assert.deepEqual(await axeFaults(keeper), []);
	await keeper.fill('input[name=code]', totp(await keeper.getAttribute('[data-secret]', 'data-secret')));
	await keeper.click('.gate form button.main');
	await keeper.click('[data-done]');
	await keeper.waitForSelector('.console', { timeout: 20000 });
	assert.equal(await tries(keeper, 'account.list', {}), 'ok');
	assert.deepEqual(keeper.faults, []);
});
