// softclient/web/lib/rtc.js: one connection that publishes, views and mends itself. The peer connection is a fake whose
// state the test sets; the gateway is a function.
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { HeldTimers, load } from './browser.mjs';

class FakeTrack extends EventTarget {
	muted = true;
}
globalThis.MediaStream = class {
	constructor(tracks = []) {
		this.tracks = tracks;
	}

	getTracks() {
		return this.tracks;
	}
};
globalThis.RTCRtpReceiver = { getCapabilities: () => ({ codecs: [] }) };
globalThis.RTCPeerConnection = class FakePc {
	static all = [];
	connectionState = 'new';
	signalingState = 'stable';
	transceivers = [];
	closed = false;
	constructor() {
		FakePc.all.push(this);
	}

	static get last() {
		return FakePc.all.at(-1);
	}

	addTransceiver(what, { direction }) {
		const transceiver = { mid: null, direction, what, receiver: { track: new FakeTrack() }, sender: { replaceTrack: async (track) => (transceiver.sent = track) } };
		this.transceivers.push(transceiver);
		return transceiver;
	}

	async createOffer(options) {
		this.restarted = options.iceRestart;
		return { type: 'offer', sdp: 'offer' };
	}

	async setLocalDescription() {
		this.transceivers.forEach((t, n) => (t.mid ??= String(n)));
		this.localDescription = { sdp: 'offer' };
		this.signalingState = 'have-local-offer';
	}

	async setRemoteDescription() {
		this.signalingState = 'stable';
	}

	turns(state) {
		this.connectionState = state;
		this.onconnectionstatechange?.();
	}

	close() {
		this.closed = true;
		this.connectionState = 'closed';
	}
};

const usual = RTCPeerConnection.prototype.setLocalDescription;
const { MediaLink } = await load('lib/rtc.js');
const { ApiError } = await load('lib/api.js');

let timers, client, link, refuse;
beforeEach(() => {
	timers = new HeldTimers();
	mock.method(console, 'warn', () => {});
	RTCPeerConnection.all.length = 0;
	refuse = {};
	const listeners = new Map();
	client = {
		calls: [],
		on: (event, fn) => (listeners.set(event, fn), () => listeners.delete(event)),
		onUp: (fn) => (listeners.set('up', fn), () => {}),
		says: (event, params) => listeners.get(event)?.(params),
		async call(method, params) {
			this.calls.push({ method, ...params });
			if (refuse[method]) {
				throw new ApiError(refuse[method], method);
			}
			return { sdp: 'answer' };
		},
		asked: (method) => client.calls.filter((c) => c.method === method),
	};
	link = new MediaLink(client, 'tst');
});

/** Lets promises and one timer run out. */
async function pass(ms = 0) {
	await new Promise((done) => setImmediate(done));
	timers.tick(ms);
	await new Promise((done) => setImmediate(done));
	await new Promise((done) => setImmediate(done));
}

async function connected() {
	await pass(20);
	RTCPeerConnection.last.turns('connected');
}

test('views_wanted_in_one_turn_go_into_one_offer', async () => {
	link.view('a.video', 'video');
	link.view('b.video', 'video');
	link.view('a.video', 'video');
	await connected();
	const [offer, ...more] = client.asked('rtc.offer');
	assert.equal(more.length, 0);
	assert.deepEqual(offer.view.map((v) => v.stream), ['a.video', 'b.video']);
	assert.equal(link.state.value, 'up');
});

test('a_section_set_free_is_used_again_without_a_new_offer', async () => {
	const view = link.view('a.video', 'video');
	await connected();
	view.release();
	await pass(400);
	const next = link.view('b.video', 'video');
	assert.equal(next.fresh_after, Infinity, 'until the answer no frame counts');
	await pass();
	assert.deepEqual(client.asked('rtc.route').map((c) => [c.mid, c.stream]), [['0', null], ['0', 'b.video']]);
	assert.equal(client.asked('rtc.offer').length, 1);
	assert.ok(next.fresh_after < Infinity);
});

test('when_the_engine_is_gone_everything_is_offered_anew_at_once', async () => {
	link.addSource('audio');
	link.view('a.video', 'video');
	await connected();
	const { id } = link;
	RTCPeerConnection.last.connectionState = 'disconnected';
	client.says('rtc.gone', { pc: id });
	await pass();
	const offers = client.asked('rtc.offer');
	assert.equal(offers.length, 2);
	assert.notEqual(offers[1].pc, id);
	assert.deepEqual([offers[1].publish.length, offers[1].view[0].stream], [1, 'a.video']);
	assert.ok(RTCPeerConnection.all[0].closed);
	assert.deepEqual(client.asked('rtc.close').map((c) => c.pc), [id]);
});

test('gone_of_another_connection_does_not_touch_ours', async () => {
	link.view('a.video', 'video');
	await connected();
	client.says('rtc.gone', { pc: 'foreign' });
	await pass();
	assert.equal(RTCPeerConnection.all.length, 1);
});

