// ortoo-mcu alone, spoken to over its control socket, and Chromium pages that send and receive through it. The answers
// that a gateway would write are written here, as short as Chromium takes them.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const e2e = new URL('../e2e/package.json', import.meta.url);
export const chromium_path = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const EXTENSIONS = ['sdes:mid', 'rtp-stream-id', 'repaired-rtp-stream-id', 'ssrc-audio-level', 'transport-wide-cc', 'abs-send-time', 'video-orientation'];
const VIDEO_FEEDBACK = ['nack', 'nack pli', 'transport-cc'];

/** Polls until it gives something true. */
export async function until(what, fn, timeout_ms = 30000) {
	const end = Date.now() + timeout_ms;
	let last;
	while (Date.now() < end) {
		last = await fn();
		if (last) {
			return last;
		}
		await sleep(100);
	}
	throw new Error(`waited ${timeout_ms} ms for ${what}`);
}

/** First address that is not loopback, else loopback. */
function ownAddress() {
	return Object.values(networkInterfaces()).flat().find((a) => a.family === 'IPv4' && !a.internal)?.address ?? '127.0.0.1';
}

/** The engine and its control socket. */
export class Engine {
	constructor() {
		this.folder = mkdtempSync(join(tmpdir(), 'ortoo-engine-'));
		this.events = [];
		this.waiting = new Map();
		this.next = 1;
	}

	async start() {
		const path = join(this.folder, 'control');
		this.process = spawn(process.env.ORTOO_MCU, [`--socket=${path}`, '--workers=1'], { stdio: 'ignore' });
		await until('the engine', () => existsSync(path));
		this.socket = createConnection(path);
		createInterface({ input: this.socket }).on('line', (line) => this.take(JSON.parse(line)));
		this.port = (await this.call('hello', { proto: 1, client: 'interop' })).workers[0].port;
	}

	take(message) {
		const done = this.waiting.get(message.id);
		if (!done) {
			this.events.push(message);
			return;
		}
		this.waiting.delete(message.id);
		done(message);
	}

	call(method, params) {
		const id = this.next++;
		this.socket.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }) + '\n');
		return new Promise((done, fail) => this.waiting.set(id, (m) => m.error ? fail(new Error(`${method}: ${m.error.message}`)) : done(m.result)));
	}

	/** The last event of a name about an id. */
	last(name, id) {
		return this.events.findLast((e) => e.method === name && e.params.id === id)?.params;
	}

	/** A relay that spoils what goes to and from the engine; its port. */
	async impair(commands) {
		const host = ownAddress();
		this.relay = spawn(process.env.ORTOO_IMPAIR, [`${host}:0`, `${host}:${this.port}`], { stdio: ['pipe', 'pipe', 'inherit'] });
		const port = await new Promise((done) => createInterface({ input: this.relay.stdout }).once('line', (line) => done(Number(line.split(' ')[1]))));
		this.relay.stdin.write(commands + '\n');
		return { ip: host, port };
	}

	stop() {
		this.relay?.kill();
		this.socket?.destroy();
		this.process?.kill();
		rmSync(this.folder, { recursive: true, force: true });
	}
}

export async function openBrowser() {
	const { chromium } = createRequire(e2e)('playwright-core');
	const web = createServer((request, response) => response.end('<!doctype html>')).listen(0, '127.0.0.1');
	const browser = await chromium.launch({ executablePath: chromium_path, args: ['--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream',
		'--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--disable-background-timer-throttling', '--disable-renderer-backgrounding'] });
	return {
		async page() {
			const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
			const page = await context.newPage();
			await page.goto(`http://127.0.0.1:${web.address().port}/`);
			return page;
		},
		async close() {
			await browser.close();
			web.close();
		},
	};
}

/** What the answers need of an offer, one object an m-line. */
function readOffer(sdp) {
	const [head, ...sections] = sdp.split(/(?=^m=)/m);
	return sections.map((text) => {
		const lines = text.split('\r\n'), all = lines.concat(head.split('\r\n'));
		const get = (name) => all.find((l) => l.startsWith(`a=${name}:`))?.slice(name.length + 3);
		const list = (name) => lines.filter((l) => l.startsWith(`a=${name}:`)).map((l) => l.slice(name.length + 3));
		const formats = Object.fromEntries(list('fmtp').map((l) => [l.slice(0, l.indexOf(' ')), l.slice(l.indexOf(' ') + 1)]));
		return {
			kind: lines[0].slice(2, 7), mid: get('mid'), ufrag: get('ice-ufrag'), pwd: get('ice-pwd'), fingerprint: get('fingerprint').split(' ')[1],
			extensions: list('extmap').map((l) => ({ id: parseInt(l, 10), uri: l.split(' ')[1] })).filter((e) => EXTENSIONS.some((known) => e.uri.includes(known))),
			types: list('rtpmap').map((l) => ({ pt: parseInt(l, 10), name: l.split(' ')[1].split('/')[0] })), formats,
		};
	});
}

/** The payload type of a codec; of H.264 constrained baseline with packetization mode 1. */
function pick(media, video) {
	const name = media.kind === 'audio' ? 'opus' : video;
	const { pt } = media.types.find((t) => t.name === name && (name !== 'H264' || /(?=.*42e01f)(?=.*packetization-mode=1)/.test(media.formats[t.pt])));
	const rtx = media.types.find((t) => t.name === 'rtx' && media.formats[t.pt] === `apt=${pt}`)?.pt ?? 0;
	return { name, pt, rtx_pt: rtx, fmtp: media.formats[pt], nack: media.kind === 'video', pli: true, twcc: true };
}

