// A moving picture of known colours, as a y4m file for Chromium's fake camera, and the eye that knows it again.
//
//   +----+------------------+----+
//   |red |                  |grn |     four corners of fixed colours, grey ground,
//   +----+   grey     ||    +----+     a white bar that walks from left to right in two seconds
//   |    |            ||    |    |
//   +----+            ||    +----+
//   |blu |                  |yel |
//   +----+------------------+----+
import { closeSync, openSync, writeSync } from 'node:fs';

const WIDTH = 640, HEIGHT = 360, RATE = 25, FRAMES = 50;
const BLOCK_W = 128, BLOCK_H = 96, BAR_W = 48;
const GREY = [112, 112, 112], WHITE = [235, 235, 235];
/** name -> RGB, and where its middle is as parts of width and height */
export const corners = {
	red: { rgb: [200, 30, 30], at: [0.1, 0.12] },
	green: { rgb: [30, 170, 50], at: [0.9, 0.12] },
	blue: { rgb: [40, 60, 210], at: [0.1, 0.88] },
	yellow: { rgb: [220, 200, 30], at: [0.9, 0.88] },
};

/** BT.601, studio range: what the fake camera's file means. */
function yuv([r, g, b]) {
	return [
		Math.round(16 + (65.738 * r + 129.057 * g + 25.064 * b) / 256),
		Math.round(128 + (-37.945 * r - 74.494 * g + 112.439 * b) / 256),
		Math.round(128 + (112.439 * r - 94.154 * g - 18.285 * b) / 256),
	];
}

function fill(planes, x, y, w, h, rgb) {
	const values = yuv(rgb);
	planes.forEach((plane, n) => {
		const by = n ? 2 : 1;
		const stride = WIDTH / by;
		for (let row = y / by; row < (y + h) / by; row++) {
			plane.fill(values[n], row * stride + x / by, row * stride + (x + w) / by);
		}
	});
}

/** Writes two seconds that repeat without a seam. */
export function writePicture(path) {
	const file = openSync(path, 'w');
	writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`);
	for (let n = 0; n < FRAMES; n++) {
		const planes = [Buffer.alloc(WIDTH * HEIGHT), Buffer.alloc((WIDTH * HEIGHT) / 4), Buffer.alloc((WIDTH * HEIGHT) / 4)];
		fill(planes, 0, 0, WIDTH, HEIGHT, GREY);
		fill(planes, 0, 0, BLOCK_W, BLOCK_H, corners.red.rgb);
		fill(planes, WIDTH - BLOCK_W, 0, BLOCK_W, BLOCK_H, corners.green.rgb);
		fill(planes, 0, HEIGHT - BLOCK_H, BLOCK_W, BLOCK_H, corners.blue.rgb);
		fill(planes, WIDTH - BLOCK_W, HEIGHT - BLOCK_H, BLOCK_W, BLOCK_H, corners.yellow.rgb);
		const x = Math.floor(((WIDTH - BAR_W) * n) / FRAMES / 2) * 2;
		fill(planes, x, HEIGHT / 2 - 60, BAR_W, 120, WHITE);
		writeSync(file, 'FRAME\n');
		planes.forEach((plane) => writeSync(file, plane));
	}
	closeSync(file);
}

/** Runs in the page: what one video element shows now. */
function look({ selector, spots }) {
	const video = document.querySelector(selector);
	if (!video || !video.videoWidth) {
		return null;
	}
	const canvas = new OffscreenCanvas(320, 180);
	const paper = canvas.getContext('2d', { willReadFrequently: true });
	paper.drawImage(video, 0, 0, 320, 180);
	const colours = Object.fromEntries(Object.entries(spots).map(([name, [x, y]]) =>
		[name, [...paper.getImageData(Math.round(x * 320), Math.round(y * 180), 1, 1).data].slice(0, 3)]));
	const line = paper.getImageData(0, 90, 320, 1).data;
	let bar = -1, brightest = 0;
	for (let x = 0; x < 320; x++) {
		const sum = line[x * 4] + line[x * 4 + 1] + line[x * 4 + 2];
		if (sum > brightest + 60) {
			brightest = sum;
			bar = x;
		}
	}
	return { colours, bar, width: video.videoWidth };
}

const near = (a, b) => a.every((v, i) => Math.abs(v - b[i]) < 60);

/**
 * Waits until the element shows the known colours in their places and the bar has stood in three different places.
 * Returns what it saw; throws with the last sight when it did not.
 */
export async function seePicture(page, selector, timeout_ms = 15000) {
	const spots = Object.fromEntries(Object.entries(corners).map(([name, c]) => [name, c.at]));
	const end = Date.now() + timeout_ms;
	const bars = new Set();
	let last = null;
	while (Date.now() < end) {
		const now = await page.evaluate(look, { selector, spots }).catch(() => null);
		last = now ?? last;
		if (now && Object.entries(corners).every(([name, c]) => near(now.colours[name], c.rgb)) && now.bar >= 0) {
			bars.add(now.bar);
			if (bars.size >= 3) {
				return now;
			}
		}
		await new Promise((done) => setTimeout(done, 60));
	}
	throw new Error(`${selector} does not show the known picture; last sight ${JSON.stringify(last)}, bar places ${[...bars]}`);
}