test('a_refused_offer_is_tried_again_later_and_later', async () => {
	refuse['rtc.offer'] = 'media_unavailable';
	link.view('a.video', 'video');
	await pass(20);
	for (const wait of [150, 300, 600, 1000, 1000]) {
		const before = client.asked('rtc.offer').length;
		await pass(wait - 1);
		assert.equal(client.asked('rtc.offer').length, before, `not before ${wait}`);
		await pass(1);
		assert.equal(client.asked('rtc.offer').length, before + 1, `at ${wait}`);
	}
	delete refuse['rtc.offer'];
	await pass(1000);
	RTCPeerConnection.last.turns('connected');
	assert.equal(link.state.value, 'up');
});

test('a_lost_path_gets_a_restart_and_after_four_seconds_a_new_connection', async () => {
	link.view('a.video', 'video');
	await connected();
	const { id } = link;
	RTCPeerConnection.last.turns('disconnected');
	await pass(1499);
	assert.equal(client.asked('rtc.offer').length, 1);
	await pass(1);
	assert.equal(client.asked('rtc.offer')[1].restart, true);
	assert.equal(client.asked('rtc.offer')[1].pc, id);
	await pass(4000);
	assert.notEqual(link.id, id);
});

test('a_connection_that_never_comes_up_is_tried_anew', async () => {
	link.view('a.video', 'video');
	await pass(20);
	const { id } = link;
	RTCPeerConnection.last.turns('failed');
	await pass(150);
	assert.notEqual(link.id, id, 'after it failed');
	const second = link.id;
	await pass(10000);
	assert.notEqual(link.id, second, 'after ten seconds of nothing');
});

test('a_path_that_comes_back_needs_no_new_connection', async () => {
	link.view('a.video', 'video');
	await connected();
	const { id } = link;
	RTCPeerConnection.last.turns('disconnected');
	await pass(1500);
	RTCPeerConnection.last.turns('connected');
	await pass(10000);
	assert.deepEqual([link.id, link.state.value], [id, 'up']);
});

test('after_a_reconnect_an_unknown_connection_is_replaced_before_it_is_closed', async () => {
	link.view('a.video', 'video');
	await connected();
	const old = RTCPeerConnection.last;
	refuse['rtc.candidate'] = 'not_found';
	client.says('up');
	await pass();
	assert.equal(RTCPeerConnection.all.length, 2);
	assert.ok(!old.closed, 'it still carries the picture');
	RTCPeerConnection.last.turns('connected');
	assert.ok(old.closed);
});

test('a_known_connection_stays_and_its_routes_are_told_again', async () => {
	link.view('a.video', 'video');
	await connected();
	client.says('up');
	await pass();
	assert.equal(RTCPeerConnection.all.length, 1);
	assert.deepEqual(client.asked('rtc.route').map((c) => c.stream), ['a.video']);
});

test('the_largest_place_of_a_picture_decides_its_size', async () => {
	const view = link.view('a.video', 'video');
	await connected();
	view.prefer('cell', 320, 180);
	view.prefer('monitor', 1280, 720);
	view.prefer('cell', 300, 170);
	view.prefer('monitor', 0, 0);
	assert.deepEqual(client.asked('rtc.prefer').map((c) => c.width), [320, 1280, 300]);
});

test('a_track_that_comes_late_is_sent_without_an_offer', async () => {
	link.addSource('audio');
	link.open();
	await connected();
	await link.setTrack('audio', 'microphone');
	assert.equal(RTCPeerConnection.last.transceivers[0].sent, 'microphone');
	assert.equal(client.asked('rtc.offer').length, 1);
});

test('what_is_added_just_before_the_connection_is_up_is_still_offered', async () => {
	link.addSource('audio');
	link.open();
	await pass();
	link.view('late.audio', 'audio');
	RTCPeerConnection.last.turns('connected');
	await pass(50);
	await pass(50);
	assert.ok(client.asked('rtc.offer').at(-1).view.some((v) => v.stream === 'late.audio'));
});

test('a_section_without_a_number_is_not_named_in_an_offer', async () => {
	link.addSource('audio');
	link.view('a.video', 'video');
	RTCPeerConnection.prototype.setLocalDescription = async function () {
		this.transceivers[0].mid = '0'; // the other was added after the offer was made
		this.localDescription = { sdp: 'offer' };
		this.signalingState = 'have-local-offer';
	};
	await pass(20);
	assert.deepEqual(client.asked('rtc.offer')[0].view, []);
	RTCPeerConnection.prototype.setLocalDescription = usual;
});

test('a_second_picture_comes_and_goes_under_the_name_of_the_party', async () => {
	link.party = 'p-1';
	link.addSource('audio');
	link.open();
	await connected();
	await link.publish('video', 'slides', 'screen');
	await pass(1000);
	const published = () => client.asked('rtc.offer').map((o) => o.params ?? o).at(-1);
	assert.equal(published().party, 'p-1');
	assert.deepEqual(published().publish.map((p) => p.content), ['main', 'slides']);
	await link.publish('video', 'slides', null);
	await pass(1000);
	assert.deepEqual(published().publish.map((p) => p.content), ['main']);
	assert.equal(RTCPeerConnection.last.transceivers[1].direction, 'inactive');
});

test('closed_is_closed', async () => {
	link.view('a.video', 'video');
	await connected();
	link.close();
	client.says('rtc.gone', { pc: link.id });
	await pass(60000);
	assert.equal(RTCPeerConnection.all.length, 1);
	assert.ok(RTCPeerConnection.last.closed);
});
