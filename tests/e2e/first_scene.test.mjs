// The main job, by real pages: set-up link, console, incident, link, phone, preview, wall, talk, certificate.
// Then what must not hurt: the engine dies, the gateway dies, links are bad, the incident closes.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { call, certificate, guestLink, joinField, logIn, makeWall, openIncident, play, setUp } from './play.mjs';
import { seePicture } from './picture.mjs';

const STEPS = ['link_issued', 'link_opened', 'camera_granted', 'ice_connected', 'first_rtp', 'first_keyframe', 'first_drawn'];
const PLACE = { latitude: 40.6517, longitude: 109.8322, accuracy: 15 };
/** What the issue promises is 3 s; a loaded test machine is given more before it is called a fault. */
const BACK_MS = 15000;

const ortoo = new Ortoo();
let browser, console_page, wall, phone, link, incident;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ console: console_page, wall, phone }), ortoo);

/** Time until the wall's picture moves again. */
async function pictureBack(selector, since) {
	await seePicture(wall, selector, BACK_MS);
	return Date.now() - since;
}

step('the set-up link makes the first administrator and enters the console', async () => {
	console_page = await person(browser, { width: 1920, height: 1080, media: true });
	await setUp(console_page, ortoo);
	await shot(console_page, 'console-empty-1920');
	assert.deepEqual(await axeFaults(console_page), []);
});

step('a used set-up link says so, and the log-in form lets nobody in with a wrong password', async () => {
	const page = await person(browser);
	await page.goto(ortoo.setupLink());
	await page.waitForSelector('a[href="/"]');
	await page.goto(ortoo.url);
	await page.fill('input[name=name]', 'chief');
	await page.fill('input[name=password]', 'not the password');
	await page.click('button.main');
	await page.waitForSelector('[role=alert]');
	assert.deepEqual(await axeFaults(page), []);
	await shot(page, 'login-1366');
	await page.context().close();
});

step('a wall opens by its address and waits', async () => {
	const url = await makeWall(console_page, 'Main wall');
	wall = await person(browser, { width: 1920, height: 1080 });
	await wall.goto(url);
	await wall.waitForSelector('.idle time');
	await console_page.waitForSelector('.monitor .s-present');
	assert.deepEqual(await axeFaults(wall), []);
	assert.ok(!wall.url().includes('#'), 'the token does not stay in the address');
	const tab = await console_page.context().newPage();
	await tab.goto(url);
	await tab.waitForSelector('.idle time');
	assert.equal((await call(console_page, 'auth.whoami')).role, 'administrator', 'a wall in the same browser does not log the console out');
	await tab.close();
	await new Promise((done) => setTimeout(done, 300));
	assert.equal((await call(console_page, 'wall.list')).walls[0].online, true, 'one of two pages of a wall is closed: it is still online');
});

step('an incident starts the clock', async () => {
	await openIncident(console_page);
	const before_text = await console_page.textContent('.digits');
	await until('the clock to run', async () => (await console_page.textContent('.digits')) !== before_text);
	incident = (await call(console_page, 'incident.list', { open_only: true })).incidents[0].id;
	await shot(console_page, 'console-incident-1920');
});

step('a guest link opens on a phone, which sends', async () => {
	link = await guestLink(console_page, 'Batu');
	phone = await person(browser, { width: 390, height: 844, media: true, place: PLACE });
	await phone.goto(link);
	await phone.waitForSelector('[data-phase=ready]');
	assert.match(await phone.textContent('.who'), /Batu/);
	await shot(phone, 'field-ready-390');
	assert.deepEqual(await axeFaults(phone), []);
	await phone.click('button.huge');
	await phone.waitForSelector('.verdict.good, .verdict.wall', { timeout: 20000 });
	await shot(phone, 'field-live-390');
	assert.deepEqual(await axeFaults(phone), []);
});

step('the console previews the scene by itself', async () => {
	await console_page.waitForSelector('.cell[data-state=present]', { timeout: 20000 });
	await seePicture(console_page, '.cell video');
});

step('a still of the picked scene by one key', async () => {
	const saved = console_page.waitForEvent('download', { timeout: 10000 });
	await console_page.keyboard.press('F10');
	assert.match((await saved).suggestedFilename(), /\.png$/);
});

step('one key puts it on the wall, proved by its pixels, and the phone is told', async () => {
	await console_page.keyboard.press('1');
	await console_page.keyboard.press('F6');
	await seePicture(wall, '.window video');
	await wall.waitForSelector('.window[data-state=drawn]');
	assert.ok(await wall.locator('.window .drill').count(), 'a drill is marked on the wall');
	await console_page.waitForSelector('.monitor .window[data-state=drawn]');
	await phone.waitForSelector('[data-verdict=wall]');
	await seePicture(console_page, '.monitor video');
	await shot(wall, 'wall-1920');
	await shot(console_page, 'console-on-wall-1920');
	await shot(phone, 'field-on-wall-390');
	assert.deepEqual(await axeFaults(wall), []);
	assert.deepEqual(await axeFaults(console_page), []);
});

