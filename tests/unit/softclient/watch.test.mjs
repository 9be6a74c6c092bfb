// softclient/web/wall/watch.js: what the wall may call drawn, frozen and lost.
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { HeldTimers, load } from './browser.mjs';

const { watchWindow } = await load('wall/watch.js');

let timers, now, told, video, view, stop;
beforeEach(() => {
	timers = new HeldTimers();
	now = 1000;
	mock.method(performance, 'now', () => now);
	document.hidden = false;
	told = [];
	video = { requestVideoFrameCallback(fn) { this.fn = fn; } };
	view = { fresh_after: 0 };
	stop = watchWindow(video, view, (sight) => told.push(sight.state));
});

function pass(ms) {
	now += ms;
	timers.tick(ms);
}

function frame(received = now) {
	video.fn(now, { receiveTime: received, expectedDisplayTime: now + 8, rtpTimestamp: 90000, width: 640, height: 360 });
}

test('nothing_is_told_before_a_frame', () => {
	pass(10000);
	assert.deepEqual(told, []);
});

test('the_first_frame_is_told_once', () => {
	frame();
	pass(40);
	frame();
	assert.deepEqual(told, ['drawn']);
});

test('two_seconds_without_a_frame_are_frozen_and_the_next_one_is_drawn_again', () => {
	frame();
	pass(2000);
	assert.deepEqual(told, ['drawn']);
	pass(500);
	assert.deepEqual(told, ['drawn', 'frozen']);
	frame();
	assert.deepEqual(told, ['drawn', 'frozen', 'drawn']);
});

test('a_frame_of_the_picture_before_does_not_count', () => {
	view.fresh_after = Infinity;
	frame();
	view.fresh_after = 1100;
	now = 1200;
	frame(1050);
	assert.deepEqual(told, []);
	frame(1150);
	assert.deepEqual(told, ['drawn']);
});

test('a_hidden_wall_has_lost_its_picture', () => {
	frame();
	document.hidden = true;
	pass(3000);
	assert.deepEqual(told, ['drawn', 'lost']);
});

test('stopped_means_silent', () => {
	stop();
	frame();
	pass(5000);
	assert.deepEqual(told, []);
});
