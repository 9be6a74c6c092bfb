// The forwarding engine between two real browsers: simulcast layers, changes at key frames, repair of a bad link.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { chromium_path, Engine, inbound, openBrowser, publish, sleep, until, watch } from './engine_peer.mjs';

let browser;
before(async () => {
	browser = await openBrowser();
}, { timeout: 60000 });
after(() => browser?.close());

const skip = existsSync(chromium_path) ? false : 'no chromium';
const RIDS = ['q', 'h', 'f'];
const SIZES = [[320, 180, 'q'], [640, 360, 'h'], [1280, 720, 'f']];

async function withEngine(fn) {
	const engine = new Engine();
	try {
		await engine.start();
		await engine.call('room.open', { room: 'r' });
		await fn(engine);
	} finally {
		engine.stop();
	}
}

for (const video of ['VP8', 'H264']) {
	test(`${video}: the layer follows the window, the picture never stops`, { skip, timeout: 120000 }, () => withEngine(async (engine) => {
		await publish(browser, engine, { room: 'r', video, rids: RIDS });
		const viewer = await watch(browser, engine, { room: 'r', video });
		await until('the first whole key frame', () => engine.last('sink.first_keyframe', 'view'));
		await until('720 lines', async () => (await inbound(viewer)).frameHeight === 720, 60000);
		for (const [width, height, rid] of SIZES) {
			await engine.call('sink.prefer', { room: 'r', id: 'view', width, height });
			await until(`${height} lines`, async () => (await inbound(viewer)).frameHeight === height);
			assert.equal(engine.last('sink.layer', 'view').rid, rid);
		}
		const s = await inbound(viewer);
		assert.equal(s.packetsLost, 0);
		assert.equal(s.pliCount, 0);
		assert.ok(s.keyFramesDecoded >= 4);
		const { counters } = await engine.call('stats.get', {});
		assert.equal(counters.room_bad_rtcp, 0);
		assert.ok(counters.room_twcc_in > 0 && counters.room_twcc_out > 0);
	}));
}

test('5 % loss each way: repaired by retransmission', { skip, timeout: 120000 }, () => withEngine(async (engine) => {
	await publish(browser, engine, { room: 'r', video: 'VP8' });
	const candidate = await engine.impair('both loss 5 delay_ms 20');
	const viewer = await watch(browser, engine, { room: 'r', video: 'VP8', candidate });
	await until('a picture', async () => (await inbound(viewer)).framesDecoded > 30, 60000);
	await until('repairs', async () => (await inbound(viewer)).retransmittedPacketsReceived > 5, 60000);
	const before = await inbound(viewer);
	await sleep(5000);
	const s = await inbound(viewer);
	assert.ok(s.nackCount > 0);
	assert.ok(s.framesDecoded - before.framesDecoded > 20, `${s.framesDecoded - before.framesDecoded} frames in 5 s`);
	const { counters } = await engine.call('stats.get', {});
	assert.ok(counters.room_rtx_out > 5 && counters.room_nack_no_rtx === 0);
}));

test('a viewer that comes late sees the kept key frame or asks once', { skip, timeout: 120000 }, () => withEngine(async (engine) => {
	await publish(browser, engine, { room: 'r', video: 'VP8' });
	await until('packets', () => engine.last('source.up', 'video'));
	await sleep(3000);
	const viewer = await watch(browser, engine, { room: 'r', video: 'VP8' });
	await until('a picture', async () => (await inbound(viewer)).framesDecoded > 5);
	const { counters } = await engine.call('stats.get', {});
	assert.ok(counters.room_pli_out <= 2, `${counters.room_pli_out} requests`);
}));