step('the place of the phone is on the console', async () => {
	await until('a position', async () => (await call(console_page, 'incident.get', { id: incident })).scenes[0].position);
	await console_page.keyboard.press('m');
	await console_page.waitForSelector('.map .m-person .pin');
	await shot(console_page, 'console-map-1920');
	await console_page.keyboard.press('m');
});

step('sound goes both ways and is proved', async () => {
	await console_page.keyboard.down('Space');
	await console_page.waitForSelector('.on-air');
	await phone.waitForSelector('.speaking', { timeout: 15000 });
	await shot(phone, 'field-hears-390');
	await console_page.keyboard.up('Space');
	await console_page.waitForSelector('.on-air', { state: 'detached' });
	await certificate(console_page, incident, ['heard_dispatcher', 'heard_scene', 'two_way']);
});

step('the certificate has every stamp, in order, and the verdict', async () => {
	const c = await certificate(console_page, incident, STEPS);
	const at = Object.fromEntries(c.scenes[0].stamps.map((s) => [s.step, s.at_ms]));
	// Engine and page see the camera and the connection in either order; the rest must follow each other.
	for (const [earlier, later] of [['link_issued', 'link_opened'], ['link_opened', 'camera_granted'], ['camera_granted', 'first_rtp'], ['ice_connected', 'first_rtp'],
		['first_rtp', 'first_keyframe'], ['first_keyframe', 'first_drawn']]) {
		assert.ok(at[earlier] <= at[later], `${earlier} ${at[earlier]} is not after ${later} ${at[later]}`);
	}
	assert.equal(c.verdict, 'met');
	const page = await console_page.context().newPage();
	await page.goto(`${ortoo.url}/certificate/${incident}`);
	await page.waitForSelector('[data-verdict=met]');
	await shot(page, 'certificate');
	assert.deepEqual(await axeFaults(page), []);
	await page.close();
	const verdict = await call(console_page, 'log.verify');
	assert.ok(verdict.ok, `the log's chain is whole: ${verdict.why}`);
});

step('every dialog and tab is accessible; the screens at 1366 x 768', async () => {
	await console_page.setViewportSize({ width: 1366, height: 768 });
	await shot(console_page, 'console-1366');
	for (const tab of ['links', 'log', 'talk', 'scene']) {
		await console_page.click(`#tab-${tab}`);
		assert.deepEqual(await axeFaults(console_page), [], tab);
	}
	for (const key of ['?', 'F2', '/', 'Control+k']) {
		await console_page.keyboard.press(key);
		await console_page.waitForSelector('dialog');
		assert.deepEqual(await axeFaults(console_page), [], key);
		await console_page.keyboard.press('Escape');
		await console_page.waitForSelector('dialog', { state: 'detached' });
	}
	await console_page.setViewportSize({ width: 1920, height: 1080 });
});

step('the phone goes away: the wall turns red, the console is alarmed; it comes back by its own link', async () => {
	await phone.goto('about:blank');
	await wall.waitForSelector('.window.bad[data-state=frozen]', { timeout: BACK_MS });
	await shot(wall, 'wall-frozen-1920');
	assert.deepEqual(await axeFaults(wall), []);
	await console_page.waitForSelector('.monitor .window[data-state=frozen]');
	await console_page.waitForSelector('.alarms.some');
	await console_page.click('.alarms');
	await console_page.waitForSelector('.alarm-list .class-2');
	await shot(console_page, 'console-alarms-1920');
	assert.deepEqual(await axeFaults(console_page), []);
	await console_page.keyboard.press('Escape');
	await joinField(phone, link);
	await seePicture(wall, '.window video', BACK_MS);
	await wall.waitForSelector('.window[data-state=drawn]');
	await console_page.waitForSelector('.alarms:not(.some)');
});

step('a new path: ICE restarts, the connection stays', async () => {
	const ids = await phone.evaluate(async () => {
		const { media } = await import('/field/state.js');
		const before = media.id;
		media.lost();
		await new Promise((done) => setTimeout(done, 2500));
		return [before, media.id, media.state.value];
	});
	assert.deepEqual(ids, [ids[0], ids[0], 'up']);
	await seePicture(wall, '.window video', BACK_MS);
});

