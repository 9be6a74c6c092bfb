// A conference by real pages: opened, two consoles join it with camera and microphone, layout and cells by key and by drag,
// microphone and loudspeaker muted apart, the content token taken, revoked and locked, the end by holding.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { call, logIn, play, setUp } from './play.mjs';
import { seePicture } from './picture.mjs';

const SECOND = { name: 'second', password: 'Another-horse-8-battery' };
const ortoo = new Ortoo();
let browser, desk, other, id;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, other }), ortoo);
const state = async () => call(desk, 'conference.get', { id });
const partyOf = async (name) => (await state()).parties.find((p) => p.name.includes(name));
const row = (page, party) => `.site[data-party="${party.id}"]`;
const program = async () => (await state()).views.find((v) => v.id === 'program');

/** Sound that came out of the decoders of a page, summed. */
const soundOf = (page) => page.evaluate(async () => {
	let sum = 0;
	for (const pc of window.connections) {
		(await pc.getStats()).forEach((r) => (sum += r.type === 'inbound-rtp' && r.kind === 'audio' ? r.totalAudioEnergy ?? 0 : 0));
	}
	return sum;
});

/** A browser without a screen to share gets a drawn one. */
async function fakeScreen(page) {
	await page.addInitScript(() => {
		window.connections = [];
		const Real = window.RTCPeerConnection;
		window.RTCPeerConnection = class extends Real {
			constructor(...args) {
				super(...args);
				window.connections.push(this);
			}
		};
		navigator.mediaDevices.getDisplayMedia = async () => {
			const canvas = document.createElement('canvas');
			[canvas.width, canvas.height] = [1280, 720];
			const paper = canvas.getContext('2d');
			let n = 0;
			setInterval(() => {
				paper.fillStyle = n++ % 2 ? '#204080' : '#208040';
				paper.fillRect(0, 0, 1280, 720);
			}, 200);
			return canvas.captureStream(5);
		};
	});
}

step('a conference is opened by key, with a number of its own', async () => {
	desk = await person(browser, { width: 1920, height: 1080, media: true });
	await fakeScreen(desk);
	await setUp(desk, ortoo);
	await call(desk, 'account.put', { name: SECOND.name, role: 'dispatcher', password: SECOND.password, display: 'Second desk' });
	await desk.keyboard.press('o');
	await desk.waitForSelector('.conf');
	await shot(desk, 'conference-none-1920');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.keyboard.press('F2');
	await desk.fill('dialog input[name=name]', 'Flood');
	await desk.fill('dialog input[name=number]', '8001');
	await desk.click('dialog button.main');
	await desk.waitForSelector('.number-chip');
	assert.equal(await desk.textContent('.number-chip'), '8001');
	const list = (await call(desk, 'conference.list', { open_only: true })).conferences;
	assert.equal(list.length, 1);
	id = list[0].id;
});

step('two consoles join, with voice and with camera; each sees both', async () => {
	await desk.keyboard.press('j');
	await desk.waitForSelector('[data-leave]');
	other = await person(browser, { width: 1366, height: 768, media: true });
	await fakeScreen(other);
	await logIn(other, ortoo, SECOND);
	await other.click('.mode [data-mode=conference]');
	await other.waitForSelector('.number-chip');
	await other.click('[data-join-camera]');
	await other.waitForSelector('[data-leave]');
	for (const page of [desk, other]) {
		await until('two sites present', async () => (await page.locator('.site[data-state=present]').count()) === 2, 20000);
	}
	await until('the camera', async () => (await state()).parties.some((p) => p.video), 10000);
	const camera = (await state()).parties.find((p) => p.video);
	assert.ok(camera, 'the camera is published under the party');
	assert.equal((await state()).parties.filter((p) => p.audio).length, 2);
	await until('figures of what it sends', async () => /\d+p/.test(await desk.textContent(`.site[data-party="${camera.id}"] .figures`)), 15000);
	await shot(desk, 'conference-1920');
	await shot(other, 'conference-1366');
	assert.deepEqual(await axeFaults(desk), []);
	assert.deepEqual(await axeFaults(other), []);
});

step('the program is the mixed picture, proved by its pixels; each hears the other', async () => {
	const camera = (await state()).parties.find((p) => p.video);
	await until('the mixer', async () => (await state()).mix.state === 'up', 20000);
	await desk.click('.layouts .chip:has-text("会场名")');
	await desk.click('[data-layout="1"]');
	await desk.keyboard.press(String((await state()).parties.findIndex((p) => p.id === camera.id) + 1));
	await desk.keyboard.press('Shift+Digit1');
	await seePicture(desk, '.screen video', 30000);
	await seePicture(other, '.screen video', 30000);
	await desk.waitForSelector('.screen[data-mix=up]');
	for (const page of [desk, other]) {
		const before = await soundOf(page);
		await until('sound of the other', async () => (await soundOf(page)) > before + 0.001, 15000);
	}
	await shot(desk, 'conference-program-1920');
	await desk.click('.layouts .chip:has-text("会场名")');
});

