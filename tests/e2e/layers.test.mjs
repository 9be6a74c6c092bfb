// The phone sends two pictures: thumbnails of the console get the small one, the wall the large one, and a phone with one
// bar of signal sends the small one only.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { openBrowser, person, shot } from './browser.mjs';
import { Ortoo, until } from './ortoo.mjs';
import { guestLink, joinField, makeWall, openIncident, play, setUp } from './play.mjs';
import { seePicture } from './picture.mjs';

const ortoo = new Ortoo();
const phones = [];
let browser, desk, wall;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, wall, phone: phones[0] }), ortoo);

const width = (page, selector) => page.evaluate((s) => document.querySelector(s)?.videoWidth ?? 0, selector);

/** What each encoding of a phone has sent, by its name. */
const sent = (page) => page.evaluate(async () => {
	const out = {};
	for (const pc of window.connections) {
		(await pc.getStats()).forEach((row) => {
			if (row.type === 'outbound-rtp' && row.kind === 'video') {
				out[row.rid] = { frames: row.framesSent ?? 0, width: row.frameWidth ?? 0 };
			}
		});
	}
	return out;
});

/** A phone whose connections the test can look into. */
async function openPhone(name, thin) {
	const page = await person(browser, { width: 390, height: 844, media: true });
	await page.addInitScript((is_thin) => {
		window.connections = [];
		const Real = window.RTCPeerConnection;
		window.RTCPeerConnection = class extends Real {
			constructor(...args) {
				super(...args);
				window.connections.push(this);
			}
		};
		window.line = { effectiveType: is_thin ? '2g' : '4g', downlink: is_thin ? 0.1 : 10, saveData: false };
		Object.defineProperty(navigator, 'connection', { get: () => window.line });
	}, thin);
	const url = await guestLink(desk, name);
	await joinField(page, url);
	phones.push(page);
	return page;
}

step('three phones send, each two pictures', async () => {
	desk = await person(browser, { width: 1366, height: 768, media: true });
	await setUp(desk, ortoo);
	wall = await person(browser, { width: 1280, height: 720 });
	await wall.goto(await makeWall(desk, 'Wall'));
	await openIncident(desk);
	for (const name of ['Batu', 'Wulan', 'Saran']) {
		await openPhone(name, false);
	}
	await until('both encodings', async () => {
		const rows = await sent(phones[0]);
		assert.deepEqual(Object.keys(rows).sort(), ['h', 'l']);
		return rows.h.frames > 5 && rows.l.frames > 5 && rows.l.width === 320 && rows.h.width === 640;
	}, 20000);
});

step('the thumbnail shows the small picture', async () => {
	await seePicture(desk, '.grid .cell video', 20000);
	await until('the small picture in the thumbnail', async () => (await width(desk, '.grid .cell video')) === 320, 20000);
});

step('the wall shows the large one, while thumbnails of others stay small', async () => {
	await desk.keyboard.press('1');
	await desk.keyboard.press('F6');
	await seePicture(wall, '.window video', 20000);
	await until('the large picture on the wall', async () => (await width(wall, '.window video')) === 640, 20000);
	assert.equal(await width(desk, '.grid .cell:nth-of-type(2) video'), 320);
});

step('one bar of signal: only the small picture goes out, and it is still on the wall', async () => {
	await phones[0].evaluate(() => Object.assign(window.line, { effectiveType: '2g', downlink: 0.1 }));
	await phones[0].waitForSelector('[data-weak]');
	await shot(phones[0], 'field-weak-390');
	await until('the small picture on the wall', async () => (await width(wall, '.window video')) === 320, 20000);
	const before = (await sent(phones[0])).h?.frames ?? 0;
	await seePicture(wall, '.window video', 20000);
	assert.equal((await sent(phones[0])).h?.frames ?? 0, before, 'the large one rests');
});

step('a phone that starts with one bar never sends the large one', async () => {
	const page = await openPhone('Thin', true);
	await until('the small picture to go out', async () => ((await sent(page)).l?.frames ?? 0) > 20, 20000);
	assert.ok(((await sent(page)).h?.frames ?? 0) <= 60, 'the large one stops within the first seconds');
});
