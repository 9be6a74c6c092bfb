// A browser as a party of a conference, without any page of ours: joins by the API, sends one colour and one tone, and writes
// what it sees and hears as a line of JSON each second. For tests that script the other parties.
//   node member.mjs URL NAME PASSWORD NUMBER COLOUR(ffmpeg's) TONE_HZ x,y [x,y ..] -- HZ [HZ ..]
// Lines on stdin: "share COLOUR" takes the content token and shows slides of that colour, "stop" gives it back; "watch STREAM"
// looks at a stream. ORTOO_CODECS=VP8: video codecs that it has, by their names; others are taken out of its offers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [url, name, password, number, colour, tone, ...rest] = process.argv.slice(2);
const cut = rest.indexOf('--');
const places = rest.slice(0, cut).map((p) => p.split(',').map(Number));
const tones = rest.slice(cut + 1).map(Number);
const folder = mkdtempSync(join(tmpdir(), 'ortoo-member-'));
const picture = join(folder, 'camera.y4m'), voice = join(folder, 'microphone.wav');
const ffmpeg = (...args) => execFileSync('ffmpeg', ['-v', 'error', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
ffmpeg('-f', 'lavfi', '-i', `color=${colour}:size=640x360:rate=15:duration=1`, '-pix_fmt', 'yuv420p', picture);
ffmpeg('-f', 'lavfi', '-i', `sine=frequency=${tone}:sample_rate=48000:duration=10`, '-filter:a', 'volume=12dB', voice);

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${picture}`,
		`--use-file-for-fake-audio-capture=${voice}`, '--autoplay-policy=no-user-gesture-required', '--disable-background-timer-throttling'],
});

async function end() {
	await browser.close().catch(() => {});
	rmSync(folder, { recursive: true, force: true });
	process.exit(0);
}
process.once('SIGTERM', end);

/** In the page: one peer connection that sends and receives. */
async function enter({ name, password, number, codecs }) {
	const login = await fetch('/api/v1/auth.login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, password }) });
	if (!login.ok) {
		throw new Error(`auth.login: ${await login.text()}`);
	}
	const ws = new WebSocket(`wss://${location.host}/ws`);
	const waiting = new Map();
	let id = 0;
	ws.onmessage = ({ data }) => {
		const m = JSON.parse(data);
		waiting.get(m.id)?.(m);
	};
	await new Promise((done, fail) => Object.assign(ws, { onopen: done, onerror: fail }));
	const call = (method, params) => new Promise((done, fail) => {
		waiting.set(++id, (m) => (m.error ? fail(new Error(`${method}: ${JSON.stringify(m.error)}`)) : done(m.result)));
		ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
	});
	const joined = await call('conference.join', { id: number, name: 'chromium' });
	const media = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360 }, audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false } });
	const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
	const sent = media.getTracks().map((track) => pc.addTransceiver(track, { direction: 'sendonly' }));
	const seen = ['audio', 'video'].map((kind) => pc.addTransceiver(kind, { direction: 'recvonly' }));
	const only = (t) => codecs && t.receiver.track.kind === 'video' &&
		t.setCodecPreferences(RTCRtpReceiver.getCapabilities('video').codecs.filter((c) => codecs.includes(c.mimeType.split('/')[1])));
	[...sent, ...seen].forEach(only);
	const content = new Map();
	const offer = async () => {
		await pc.setLocalDescription(await pc.createOffer());
		const answer = await call('rtc.offer', {
			pc: 'member', sdp: pc.localDescription.sdp, party: joined.party,
			publish: sent.map((t) => ({ mid: t.mid, kind: t.sender.track.kind, content: content.get(t) ?? 'main' })),
			view: seen.map((t, n) => ({ mid: t.mid, stream: n ? joined.video : joined.audio })),
		});
		await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
	};
	await offer();
	window.share = async (colour) => {
		await call('content.take', { conference: joined.conference });
		if (window.paper) {
			window.paper.colour = colour;
			return;
		}
		window.paper = { colour };
		const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
		const paint = canvas.getContext('2d');
		setInterval(() => {
			paint.fillStyle = window.paper.colour;
			paint.fillRect(0, 0, 640, 360);
		}, 100);
		const slides = pc.addTransceiver(canvas.captureStream(10).getVideoTracks()[0], { direction: 'sendonly' });
		only(slides);
		content.set(slides, 'slides');
		sent.push(slides);
		await offer();
	};
	window.stop = () => call('content.release', { conference: joined.conference });
	window.watch = (stream) => call('rtc.route', { pc: 'member', mid: seen[1].mid, stream });
	const video = Object.assign(document.createElement('video'), { muted: true, autoplay: true, srcObject: new MediaStream([seen[1].receiver.track]) });
	const audio = Object.assign(document.createElement('audio'), { autoplay: true, volume: 0, srcObject: new MediaStream([seen[0].receiver.track]) });
	document.body.append(video, audio);
	const context = new AudioContext();
	const analyser = Object.assign(context.createAnalyser(), { fftSize: 8192, smoothingTimeConstant: 0 });
	context.createMediaStreamSource(audio.srcObject).connect(analyser);
	window.member = { pc, video, analyser, context, joined, ws };
}

/** In the page: colours at the places, levels of the tones in dB, and sizes. */
async function look({ places, tones }) {
	const { video, analyser, context, pc } = window.member;
	const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 180 });
	const paint = canvas.getContext('2d');
	paint.drawImage(video, 0, 0, 320, 180);
	const levels = new Float32Array(analyser.frequencyBinCount);
	analyser.getFloatFrequencyData(levels);
	const bin = (hz) => Math.round(hz / (context.sampleRate / analyser.fftSize));
	const around = (hz) => Math.max(...levels.slice(bin(hz) - 2, bin(hz) + 3));
	const stats = [...(await pc.getStats()).values()];
	const codec = stats.find((s) => s.type === 'codec' && s.mimeType.startsWith('video') && stats.some((i) => i.type === 'inbound-rtp' && i.codecId === s.id));
	return {
		width: video.videoWidth, height: video.videoHeight, state: pc.connectionState, codec: codec?.mimeType,
		colours: places.map(([x, y]) => [...paint.getImageData(Math.floor(x * 319), Math.floor(y * 179), 1, 1).data].slice(0, 3)),
		tones: Object.fromEntries(tones.map((hz) => [hz, around(hz)])),
	};
}

try {
	const page = await (await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['camera', 'microphone'] })).newPage();
	await page.goto(`${url}/api/v1/openapi.json`);
	await page.evaluate(enter, { name, password, number, codecs: process.env.ORTOO_CODECS });
	createInterface({ input: process.stdin }).on('line', (line) => {
		const [verb, what] = line.split(' ');
		void page.evaluate(({ verb, what }) => window[verb](what), { verb, what }).catch((e) => console.log(JSON.stringify({ error: String(e) })));
	});
	for (;;) {
		console.log(JSON.stringify(await page.evaluate(look, { places, tones })));
		await new Promise((done) => setTimeout(done, 1000));
	}
} catch (e) {
	console.log(JSON.stringify({ error: String(e) }));
	await end();
}
