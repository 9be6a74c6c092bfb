// softclient/web/lib/api.js: the connection that mends itself.
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { FakeSocket, HeldTimers, load } from './browser.mjs';

const { ApiError, Client, rest } = await load('lib/api.js');

let client, timers;
beforeEach(() => {
	timers = new HeldTimers();
	mock.method(Math, 'random', () => 0.5);
	FakeSocket.all.length = 0;
	client = new Client();
	client.open();
});

const settled = () => new Promise((done) => setImmediate(done));

test('a_call_made_before_the_line_is_up_is_sent_when_it_is', async () => {
	const answer = client.call('wall.list');
	assert.equal(FakeSocket.last.sent.length, 0);
	FakeSocket.last.onopen();
	const [asked] = FakeSocket.last.asked('wall.list');
	FakeSocket.last.says({ jsonrpc: '2.0', id: asked.id, result: { walls: [] } });
	assert.deepEqual(await answer, { walls: [] });
});

test('a_lost_line_comes_back_later_and_later_up_to_five_seconds', () => {
	const waits = [];
	for (const wait of [200, 400, 800, 1600, 3200, 5000, 5000]) {
		FakeSocket.last.onclose({ code: 1006 });
		const had = FakeSocket.all.length;
		timers.tick(wait - 1);
		assert.equal(FakeSocket.all.length, had, `not before ${wait}`);
		timers.tick(1);
		assert.equal(FakeSocket.all.length, had + 1, `at ${wait}`);
		waits.push(wait);
	}
	FakeSocket.last.onopen();
	FakeSocket.last.onclose({ code: 1006 });
	timers.tick(200);
	assert.equal(FakeSocket.all.length, waits.length + 2, 'a good connection resets the wait');
});

test('what_was_under_way_when_the_line_broke_fails_and_what_comes_after_waits', async () => {
	FakeSocket.last.onopen();
	const under_way = client.call('incident.list');
	FakeSocket.last.onclose({ code: 1006 });
	await assert.rejects(under_way, (e) => e instanceof ApiError && e.code === 'offline');
	const later = client.call('incident.list');
	timers.tick(200);
	FakeSocket.last.onopen();
	const [asked] = FakeSocket.last.asked('incident.list');
	FakeSocket.last.says({ jsonrpc: '2.0', id: asked.id, result: 1 });
	assert.equal(await later, 1);
});

test('a_call_without_an_answer_times_out', async () => {
	FakeSocket.last.onopen();
	const answer = client.call('log.verify', {}, { timeout_ms: 1000 });
	timers.tick(1000);
	await assert.rejects(answer, (e) => e.code === 'timeout');
});

test('subscribers_are_told_again_after_each_reconnect', () => {
	let ups = 0;
	client.onUp(() => ups++);
	FakeSocket.last.onopen();
	FakeSocket.last.onclose({ code: 1006 });
	timers.tick(200);
	FakeSocket.last.onopen();
	assert.equal(ups, 2);
});

test('refused_credentials_end_it_without_another_try', () => {
	const ended = [];
	client.on('session.ended', (p) => ended.push(p.why));
	FakeSocket.last.onopen();
	FakeSocket.last.onclose({ code: 4401 });
	timers.tick(60000);
	assert.equal(FakeSocket.all.length, 1);
	assert.deepEqual(ended, ['unauthenticated']);
});

test('events_reach_who_asked_for_them', () => {
	const seen = [];
	const stop = client.on('wall.changed', (p) => seen.push(p.wall.id));
	FakeSocket.last.says({ jsonrpc: '2.0', method: 'wall.changed', params: { wall: { id: 'w1' } } });
	FakeSocket.last.says({ jsonrpc: '2.0', method: 'unknown.event', params: {} });
	stop();
	FakeSocket.last.says({ jsonrpc: '2.0', method: 'wall.changed', params: { wall: { id: 'w2' } } });
	assert.deepEqual(seen, ['w1']);
});

test('an_error_carries_the_code_and_the_sentence_of_the_chosen_language', async () => {
	FakeSocket.last.onopen();
	const answer = client.call('wall.push');
	const [asked] = FakeSocket.last.asked('wall.push');
	FakeSocket.last.says({ jsonrpc: '2.0', id: asked.id, error: { code: -32026, message: 'not now', data: { code: 'state', message_zh: '\u4e0d\u884c', why: 'closed' } } });
	await assert.rejects(answer, (e) => e.code === 'state' && e.message === '\u4e0d\u884c' && e.why === 'closed');
});

test('the_clock_takes_the_fastest_probe', async () => {
	const trips = [40, 4, 90, 60];
	let now = 0;
	mock.method(performance, 'now', () => now);
	mock.method(Date, 'now', () => 1000000);
	FakeSocket.last.onopen();
	for (const trip of trips) {
		await settled();
		const asked = FakeSocket.last.asked('time.sync').at(-1);
		now += trip;
		FakeSocket.last.says({ jsonrpc: '2.0', id: asked.id, result: { client_ms: asked.params.client_ms, server_ms: 1000500 + trip / 2 } });
		await settled();
		timers.tick(100);
	}
	assert.equal(client.clock.offset_ms, 500);
	assert.equal(client.clock.error_ms, 2);
});

test('rest_turns_the_error_body_into_an_api_error', async () => {
	mock.method(globalThis, 'fetch', async () => ({ ok: false, status: 410, json: async () => ({ error: { code: 'used', message: 'used', message_zh: 'zh', why: '' } }) }));
	await assert.rejects(rest('link.open', { token: 'x' }), (e) => e.code === 'used' && e.message === 'zh');
});
