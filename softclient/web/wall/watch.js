// Watches one window's video element and says what is really on the glass: drawn, frozen or lost.
// "Drawn" is a frame that the browser handed to the compositor (requestVideoFrameCallback), never a mere track.

const FROZEN_MS = 2000;
const LOOK_MS = 250;

/**
 * @typedef {'waiting' | 'drawn' | 'frozen' | 'lost'} Seen
 * @typedef {{ state: Seen, at: number, rtp_ts: number, width: number, height: number }} Sight  `at` is performance.now()
 */

/**
 * @param {HTMLVideoElement} video @param {import('../lib/rtc.js').View} view
 * @param {(sight: Sight) => void} tell called once for each change of state @returns {() => void} stops it
 */
export function watchWindow(video, view, tell) {
	/** @type {Sight} */
	const sight = { state: 'waiting', at: 0, rtp_ts: 0, width: 0, height: 0 };
	let last = performance.now();
	let stopped = false;
	const turn = (/** @type {Seen} */ state, /** @type {number} */ at) => {
		if (sight.state !== state) {
			sight.state = state;
			sight.at = at;
			tell({ ...sight });
		}
	};
	const frame = (/** @type {number} */ now, /** @type {VideoFrameCallbackMetadata} */ data) => {
		if (stopped) {
			return;
		}
		video.requestVideoFrameCallback(frame);
		// A reused section may still deliver the picture that it showed before: those frames do not count.
		if ((data.receiveTime ?? now) < view.fresh_after) {
			return;
		}
		last = now;
		sight.rtp_ts = data.rtpTimestamp ?? 0;
		sight.width = data.width;
		sight.height = data.height;
		turn('drawn', Math.max(data.expectedDisplayTime, now));
	};
	video.requestVideoFrameCallback(frame);
	const look = setInterval(() => {
		const now = performance.now();
		if (now - last > FROZEN_MS && sight.state === 'drawn') {
			turn(document.hidden ? 'lost' : 'frozen', now);
		}
	}, LOOK_MS);
	return () => {
		stopped = true;
		clearInterval(look);
	};
}