function writeAnswer(offer, reply, video, direction, candidate, more) {
	const lines = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0', 'a=ice-lite', `a=group:BUNDLE ${offer.map((m) => m.mid).join(' ')}`, 'a=msid-semantic: WMS *'];
	for (const media of offer) {
		const codec = pick(media, video);
		lines.push(`m=${media.kind} 9 UDP/TLS/RTP/SAVPF ${codec.pt} ${codec.rtx_pt || ''}`.trim(), 'c=IN IP4 0.0.0.0', `a=mid:${media.mid}`, `a=${direction}`, 'a=rtcp-mux',
			`a=ice-ufrag:${reply.ice_ufrag}`, `a=ice-pwd:${reply.ice_pwd}`, `a=fingerprint:sha-256 ${reply.fingerprint}`, 'a=setup:passive');
		const candidates = candidate ? [{ ...candidate, priority: 1000 }] : reply.candidates.filter((c) => c.protocol === 'udp');
		lines.push(...candidates.map((c, i) => `a=candidate:${i} 1 udp ${c.priority} ${c.ip} ${c.port} typ host`), 'a=end-of-candidates');
		lines.push(...media.extensions.map((e) => `a=extmap:${e.id} ${e.uri}`), `a=rtpmap:${codec.pt} ${codec.name}/${media.kind === 'audio' ? '48000/2' : 90000}`);
		lines.push(...(codec.fmtp ? [`a=fmtp:${codec.pt} ${codec.fmtp}`] : []), ...(media.kind === 'video' ? VIDEO_FEEDBACK.map((f) => `a=rtcp-fb:${codec.pt} ${f}`) : []));
		lines.push(...(codec.rtx_pt ? [`a=rtpmap:${codec.rtx_pt} rtx/90000`, `a=fmtp:${codec.rtx_pt} apt=${codec.pt}`] : []), ...more(media));
	}
	return lines.join('\r\n') + '\r\n';
}

async function connect(engine, room, transport, offer) {
	const reply = await engine.call('transport.open', { room, transport });
	const extensions = [...new Map(offer.flatMap((m) => m.extensions).map((e) => [e.id, e])).values()];
	await engine.call('transport.connect', { room, transport, ice_ufrag: offer[0].ufrag, ice_pwd: offer[0].pwd, fingerprint: offer[0].fingerprint, dtls_client: false, extensions });
	return reply;
}

/** A page that sends a picture of 1280x720 as source "video"; with rids it sends simulcast. */
export async function publish(browser, engine, { room, video, rids = [], candidate }) {
	const page = await browser.page();
	const offer = readOffer(await page.evaluate(async (names) => {
		const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720, frameRate: 30 } });
		window.pc = new RTCPeerConnection();
		window.pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream],
			...(names.length ? { sendEncodings: names.map((rid, i) => ({ rid, scaleResolutionDownBy: 2 ** (names.length - 1 - i) })) } : {}) });
		await window.pc.setLocalDescription();
		return window.pc.localDescription.sdp;
	}, rids));
	const reply = await connect(engine, room, 'publisher', offer);
	await engine.call('source.add', { room, transport: 'publisher', id: 'video', kind: 'video', mid: offer[0].mid, codecs: [pick(offer[0], video)],
		encodings: rids.length ? rids.map((rid) => ({ rid })) : [{}] });
	const simulcast = rids.length ? [...rids.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${rids.join(';')}`] : [];
	await page.evaluate((sdp) => window.pc.setRemoteDescription({ type: 'answer', sdp }), writeAnswer(offer, reply, video, 'recvonly', candidate, () => simulcast));
	return page;
}

/** A page that shows it, by sink "view". */
export async function watch(browser, engine, { room, video, candidate }) {
	const page = await browser.page();
	const offer = readOffer(await page.evaluate(async () => {
		window.pc = new RTCPeerConnection();
		window.pc.ontrack = (event) => {
			const element = Object.assign(document.createElement('video'), { autoplay: true, muted: true, srcObject: new MediaStream([event.track]) });
			document.body.append(element);
		};
		window.pc.addTransceiver('video', { direction: 'recvonly' });
		await window.pc.setLocalDescription();
		return window.pc.localDescription.sdp;
	}));
	const reply = await connect(engine, room, 'viewer', offer);
	await engine.call('sink.add', { room, transport: 'viewer', id: 'view', source: 'video', kind: 'video', mid: offer[0].mid, ssrc: 1000, rtx_ssrc: 1001, codecs: [pick(offer[0], video)] });
	const tracks = ['a=msid:- video', 'a=ssrc-group:FID 1000 1001', 'a=ssrc:1000 cname:x', 'a=ssrc:1001 cname:x'];
	await page.evaluate((sdp) => window.pc.setRemoteDescription({ type: 'answer', sdp }), writeAnswer(offer, reply, video, 'sendonly', candidate, () => tracks));
	return page;
}

/** The inbound video's statistics of a page, as getStats names them. */
export function inbound(page) {
	return page.evaluate(async () => {
		const found = [...(await window.pc.getStats()).values()].find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
		return found ? JSON.parse(JSON.stringify(found)) : {};
	});
}