step('layouts by their icons; sites into cells by key and by drag', async () => {
	await desk.click('[data-layout="4"]');
	await desk.waitForSelector('.cell-place[data-cell="3"]');
	assert.equal(await desk.locator('.cell-place').count(), 4);
	await desk.keyboard.press('2');
	const second = (await state()).parties[1];
	await desk.waitForSelector(`[data-about="${second.id}"]`);
	await desk.keyboard.press('Shift+Digit3');
	await until('the cell', async () => (await program()).cells[2].party === second.id);
	assert.equal((await program()).layout, '4');
	const first = (await state()).parties[0];
	await desk.dragAndDrop(`.site[data-party="${first.id}"] .row`, '.cell-place[data-cell="1"]');
	await until('the other cell', async () => (await program()).cells[1].party === first.id);
	await desk.click('.cell-place[data-cell="0"]');
	await desk.click('.cell-bar [data-mode=voice]');
	await desk.waitForSelector('.cell-place[data-cell="0"][data-mode=voice]');
	await desk.click('.cell-bar [data-mode=poll]');
	await until('polling', async () => (await program()).cells[0].parties.length === 2);
	await desk.click('[data-layout="5+1"]');
	await desk.waitForSelector('.cell-place[data-cell="5"]');
	await shot(desk, 'conference-cells-1920');
	assert.equal(await other.locator('.cell-place').count(), 6, 'the other console follows');
});

step('microphone and loudspeaker are muted apart; one key for all but the chair', async () => {
	const second = (await state()).parties[1];
	await desk.click(`${row(desk, second)} .mutes button:nth-of-type(1)`);
	await until('the microphone', async () => (await partyOf(second.name)).mic_muted || (await state()).parties[1].mic_muted);
	assert.equal((await state()).parties[1].speaker_muted, false);
	await desk.click(`${row(desk, second)} .mutes button:nth-of-type(2)`);
	await until('the loudspeaker', async () => (await state()).parties[1].speaker_muted);
	await desk.click(`${row(desk, second)} .mutes button:nth-of-type(2)`);
	await desk.click(`${row(desk, second)} .mutes button:nth-of-type(1)`);
	await until('both open', async () => !(await state()).parties[1].mic_muted && !(await state()).parties[1].speaker_muted);
	const own = (await state()).parties[0];
	await call(desk, 'party.role', { conference: id, party: own.id, role: 'chair' });
	await desk.waitForSelector(`${row(desk, own)} .role`);
	await desk.keyboard.press('F9');
	await until('all but the chair', async () => {
		const [chair, rest] = (await state()).parties;
		return !chair.mic_muted && rest.mic_muted;
	});
	await desk.waitForSelector(`${row(desk, second)} .mutes button[aria-pressed=true]`);
	await desk.keyboard.press('F9');
	await until('nobody', async () => !(await state()).parties[1].mic_muted);
});

step('the screen is shown with the token; it is revoked, locked, handed over', async () => {
	const second = (await state()).parties[1];
	await other.keyboard.press('k');
	await until('the token', async () => (await state()).content.holder === second.id, 10000);
	await until('a second picture', async () => (await state()).parties[1].slides, 15000);
	await desk.click('#tab-content');
	await desk.waitForSelector(`[data-holder="${second.id}"]`);
	await shot(desk, 'conference-content-1920');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.click('[data-content] .danger');
	await until('nobody holds it', async () => !(await state()).content.holder);
	await until('its screen to be put down', async () => !(await state()).parties[1].slides);
	await desk.click('[data-content] .acts button:last-child');
	await until('the lock', async () => (await state()).content.locked);
	await desk.click('[data-content] .acts button:last-child');
	await other.keyboard.press('k');
	await until('the token again', async () => (await state()).content.holder === second.id, 10000);
	await desk.keyboard.press('1');
	await desk.click('#tab-content');
	const first = (await state()).parties[0];
	await desk.click('[data-content] .acts button:nth-of-type(2)');
	await until('it to change hands', async () => (await state()).content.holder === first.id, 10000);
	await other.waitForSelector('.conf-head button[aria-pressed=false]:has-text("K")');
	await call(desk, 'content.revoke', { conference: id });
});

step('a password is asked of nobody here; the conference is locked by key', async () => {
	await desk.keyboard.press('l');
	await until('the lock', async () => (await state()).locked);
	await desk.waitForSelector('.conf-head button[aria-pressed=true]:has(kbd:text-is("L"))');	// the key turns what this page shows
	await desk.keyboard.press('l');
	await until('no lock', async () => !(await state()).locked);
});

step('SIP accounts are made in the administration, their password shown once', async () => {
	await desk.click('.menu summary');
	await desk.click('.menu-list [data-open=admin]');
	await desk.click('[data-endpoints] summary');
	await desk.fill('[data-endpoints] input[name=user]', 'room1');
	await desk.click('[data-endpoints] form button.main');
	const secret = await desk.locator('[data-secret]').textContent({ timeout: 10000 });
	assert.ok(secret.length >= 8);
	assert.equal((await call(desk, 'endpoint.list')).endpoints[0].user, 'room1');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.keyboard.press('Escape');
	await desk.waitForSelector('dialog', { state: 'detached' });
});

step('one leaves; a short press ends nothing, two seconds end it for all', async () => {
	await other.click('[data-leave]');
	await other.waitForSelector('[data-join-camera]');
	await until('one left', async () => (await desk.locator('.site[data-state=present]').count()) === 1, 10000);
	await desk.hover('.hold');
	await desk.mouse.down();
	await sleep(800);
	await desk.mouse.up();
	await sleep(1500);
	assert.equal((await state()).state, 'open');
	await desk.mouse.down();
	await until('the end', async () => (await state()).state === 'closed', 6000);
	await desk.mouse.up();
	await desk.waitForSelector('[data-leave]', { state: 'detached' });
	assert.deepEqual([...desk.faults, ...other.faults], []);
});
