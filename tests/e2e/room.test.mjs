// A duty room whose PC has only a browser: device token -> kiosk page -> rung by its site from a conference -> picture both ways;
// the page starts again, the gateway is killed: the room is back in its call; a room that asks; declining.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, until } from './ortoo.mjs';
import { call, play, setUp } from './play.mjs';

const ortoo = new Ortoo(['party.ring=20s']);
let browser, desk, east, west, conference;
const device = {};

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, east, west }), ortoo);
const party = async (site) => (await call(desk, 'conference.get', { id: conference })).parties.find((p) => p.site === site);
const there = (site) => until(`${site} in the conference`, async () => {
	const p = await party(site);
	return p?.state === 'present' && p.video && p.audio && p;
}, 25000);
/** The mix really runs on the page: frames are drawn, and not all of them black. */
const sees = (page) => until('a moving picture', () => page.evaluate(() => {
	const video = document.querySelector('video.program');
	const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
	const grows = frames > (window.frames_before ?? 0);
	window.frames_before = frames;
	if (!video?.videoWidth) {
		return false;
	}
	const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
	const paint = canvas.getContext('2d');
	paint.drawImage(video, 0, 0, 64, 36);
	return grows && Math.max(...paint.getImageData(0, 0, 64, 36).data.filter((_v, n) => n % 4 < 3)) > 80;
}), 25000);

async function openRoom(key, site, name, answer) {
	const made = await call(desk, 'device.issue', { kind: 'room', name: `${name} PC` });
	device[key] = made.id;
	await call(desk, 'directory.put', { kind: 'site', item: { id: site, name, division: 'd-1' } });
	await call(desk, 'room.put', { device: made.id, site, answer });
	const page = await person(browser, { width: 1920, height: 1080, media: true });
	await page.goto(made.url);
	await page.waitForSelector('[data-line=up]');
	return page;
}

step('a token is all that the page needs: name plate, clock, registered, self-test told', async () => {
	desk = await person(browser);
	await setUp(desk, ortoo);
	await call(desk, 'directory.put', { kind: 'division', item: { id: 'd-1', name: 'Baotou' } });
	east = await openRoom('east', 's-east', 'Donghe', 'auto');
	west = await openRoom('west', 's-west', 'Kundulun', 'ask');
	assert.equal(await east.textContent('.plate b'), 'Donghe');
	const row = await until('its health', async () => (await call(desk, 'room.list')).rooms.find((r) => r.device === device.east && r.health && r.online === 1));
	assert.equal(row.health.camera, true);
	assert.equal(row.health.microphone, true);
	assert.equal(row.call, null);
	await east.waitForSelector('[data-health=camera].good');
	await shot(east, 'room-idle-1920');
	assert.deepEqual(await axeFaults(east), []);
});

step('called by its site it answers by itself; one that asks is answered by a key; picture both ways', async () => {
	conference = (await call(desk, 'conference.open', { name: 'Morning', number: '8001', drill: true })).id;
	await call(desk, 'party.call', { conference, site: 's-east' });
	await call(desk, 'party.call', { conference, site: 's-west' });
	const p = await there('s-east');
	assert.equal(p.kind, 'room');
	assert.equal(p.address, `device:${device.east}`);
	await west.waitForSelector('[data-state=ring]');
	assert.equal((await party('s-west')).state, 'ringing');
	await shot(west, 'room-ring-1920');
	assert.deepEqual(await axeFaults(west), []);
	await west.keyboard.press('Enter');
	await there('s-west');
	await east.waitForSelector('[data-link=up]');
	await sees(east);
	await sees(west);
	await until('pictures of both at the mixer', async () => (await party('s-east')).sends.fps > 0 && (await party('s-west')).sends.fps > 0, 20000);
	await east.waitForSelector('[data-camera=open] [data-watchers="1"]');
	assert.match(await east.textContent('.privacy'), /Kundulun/);
	await east.waitForSelector('.call .drill');
	await shot(east, 'room-call-1920');
	await east.setViewportSize({ width: 1366, height: 768 });
	await shot(east, 'room-call-1366');
	assert.deepEqual(await axeFaults(east), []);
});

step('its own mute key; what the dispatcher shut stays shut', async () => {
	await east.keyboard.press('m');
	await until('muted', async () => (await party('s-east')).mic_muted);
	await east.waitForSelector('footer button[aria-pressed=true]');
	await east.keyboard.press('m');
	await until('open', async () => !(await party('s-east')).mic_muted);
});

step('a page that starts again is back in its call, the same party', async () => {
	const before = (await party('s-east')).id;
	await east.reload();
	await east.waitForSelector('[data-link=up]', { timeout: 20000 });
	assert.equal((await there('s-east')).id, before);
	await sees(east);
});

