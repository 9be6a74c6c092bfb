// Content between SIP rooms and the conference page, by pixels: one room has a second video with BFCP (tests/interop/slides_room.py
// on Debian's libre and GStreamer), one has only its picture. Also rows of the list that failed, and looks that stay.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, root, until } from './ortoo.mjs';
import { call, play, setUp } from './play.mjs';

const peer = process.env.ORTOO_BFCP_PEER;
const sip = await new Promise((done) => {
	const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
		const { port } = socket.address();
		socket.close(() => done(port));
	});
});
const ortoo = new Ortoo([`sip.zones=name=default bind=127.0.0.1 announce=127.0.0.1 port=${sip} tls_port=0 plain_rtp=yes`, 'party.ring=5s']);
const rooms = [];
let browser, desk, id;

/** A room: what it sees now, a colour in the left of its picture and of its second picture, and what its floor said. */
function startRoom(...args) {
	const child = spawn('/usr/bin/python3', [join(root, 'tests/interop/slides_room.py'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
	const room = { child, port: 0, main: null, content: null, floor: [], say: (word) => child.stdin.write(`${word}\n`) };
	createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('{') && Object.assign(room, JSON.parse(line)));
	rooms.push(room);
	return room;
}

if (!peer || !existsSync(peer) || !existsSync('/usr/bin/python3')) {
	test('slides', { skip: 'bfcp_peer is not there' }, () => {});
	process.exit(0);
}

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	rooms.forEach((r) => r.child.kill('SIGTERM'));
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk }), ortoo);
const state = async () => call(desk, 'conference.get', { id });
const partyOf = async (name) => (await state()).parties.find((p) => p.name === name);
const colours = { red: [254, 0, 0], magenta: [254, 0, 254], green: [0, 200, 0] };
const near = (seen, name) => Boolean(seen) && seen.every((v, n) => Math.abs(v - colours[name][n]) < 70);
const sees = (page, selector) => page.evaluate((s) => {
	const video = document.querySelector(s);
	if (!video?.videoWidth) {
		return null;
	}
	const paper = new OffscreenCanvas(32, 18).getContext('2d');
	paper.drawImage(video, 0, 0, 32, 18);
	return [...paper.getImageData(6, 9, 1, 1).data].slice(0, 3);
}, selector);

step('two rooms and this console are in a conference; nobody is there before', async () => {
	const [with_slides, without] = [startRoom('red', 'magenta'), startRoom('blue', 'none')];
	desk = await person(browser, { width: 1920, height: 1080, media: true });
	await desk.addInitScript(() => {
		navigator.mediaDevices.getDisplayMedia = async () => {
			const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
			const paper = canvas.getContext('2d');
			setInterval(() => {
				paper.fillStyle = '#00c800';
				paper.fillRect(0, 0, 1280, 720);
			}, 100);
			return canvas.captureStream(10);
		};
	});
	await setUp(desk, ortoo);
	id = (await call(desk, 'conference.open', { name: 'Slides', drill: true })).id;
	await desk.keyboard.press('o');
	await until('words for an empty conference', async () => /还没有人在会场/.test(await desk.textContent('.program-mark')));
	for (const [name, room] of [['Room A', with_slides], ['Room B', without]]) {
		await until('the room to listen', () => room.port);
		await call(desk, 'party.call', { conference: id, address: `sip:room@127.0.0.1:${room.port}`, name });
		await until(`${name} to be present`, async () => (await partyOf(name)).state === 'present', 20000);
	}
	await desk.keyboard.press('j');
	await desk.waitForSelector('[data-leave]');
	await until('the program', async () => (await state()).mix.state === 'up', 20000);
	await until('Room A to see somebody', () => rooms[0].main && rooms[1].main, 20000);
});

step("a room's slides are seen in the conference page, small and large; taken back, they go", async () => {
	rooms[0].say('ask');
	await until('the floor', () => rooms[0].floor.includes('granted'), 10000);
	assert.equal((await state()).content.holder, (await partyOf('Room A')).id);
	await desk.click('#tab-content');
	await until('magenta in the panel', async () => near(await sees(desk, '[data-content] .slides video'), 'magenta'), 20000);
	await shot(desk, 'slides-panel-1920');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.keyboard.press('s');
	await until('magenta in the large picture', async () => near(await sees(desk, '.screen[data-slides] video'), 'magenta'), 20000);
	await shot(desk, 'slides-large-1920');
	await until('magenta in the picture of the room without a second one', () => near(rooms[1].main, 'magenta'), 20000);
	await call(desk, 'content.revoke', { conference: id });
	await until('the floor to be revoked', () => rooms[0].floor.includes('revoked'), 10000);
	await desk.waitForSelector('.screen[data-slides]', { state: 'detached' });
	await until('Room B to see sites again', () => !near(rooms[1].main, 'magenta'), 20000);
});

step("this console's screen is a room's second picture, and in the picture of a room without one", async () => {
	await desk.keyboard.press('k');
	await until('green in the second picture of Room A', () => near(rooms[0].content, 'green'), 20000);
	await until('green in the picture of Room B', () => near(rooms[1].main, 'green'), 20000);
	assert.ok(!near(rooms[0].main, 'green'), `Room A sees it twice: ${rooms[0].main}`);
	assert.ok(rooms[0].floor.includes('floor-held'), `${rooms[0].floor}`);
	rooms[0].say('ask'); // waits while somebody else has it
	await until('Room A in the queue', async () => (await state()).content.asking.length === 1, 10000);
	await desk.keyboard.press('k');
	await until('its turn', () => rooms[0].floor.filter((w) => w === 'granted').length === 2, 10000);
	await until('magenta again', async () => near(await sees(desk, '[data-content] .slides video'), 'magenta'), 20000);
	rooms[0].say('release');
	await until('nobody', async () => !(await state()).content.holder, 10000);
});

step('an address that failed offers to be called again or taken out; a look that is not named stays', async () => {
	await call(desk, 'party.call', { conference: id, address: 'sip:nobody@127.0.0.1:9', name: 'Nowhere' });
	await until('it to fail', async () => !['calling', 'connecting'].includes((await partyOf('Nowhere')).state), 20000);
	const row = `.site[data-party="${(await partyOf('Nowhere')).id}"]`;
	await desk.waitForSelector(`${row} [data-again]`);
	assert.equal(await desk.locator(`${row} .mutes button`).count(), 2);
	assert.ok((await desk.textContent(`${row} .cause`)).length > 3, 'the reason is said');
	await desk.click(`${row} .row`);
	assert.equal(await desk.locator('.panel .gain').count(), 0);
	await shot(desk, 'slides-failed-1920');
	await call(desk, 'conference.layout', { id, layout: '4', titles: true, clock: true, banner: 'Flood' });
	await call(desk, 'conference.layout', { id, layout: '9' });
	const look = (await state()).views[0];
	assert.deepEqual([look.layout, look.titles, look.clock, look.banner, look.auto], ['9', true, true, 'Flood', false]);
	await call(desk, 'conference.layout', { id, clock: false, banner: '' });
	assert.deepEqual([(await state()).views[0].clock, (await state()).views[0].banner, (await state()).views[0].titles], [false, null, true]);
	assert.deepEqual(desk.faults, []);
});
