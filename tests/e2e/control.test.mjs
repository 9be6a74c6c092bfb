// Conference control by real pages and real parties: two consoles and two browsers that send a colour and a tone each. Who is
// seen is proved by colours, who is heard by tones, what stands in the log by its records.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { hasBaresip, startRoom } from './baresip.mjs';
import { axeFaults, openBrowser, person, shot } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { call, logIn, play, setUp } from './play.mjs';

const COLOURS = { red: [1, 0, 0], green: [0, 1, 0], blue: [0, 0, 1] };
const sip = await new Promise((done) => {
	const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
		const { port } = socket.address();
		socket.close(() => done(port));
	});
});
const ortoo = new Ortoo([`sip.zones=name=default bind=127.0.0.1 announce=127.0.0.1 port=${sip} tls_port=0 plain_rtp=yes md5=yes`]);
const members = {};
let browser, desk, other, id, room;

/** A site: a browser of its own that sends one colour and one tone, and tells what it sees and hears each second. */
function member(name, colour, tone) {
	const child = spawn(process.execPath, [fileURLToPath(new URL('member.mjs', import.meta.url)), ortoo.url, name, `Another-horse-8-${name}`, '8001', colour, String(tone), '0.5,0.5', '0.5,0.955', '--', '440', '600', '900'],
		{ stdio: ['pipe', 'pipe', 'inherit'] });
	members[name] = { child, seen: {} };
	let rest = '';
	child.stdout.on('data', (text) => {
		const lines = (rest + text).split('\n');
		rest = lines.pop();
		lines.filter(Boolean).forEach((line) => (members[name].seen = JSON.parse(line)));
	});
}

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	room?.kill('SIGTERM');
	Object.values(members).forEach((m) => m.child.kill('SIGTERM'));
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk, other }), ortoo);
const state = async () => call(desk, 'conference.get', { id });
const control = async () => (await state()).control;
const there = (p) => ['connecting', 'present', 'degraded', 'held'].includes(p.state);
const pick = async (page, p) => page.click(`.site[data-party="${p.id}"] .row`);

/** Which of the three colours the member sees in the middle. */
function colourAt(name) {
	const rgb = members[name].seen.colours?.[0] ?? [0, 0, 0];
	const top = Math.max(...rgb);
	return Object.keys(COLOURS).find((c) => COLOURS[c].every((on, n) => (on ? rgb[n] > 60 && rgb[n] === top : rgb[n] < top * 0.6))) ?? 'none';
}
const sees = (name, colour, ms = 20000) => until(`${name} sees ${colour}`, () => colourAt(name) === colour || Promise.reject(new Error(JSON.stringify(members[name].seen))), ms);
const hears = (name, hz, on, ms = 15000) => until(`${name} ${on ? 'hears' : 'does not hear'} ${hz}`, () => (members[name].seen.tones?.[hz] > -60) === on || Promise.reject(new Error(JSON.stringify(members[name].seen))), ms);

step('two consoles, two sites of one colour each', async () => {
	desk = await person(browser, { width: 1920, height: 1080, media: true });
	await setUp(desk, ortoo);
	for (const name of ['second', 'red', 'blue']) {
		await call(desk, 'account.put', { name, role: 'dispatcher', password: `Another-horse-8-${name}`, display: name });
	}
	await desk.keyboard.press('o');
	await desk.waitForSelector('.conf');
	const c = await call(desk, 'conference.open', { name: 'Flood', number: '8001' });
	id = c.id;
	await desk.waitForSelector('.number-chip');
	other = await person(browser, { width: 1366, height: 768, media: true });
	await logIn(other, ortoo, { name: 'second', password: 'Another-horse-8-second' });
	await other.click('.mode [data-mode=conference]');
	await other.waitForSelector('.number-chip');
	member('red', 'red', 600);
	member('blue', 'blue', 900);
	// both call themselves chromium: they are told apart by who came first
	await until('two sites', async () => (await state()).parties.filter((p) => p.video).length === 2, 40000);
	await until('both see something', () => members.red.seen.width > 0 && members.blue.seen.width > 0, 30000);
	await desk.keyboard.press('j');
	await desk.waitForSelector('[data-leave]');
	await until('three there', async () => (await state()).parties.filter(there).length === 3, 15000);
});

let red, blue, chief;