step('the gateway is killed and comes back: the call goes on', async () => {
	const before = (await party('s-east')).id;
	await ortoo.killGateway();
	await ortoo.start();
	await until('the page registered', async () => (await call(desk, 'room.get', { device: device.east })).online === 1, 20000);
	assert.equal((await there('s-east')).id, before);
	await there('s-west');
	await sees(east);
});

step('hung up by the dispatcher it is idle, its camera is shut; a declined call says so', async () => {
	await call(desk, 'party.hangup', { conference, party: (await party('s-east')).id });
	await east.waitForSelector('[data-state=idle]');
	assert.equal(await east.evaluate(() => document.querySelectorAll('video').length), 0);
	await west.click('footer .no');
	await west.waitForSelector('[data-state=idle]');
	await until('left', async () => (await party('s-west')).state === 'absent');
	await call(desk, 'party.call', { conference, site: 's-west' });
	await west.waitForSelector('[data-state=ring]');
	await west.click('.ring .no');
	await until('refused', async () => (await party('s-west')).state === 'refused');
	await east.close();
	await until('gone', async () => (await call(desk, 'room.get', { device: device.east })).online === 0);
	await call(desk, 'party.call', { conference, site: 's-east' });
	await until('nobody there', async () => (await party('s-east')).state === 'unreachable');
	assert.match((await party('s-east')).why, /not open/);
	assert.deepEqual(west.faults, []);
});

step('the room page in traditional Mongolian, vertical', async () => {
	await west.goto(`${ortoo.url}/room?lang=mn-Mong`);
	await west.waitForSelector('[data-line=up]');
	assert.match(await west.textContent('[data-line]'), /[\u1800-\u18af]/);
	await west.evaluate(() => document.fonts.ready);
	await shot(west, 'room-idle-mn');
	await call(desk, 'party.call', { conference, site: 's-west' });
	await west.waitForSelector('[data-state=ring]');
	assert.equal(await west.evaluate(() => getComputedStyle(document.querySelector('.ring')).writingMode), 'vertical-lr');
	await shot(west, 'room-ring-mn');
	assert.deepEqual(await axeFaults(west), []);
});

step('a quiet check: nobody rings, nobody is shown, the list says who would fail and why', async () => {
	await west.click('.ring .no');
	await call(desk, 'room.put', { device: device.west, site: 's-west', answer: 'rollcall' });
	await call(desk, 'directory.put', { kind: 'site', item: { id: 's-far', name: 'Far', address: 'sip:nobody@127.0.0.1:9', division: 'd-1' } });
	await desk.reload();
	await desk.waitForSelector('.console');
	await desk.click('.menu summary');
	await desk.click('[data-open=ready]');
	await desk.click('.ready button.main');
	await west.waitForSelector('.idle [data-camera=open]', { timeout: 20000 });
	await shot(west, 'room-check-mn');
	assert.equal((await call(desk, 'conference.list', { open_only: true })).conferences.length, 1);
	await desk.waitForSelector('[data-ready=closed]', { timeout: 40000 });
	const { entries } = await call(desk, 'ready.get');
	const of = (site) => entries.find((e) => e.site === site);
	assert.ok(of('s-west').score >= 80, JSON.stringify(of('s-west')));
	assert.equal(of('s-west').picture && of('s-west').sound, true);
	assert.deepEqual(of('s-east').faults.map((f) => f.fault), ['not_registered']);
	assert.deepEqual(of('s-far').faults.map((f) => f.fault), ['not_tested']);
	await shot(desk, 'ready-1366');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.keyboard.press('Escape');
	await west.waitForFunction(() => !document.querySelector('[data-camera=open]'));
});

step('the ribbon on the console, and the field page, in traditional Mongolian', async () => {
	await desk.evaluate(() => localStorage.setItem('ortoo.ribbon', '1'));
	await desk.reload();
	await desk.waitForSelector('[data-ribbon]');
	await desk.evaluate(() => document.fonts.ready);
	await shot(desk, 'console-ribbon-1366');
	assert.deepEqual(await axeFaults(desk), []);
	const incident = (await call(desk, 'incident.open', { kind: 'flood', level: 3, place: 'Donghe', text: 'x', drill: true })).id;
	const { link } = await call(desk, 'link.issue', { incident, guest_name: 'Bat' });
	const phone = await person(browser, { width: 412, height: 915, media: true });
	await phone.goto(`${link.url}?lang=mn-Mong`);
	await phone.waitForSelector('[data-phase=ready]');
	await phone.evaluate(() => document.fonts.ready);
	assert.equal(await phone.evaluate(() => getComputedStyle(document.querySelector('.message')).writingMode), 'vertical-lr');
	await shot(phone, 'field-mn');
	assert.deepEqual(await axeFaults(phone), []);
	await phone.click('button.huge');
	await phone.waitForSelector('[data-phase=live]', { timeout: 10000 });
	await shot(phone, 'field-live-mn');
	await phone.close();
});