step('the engine is killed: pictures come back by themselves', async (t) => {
	const pids = ortoo.enginePids();
	assert.ok(pids.length, 'an engine runs below the gateway');
	const since = Date.now();
	ortoo.killEngine();
	await until('a new engine', () => ortoo.enginePids().some((pid) => !pids.includes(pid)));
	const engine_ms = Date.now() - since;
	const ms = await pictureBack('.window video', since);
	t.diagnostic(`engine killed: new engine after ${engine_ms} ms, picture back after ${ms} ms`);
	await seePicture(console_page, '.cell video', BACK_MS);
	assert.equal((await call(console_page, 'incident.get', { id: incident })).closed_ms, 0);
});

step('the gateway is killed: media goes on, the pages come back', async (t) => {
	const frames = () => wall.evaluate(() => document.querySelector('.window video').getVideoPlaybackQuality().totalVideoFrames);
	await ortoo.killGateway();
	const before_frames = await frames();
	await sleep(1500);
	const during = (await frames()) - before_frames;
	t.diagnostic(`gateway dead for 1.5 s: ${during} frames drawn`);
	assert.ok(during > 10, 'the wall goes on drawing without the gateway');
	const since = Date.now();
	await ortoo.start();
	await console_page.waitForSelector('[data-line=up]', { timeout: BACK_MS });
	t.diagnostic(`console back ${Date.now() - since} ms after the new start`);
	await seePicture(wall, '.window video', BACK_MS);
	await seePicture(console_page, '.cell video', BACK_MS);
	await console_page.waitForSelector('.cell[data-state=present]', { timeout: BACK_MS });
});

step('bad links are told in words', async () => {
	for (const [token, name] of [['no-such-token', 'unknown'], [link.split('/j/')[1], 'used']]) {
		const page = await person(browser, { width: 390, height: 844 });
		await page.goto(`${ortoo.url}/j/${token}`);
		await page.waitForSelector('[data-phase=ended] h1');
		await shot(page, `field-${name}-390`);
		assert.deepEqual(await axeFaults(page), [], name);
		await page.context().close();
	}
	const revoked = await guestLink(console_page, 'Gone');
	const row = (await call(console_page, 'incident.get', { id: incident })).links.find((l) => l.name === 'Gone');
	await call(console_page, 'link.revoke', { link: row.id });
	const page = await person(browser, { width: 390, height: 844 });
	await page.goto(revoked);
	await page.waitForSelector('[data-phase=ended] h1');
	await page.context().close();
});

step('an in-app browser is told to use another, without using up the link', async () => {
	const url = await guestLink(console_page, 'Chat');
	const chat = await person(browser, { width: 390, height: 844, agent: 'Mozilla/5.0 (iPhone) AppleWebKit/605 MicroMessenger/8.0' });
	await chat.goto(url);
	await chat.waitForSelector('[data-phase=in_app]');
	await shot(chat, 'field-in-app-390');
	await chat.context().close();
	const proper = await person(browser, { width: 390, height: 844 });
	await proper.goto(url);
	await proper.waitForSelector('[data-phase=ready]');
	await proper.context().close();
});

step('the phone says in words what is wrong with its camera or its network', async () => {
	const url = await guestLink(console_page, 'Trouble');
	const page = await person(browser, { width: 390, height: 844 });
	await page.addInitScript(() => {
		navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', window.wrong));
	});
	await page.goto(url);
	const words = new Set();
	for (const wrong of ['NotAllowedError', 'NotFoundError', 'NotReadableError']) {
		await page.evaluate((name) => { window.wrong = name; }, wrong);
		await page.click('button.huge');
		await page.waitForFunction((seen) => document.querySelector('[data-phase=trouble] h1') && !seen.includes(document.querySelector('h1').textContent), [...words]);
		words.add(await page.textContent('h1'));
		assert.deepEqual(await axeFaults(page), [], wrong);
	}
	await shot(page, 'field-trouble-390');
	assert.equal(words.size, 3, 'each trouble has its own words');
	await page.context().close();
	const lonely = await person(browser, { width: 390, height: 844 });
	await lonely.route('**/api/v1/link.open', (route) => route.abort());
	await lonely.goto(url);
	await lonely.waitForSelector('[data-phase=trouble] button.huge');
	await lonely.context().close();
});

step('a second operator logs in and sees the same', async () => {
	const second = await person(browser);
	await logIn(second, ortoo);
	await seePicture(second, '.cell video', BACK_MS);
	await second.context().close();
});

step('closing the incident ends the phone', async () => {
	await call(console_page, 'incident.close', { id: incident, reason: 'done' });
	await phone.waitForSelector('[data-phase=ended]');
	await shot(phone, 'field-closed-390');
	await console_page.waitForFunction(() => !document.querySelector('.push'));
});

step('no page broke its own content policy or threw', () => {
	for (const [name, page] of Object.entries({ console_page, wall, phone })) {
		assert.deepEqual(page.faults, [], name);
	}
});