step('broadcast by key: every site sees it, the source sees the chair; both consoles say so', async () => {
	const sites = (await state()).parties.filter((p) => p.video);
	chief = (await state()).parties.find((p) => !p.video);
	await call(desk, 'conference.broadcast', { conference: id, mode: 'site', party: sites[0].id });
	await until('its colour', () => ['red', 'blue'].includes(colourAt('red')) || ['red', 'blue'].includes(colourAt('blue')), 20000);
	[red, blue] = colourAt('blue') === 'red' || colourAt('red') === 'red' ? sites : [sites[1], sites[0]];
	await call(desk, 'chair.grant', { conference: id, party: chief.id });
	await pick(desk, red);
	await desk.keyboard.press('F7');
	await until('broadcast', async () => (await control()).broadcast.party === red.id);
	await sees('blue', 'red');
	for (const page of [desk, other]) {
		await page.waitForSelector('[data-broadcast=site]');
		await page.waitForSelector(`.site[data-party="${red.id}"] [data-mark=air]`);
	}
	await shot(desk, 'control-broadcast-1920');
	await shot(other, 'control-broadcast-1366');
	const below = () => {
		const [r, g, b] = members.blue.seen.colours?.[1] ?? [0, 0, 0];
		return r - Math.max(g, b);
	};
	await until('red to the lower edge', () => below() > 100, 15000);
	await call(desk, 'conference.layout', { id, crawl: '防汛三级响应 · flood, level III' });
	await until('the crawl lies over it', () => below() < 60, 15000);
	assert.equal((await state()).views[0].crawl, '防汛三级响应 · flood, level III');
	await shot(desk, 'control-crawl-1920');
	await call(desk, 'conference.layout', { id, crawl: '' });
	await until('it is gone', () => below() > 100, 15000);
	await call(desk, 'conference.main_site', { conference: id, party: blue.id });
	await sees('red', 'blue');	// the source looks at the main site
	await assert.rejects(call(desk, 'party.view_site', { conference: id, party: blue.id, site: red.id }), /broadcast/);
	await desk.keyboard.press('Escape');
	await until('stopped', async () => (await control()).broadcast.mode === 'none');
	await other.waitForSelector('[data-broadcast]', { state: 'detached' });
});

step('the floor: hands in order, given by key, other microphones off, the list cleared; free discussion opens them', async () => {
	await hears('red', 900, true);
	await call(desk, 'floor.request', { conference: id, party: blue.id });
	await desk.keyboard.press('h');
	await other.click('#tab-floor');
	await other.waitForSelector(`[data-hand-of="${chief.id}"]`);
	assert.equal(await other.locator('[data-hand-of]').count(), 2);
	assert.equal(await other.locator('[data-hand-of]').first().getAttribute('data-hand-of'), blue.id);
	await desk.waitForSelector(`.site[data-party="${blue.id}"] [data-mark=hand]`);
	await desk.click('#tab-floor');
	await shot(desk, 'control-hands-1920');
	await shot(other, 'control-hands-1366');
	assert.deepEqual(await axeFaults(desk), []);
	assert.deepEqual(await axeFaults(other), []);
	await pick(desk, red);
	await desk.keyboard.press('g');
	await until('the floor', async () => (await control()).floor === red.id);
	assert.deepEqual((await control()).hands, []);
	const { parties } = await state();
	assert.equal(parties.find((p) => p.id === blue.id).mic_muted, true);
	assert.equal(parties.find((p) => p.id === chief.id).mic_muted, false);	// the chair
	await hears('red', 900, false);
	await hears('blue', 600, true);	// loudspeakers stay on
	await desk.keyboard.press('F8');
	await until('discussion', async () => !(await partyOfId(blue.id)).mic_muted);
	await hears('red', 900, true);
});

const partyOfId = async (party) => (await state()).parties.find((p) => p.id === party);

step('polling: two sites go round, next by key, pause; then for one viewer only', async () => {
	await desk.keyboard.press('p');
	await desk.waitForSelector('dialog [data-pick]');
	await desk.fill('dialog input[name=seconds]', '600');
	await desk.uncheck(`dialog [data-pick="${chief.id}"]`);
	await shot(desk, 'control-poll-1920');
	assert.deepEqual(await axeFaults(desk), []);
	await desk.click('dialog button.main');
	await until('polling', async () => (await control()).broadcast.mode === 'poll');
	const first = (await control()).broadcast.poll.party;
	await sees(first === red.id ? 'blue' : 'red', first === red.id ? 'red' : 'blue');
	await desk.keyboard.press('n');
	await until('the next', async () => (await control()).broadcast.poll.party !== first);
	await sees(first === red.id ? 'red' : 'blue', first === red.id ? 'blue' : 'red');
	await other.click('.broadcast button[aria-pressed]');
	await until('paused', async () => (await control()).broadcast.poll.paused);
	await desk.keyboard.press('Escape');
	await until('stopped', async () => (await control()).broadcast.mode === 'none');
	await call(desk, 'poll.start', { conference: id, viewer: red.id, parties: [blue.id], interval_ms: 5000 });
	await sees('red', 'blue');
	await call(desk, 'poll.stop', { conference: id, viewer: red.id });
});

step('view, lecture, layout, loop-back: each as pictures; a camera that cannot says so', async () => {
	await pick(desk, blue);
	await desk.keyboard.press('v');
	await desk.waitForSelector(`[data-looking="${blue.id}"]`);
	await shot(desk, 'control-looking-1920');
	await desk.keyboard.press('v');
	await desk.waitForSelector('[data-looking]', { state: 'detached' });
	await desk.click('[data-verb=lecture]');
	await until('lecture', async () => (await control()).broadcast.mode === 'lecture');
	assert.equal((await partyOfId(blue.id)).control.sees, 'audience');
	await sees('red', 'blue');
	await call(desk, 'conference.broadcast', { conference: id, mode: 'voice' });
	await call(desk, 'conference.voice', { conference: id, speak_ms: 500, hold_ms: 1000, level_db: -50 });
	await call(desk, 'conference.broadcast', { conference: id, mode: 'none' });
	await call(desk, 'party.loop', { conference: id, party: red.id, audio: true, video: true });
	await sees('red', 'red');
	await hears('red', 600, true);
	await hears('blue', 600, false);
	await call(desk, 'party.loop', { conference: id, party: red.id, audio: false, video: false });
	await hears('blue', 600, true);
	await assert.rejects(call(desk, 'party.camera', { conference: id, party: red.id, act: 'left' }), /no camera control/);
});

step('apart and back: each part hears itself only', async () => {
	await desk.click('#tab-floor');
	await desk.click('[data-split]');
	await desk.fill('dialog input[name=name]', 'Part A');
	for (const p of [red, blue, chief]) {
		await desk.setChecked(`dialog [data-pick="${p.id}"]`, p === red || p === chief);
	}
	await desk.click('dialog button.main');
	await desk.waitForSelector('[data-part]');
	const part = await desk.getAttribute('[data-part]', 'data-part');
	assert.equal((await call(desk, 'conference.get', { id: part })).parties.length, 2);
	await hears('blue', 600, false);
	await hears('red', 900, false);
	await desk.click('[data-part] button');
	await until('back', async () => (await state()).parties.filter(there).length === 3);
	await hears('blue', 600, true, 20000);
	assert.equal((await call(desk, 'conference.get', { id: part })).state, 'closed');
	await desk.waitForSelector('[data-leave]');	// this console's own seat was moved there and back
});

step('a SIP room that dials in waits at the door, heard by nobody, until it is let in', async (t) => {
	if (!hasBaresip()) {
		t.skip('no baresip');
		return;
	}
	const { password } = await call(desk, 'endpoint.put', { user: 'room-a', name: 'Room A', md5: true });
	await call(desk, 'lobby.set', { conference: id, on: true });
	room = startRoom(ortoo.state, 'room-a', password, sip, '8001');
	await desk.waitForSelector('[data-waiting]', { timeout: 20000 });
	await other.waitForSelector('[data-waiting]');
	const party = await desk.getAttribute('[data-waiting]', 'data-waiting');
	assert.equal((await partyOfId(party)).control.sees, 'lobby');
	await until('its picture of the door', async () => (await partyOfId(party)).state === 'present', 15000);
	await shot(desk, 'control-lobby-1920');
	await shot(other, 'control-lobby-1366');
	assert.deepEqual(await axeFaults(other), []);
	await sleep(1500);
	await hears('red', 440, false);
	await desk.keyboard.press('w');
	await until('let in', async () => !(await partyOfId(party)).control.waiting);
	await hears('red', 440, true, 20000);
	await call(desk, 'conference.broadcast', { conference: id, mode: 'site', party });
	await until('the room in the program', async () => (await state()).views[0].cells[0].party === party);
	await call(desk, 'conference.broadcast', { conference: id, mode: 'none' });
	await call(desk, 'lobby.set', { conference: id, on: false });
	await call(desk, 'party.hangup', { conference: id, party });
});

step('monitoring is unseen, barging in is heard; force release; planned end; all of it in the log', async () => {
	await other.click('[data-monitor]');
	await until('hidden', async () => (await state()).parties.some((p) => p.control.hidden && p.role === 'observer'), 15000);
	await desk.waitForSelector('[data-mark=hidden]');
	await other.click('[data-leave]');
	await until('gone', async () => !(await state()).parties.some((p) => p.control.hidden && there(p)), 15000);
	await call(desk, 'conference.priority', { conference: id, priority: 8 });
	await other.click('[data-barge]');
	await sleep(1000);
	assert.equal((await state()).parties.filter(there).length, 3);	// a dispatcher does not outrank it
	await call(desk, 'conference.priority', { conference: id, priority: 5 });
	await other.click('[data-barge]');
	await until('in', async () => (await state()).parties.filter(there).length === 4, 15000);
	await desk.click('#tab-floor');
	await desk.click('[data-extend="30"]');
	await until('the end', async () => (await control()).ends_ms > 0);
	await shot(desk, 'control-floor-1920');
	await call(desk, 'party.force_release', { conference: id, party: blue.id });
	await until('released', async () => (await partyOfId(blue.id)).why === 'force_released');
	const { records } = await call(desk, 'log.list', { limit: 500 });
	const types = new Set(records.map((r) => r.type));
	for (const type of ['conference.broadcast', 'chair.grant', 'floor.request', 'floor.give', 'conference.free_discussion', 'conference.poll', 'conference.poll_step', 'conference.main_site',
		'conference.voice', 'party.loop', 'conference.part', 'party.monitor', 'party.barge_in', 'party.force_release', 'conference.priority', 'conference.extend']) {
		assert.ok(types.has(type), type);
	}
	assert.ok(records.find((r) => r.type === 'party.barge_in').actor === 'u:second');
	assert.equal((await call(desk, 'log.verify')).ok, true);
	assert.deepEqual(desk.faults, []);
});
