// Media of a page: one peer connection that publishes, views, and mends itself.
//
//   new --offer--> connecting --ICE/DTLS--> up --lost 1.5 s--> ICE restart --4 s--> rebuild
//                  ^       |               |                                        |
//                  +-------+--- 10 s or failed; rtc.gone (engine died); unknown ----+
//
// The page always offers; the engine answers ICE-lite with all its candidates, so one round trip of
// signalling is enough and we never wait for our own candidates.
import { signal } from './view.js';
import { ApiError } from './api.js';

const LOST_MS = 1500;
const RESTART_MS = 4000;
const CONNECT_MS = 10000;
const RETRY_MIN_MS = 150;
const RETRY_MAX_MS = 1000;
const RELEASE_MS = 400;
const SETTLE_MS = 20;
const SWAP_MS = 4000;
const NEAR_PX = 32;
/** Height of the small picture for thumbnails, and what each of the two may cost. */
const SMALL_PX = 180;
const SMALL_BPS = 200000;
const LARGE_BPS = 2500000;

/**
 * @typedef {import('./api.js').Client} Client
 * @typedef {'audio' | 'video'} Kind
 * @typedef {{ kind: Kind, transceiver: RTCRtpTransceiver, view: View | null }} Slot
 * @typedef {{ kind: Kind, content: string, receive: boolean, layers: boolean, off: boolean, track: MediaStreamTrack | null, transceiver: RTCRtpTransceiver | null }} Source
 */

/** What one stream looks like here; lives as long as somebody holds it, whatever happens to connections. */
export class View {
	/** @param {MediaLink} link @param {string} stream @param {Kind} kind */
	constructor(link, stream, kind) {
		this.link = link;
		this.stream = stream;
		this.kind = kind;
		this.refs = 0;
		/** @type {Slot | null} */
		this.slot = null;
		this.media = new MediaStream();
		/** Frames received before this moment (performance.now) may still be the stream shown before. */
		this.fresh_after = 0;
		this.width = 0;
		this.height = 0;
		/** @type {Map<object, [number, number]>} */
		this.places = new Map();
		/** @type {Set<(media: MediaStream) => void>} */
		this.watchers = new Set();
	}

	/** Calls at once and whenever the media object is replaced. @param {(media: MediaStream) => void} fn @returns {() => void} */
	watch(fn) {
		this.watchers.add(fn);
		fn(this.media);
		return () => this.watchers.delete(fn);
	}

	/**
	 * Tells the engine how large the picture is here, so that it can send the smaller layer; the largest place counts.
	 * @param {object} place who shows it @param {number} width 0 = no longer @param {number} height
	 */
	prefer(place, width, height) {
		this.places.set(place, [width, height]);
		const sizes = [...this.places.values()];
		const w = Math.round(Math.max(...sizes.map((s) => s[0])));
		const h = Math.round(Math.max(...sizes.map((s) => s[1])));
		if (Math.abs(w - this.width) + Math.abs(h - this.height) < NEAR_PX) {
			return;
		}
		this.width = w;
		this.height = h;
		const mid = this.slot?.transceiver.mid;
		if (mid && this.link.state.value === 'up') {
			void this.link.tell('rtc.prefer', { mid, width: w, height: h });
		}
	}

	release() {
		this.refs--;
		setTimeout(() => this.link.drop(this), RELEASE_MS);
	}

	/** @param {MediaStreamTrack} track shown as soon as it carries something, so that the last picture stays until then */
	show(track) {
		const swap = () => {
			clearTimeout(timer);
			track.removeEventListener('unmute', swap);
			if (this.slot?.transceiver.receiver.track !== track) {
				return;
			}
			this.media = new MediaStream([track]);
			this.watchers.forEach((fn) => fn(this.media));
		};
		const timer = setTimeout(swap, track.muted && this.media.getTracks().length ? SWAP_MS : 0);
		track.addEventListener('unmute', swap);
	}
}

/** @param {string} prefix */
function newId(prefix) {
	const bytes = crypto.getRandomValues(new Uint8Array(6));
	return `${prefix}-${[...bytes].map((b) => b.toString(16).padStart(2, '0')).join('')}`;
}

/** H.264 constrained baseline first (hardware on phones, rooms and GB devices), VP8 as the fall-back. @param {RTCRtpTransceiver} transceiver */
function preferCodecs(transceiver) {
	const codecs = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
	/** @param {{ mimeType: string, sdpFmtpLine?: string }} codec */
	const rank = (codec) => {
		const type = codec.mimeType.toLowerCase();
		const line = codec.sdpFmtpLine ?? '';
		if (type === 'video/h264' && !line.includes('packetization-mode=0')) {
			return line.includes('42e01f') ? 0 : 1;
		}
		return type === 'video/vp8' ? 2 : type === 'video/rtx' ? 3 : -1;
	};
	const wanted = codecs.filter((c) => rank(c) >= 0).sort((a, b) => rank(a) - rank(b));
	if (wanted.length) {
		transceiver.setCodecPreferences(wanted);
	}
}

/**
 * Two encodings, the small one first: that is the order in which browsers give up layers when the line gets thin.
 * @param {MediaStreamTrack | null} track @returns {RTCRtpEncodingParameters[]}
 */
function layersOf(track) {
	const small = Math.max(2, (track?.getSettings().height ?? 720) / SMALL_PX);
	return [{ rid: 'l', scaleResolutionDownBy: small, maxBitrate: SMALL_BPS }, { rid: 'h', maxBitrate: LARGE_BPS, maxFramerate: 30 }];
}

export class MediaLink {
	/** @param {Client} client @param {string} prefix first part of the connection's id, for people who read logs */
	constructor(client, prefix) {
		this.client = client;
		this.prefix = prefix;
		/** @type {import('../vendor/signals.js').Signal<'idle' | 'connecting' | 'up' | 'down'>} */
		this.state = signal('idle');
		/** @type {RTCPeerConnection | null} */
		this.pc = null;
		this.id = '';
		/** @type {{ pc: RTCPeerConnection, id: string }[]} connections before, kept while they still carry */
		this.old = [];
		/** @type {Source[]} */
		this.sources = [];
		/** @type {Slot[]} */
		this.slots = [];
		/** @type {Map<string, View>} */
		this.views = new Map();
		/** @type {((media: MediaStream) => void) | null} sound that comes back on a published audio section */
		this.onSound = null;
		this.busy = false;
		this.again = false;
		this.closed = false;
		/** Only the small picture goes out: the line carries no more. */
		this.small_only = false;
		/** Name of the party that this connection publishes for; '' = its own. */
		this.party = '';
		this.retry_ms = RETRY_MIN_MS;
		this.timers = { lost: 0, restart: 0, settle: 0, retry: 0 };
		this.unlisten = [
			client.on('rtc.gone', (p) => p.pc === this.id && this.rebuild()),
			client.on('rtc.state', (p) => p.pc === this.id && p.state === 'failed' && this.lost()),
			client.onUp(() => void this.recheck()),
		];
	}

	/** Declares something to publish; the track may come later; `layers`: a small picture beside the large one. @param {Kind} kind @param {{ content?: string, receive?: boolean, layers?: boolean, track?: MediaStreamTrack | null }} [options] */
	addSource(kind, options = {}) {
		this.sources.push({ kind, content: options.content ?? 'main', receive: options.receive ?? false, layers: options.layers ?? false, off: false, track: options.track ?? null, transceiver: null });
	}

	/** @param {Kind} kind @param {MediaStreamTrack | null} track */
	async setTrack(kind, track) {
		const source = this.sources.find((s) => s.kind === kind);
		if (source) {
			source.track = track;
			await source.transceiver?.sender.replaceTrack(track);
			await this.applyLayers(source);
		}
	}

	/**
	 * Begins or ends (`track` null) a published picture beside the main one while the connection is up.
	 * @param {Kind} kind @param {string} content @param {MediaStreamTrack | null} track
	 */
	async publish(kind, content, track) {
		let source = this.sources.find((s) => s.kind === kind && s.content === content);
		if (!source && track) {
			this.addSource(kind, { content });
			source = this.sources[this.sources.length - 1];
		}
		if (!source) {
			return;
		}
		source.track = track;
		source.off = !track;
		if (!source.transceiver && this.pc && track) {
			this.addSending(this.pc, source);
		} else if (source.transceiver) {
			source.transceiver.direction = track ? 'sendonly' : 'inactive';
			await source.transceiver.sender.replaceTrack(track);
		}
		this.settle();
	}

	/** @param {boolean} on only the small picture */
	async setSmallOnly(on) {
		if (this.small_only !== on) {
			this.small_only = on;
			await Promise.all(this.sources.map((s) => this.applyLayers(s)));
		}
	}

	/** Size of the small layer follows the camera; the large one rests while `small_only`. @param {Source} source */
	async applyLayers(source) {
		const sender = source.layers ? source.transceiver?.sender : null;
		const parameters = sender?.getParameters();
		if (!sender || !parameters || (parameters.encodings?.length ?? 0) < 2) {
			return;
		}
		for (const encoding of parameters.encodings) {
			const wanted = layersOf(source.track).find((l) => l.rid === encoding.rid);
			encoding.scaleResolutionDownBy = wanted?.scaleResolutionDownBy ?? 1;
			encoding.active = encoding.rid === 'l' || !this.small_only;
		}
		await sender.setParameters(parameters).catch((e) => console.warn('layers', e.message));
	}

	/** @param {string} stream @param {Kind} kind @returns {View} released by its `release()` */
	view(stream, kind) {
		let view = this.views.get(stream);
		if (!view) {
			view = new View(this, stream, kind);
			this.views.set(stream, view);
			this.place(view);
		}
		view.refs++;
		return view;
	}

	/** @param {View} view */
	drop(view) {
		if (view.refs > 0 || this.views.get(view.stream) !== view) {
			return;
		}
		this.views.delete(view.stream);
		if (view.slot) {
			view.slot.view = null;
			this.tell('rtc.route', { mid: view.slot.transceiver.mid, stream: null });
			view.slot = null;
		}
	}

	/** Gives a view a free section of the connection, or a new one. @param {View} view */
	place(view) {
		const free = this.slots.find((s) => s.kind === view.kind && !s.view && s.transceiver.mid);
		if (free && this.state.value === 'up') {
			free.view = view;
			view.slot = free;
			view.fresh_after = Infinity;
			void this.route(view);
		} else if (this.pc) {
			this.addSlot(this.pc, view);
			this.settle();
		} else {
			this.settle();
		}
	}

	/** @param {View} view */
	async route(view) {
		const mid = view.slot?.transceiver.mid;
		const done = await this.tell('rtc.route', { mid, stream: view.stream });
		view.fresh_after = performance.now();
		if (done && view.slot) {
			view.show(view.slot.transceiver.receiver.track);
			if (view.width) {
				this.tell('rtc.prefer', { mid, width: view.width, height: view.height });
			}
		}
	}

	/** @param {RTCPeerConnection} pc @param {View} view */
	addSlot(pc, view) {
		const transceiver = pc.addTransceiver(view.kind, { direction: 'recvonly' });
		if (view.kind === 'video') {
			preferCodecs(transceiver);
		}
		const slot = { kind: view.kind, transceiver, view };
		this.slots.push(slot);
		view.slot = slot;
		view.fresh_after = 0;
		view.show(transceiver.receiver.track);
	}

	/** @param {RTCPeerConnection} pc @param {Source} source */
	addSending(pc, source) {
		source.transceiver = pc.addTransceiver(source.track ?? source.kind, {
			direction: source.receive ? 'sendrecv' : 'sendonly',
			sendEncodings: source.layers ? layersOf(source.track) : source.kind === 'video' ? [{ maxBitrate: LARGE_BPS, maxFramerate: 30 }] : undefined,
		});
		if (source.kind === 'video') {
			preferCodecs(source.transceiver);
		}
		if (source.receive) {
			this.onSound?.(new MediaStream([source.transceiver.receiver.track]));
		}
	}

	/** Several changes within one turn become one offer. */
	settle() {
		clearTimeout(this.timers.settle);
		this.timers.settle = setTimeout(() => void (this.pc ? this.offer() : this.rebuild()), SETTLE_MS);
	}

	open() {
		if (!this.pc) {
			this.rebuild();
		}
	}

	/** A new connection with everything that is wanted; the old one goes when the new one carries. */
	rebuild() {
		if (this.closed) {
			return;
		}
		this.clearTimers();
		if (this.pc) {
			this.old.push({ pc: this.pc, id: this.id });
		}
		const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
		this.pc = pc;
		this.id = newId(this.prefix);
		this.state.value = 'connecting';
		pc.onconnectionstatechange = () => this.changed(pc);
		this.slots = [];
		this.sources.forEach((source) => (source.off ? (source.transceiver = null) : this.addSending(pc, source)));
		this.views.forEach((view) => this.addSlot(pc, view));
		this.retire((old) => old.pc.connectionState !== 'connected');
		this.timers.restart = setTimeout(() => this.rebuild(), CONNECT_MS);
		void this.offer();
	}

	/** Ends connections before this one, here and at the gateway. @param {(old: { pc: RTCPeerConnection }) => boolean} which */
	retire(which) {
		this.old = this.old.filter((old) => {
			if (which(old)) {
				old.pc.close();
				this.client.call('rtc.close', { pc: old.id }).catch(() => {});
				return false;
			}
			return true;
		});
	}

	/** @param {RTCPeerConnection} pc */
	changed(pc) {
		if (pc !== this.pc) {
			return;
		}
		if (pc.connectionState === 'connected') {
			const { lost, restart, retry } = this.timers; // not `settle`: what was just added must still be offered
			[lost, restart, retry].forEach(clearTimeout);
			this.retry_ms = RETRY_MIN_MS;
			this.state.value = 'up';
			this.retire(() => true);
		} else if (pc.connectionState === 'failed') {
			this.state.value === 'connecting' ? this.retryLater() : this.lost();
		} else if (pc.connectionState === 'disconnected') {
			clearTimeout(this.timers.lost);
			this.timers.lost = setTimeout(() => this.lost(), LOST_MS);
		}
	}

	/** The path is gone: new ICE on the same connection first, a new connection if that does not help. */
	lost() {
		if (this.closed || this.state.value !== 'up') {
			return; // being mended already
		}
		this.state.value = 'down';
		this.timers.restart = setTimeout(() => this.rebuild(), RESTART_MS);
		void this.offer(true);
	}

	/** After a reconnect of the signalling: the gateway may be a new process that does not know our connection. */
	async recheck() {
		if (!this.pc || this.state.value === 'idle') {
			return;
		}
		try {
			await this.client.call('rtc.candidate', { pc: this.id, candidate: '' });
			this.views.forEach((view) => view.slot?.transceiver.mid && void this.route(view));
		} catch (e) {
			if (e instanceof ApiError && e.code === 'not_found') {
				this.rebuild();
			}
		}
	}

	/** A message about this connection; a connection that the gateway no longer knows is rebuilt. @param {string} method @param {object} params */
	async tell(method, params) {
		const id = this.id;
		try {
			await this.client.call(method, { pc: id, ...params });
			return true;
		} catch (e) {
			if (e instanceof ApiError && e.code === 'not_found' && id === this.id) {
				this.rebuild();
			}
			return false;
		}
	}

	/** @param {boolean} [restart] */
	async offer(restart = false) {
		const pc = this.pc;
		if (!pc || this.closed) {
			return;
		}
		if (this.busy) {
			this.again = true;
			return;
		}
		this.busy = true;
		try {
			await this.exchange(pc, restart);
		} catch (e) {
			if (pc === this.pc && !this.closed) {
				console.warn('rtc.offer', e, e instanceof ApiError ? e.why : '');
				e instanceof ApiError && e.code === 'forbidden' ? this.close() : this.retryLater();
			}
		}
		this.busy = false;
		if (this.again || (pc !== this.pc && this.pc)) {
			this.again = false;
			void this.offer();
		}
	}

	/** @param {RTCPeerConnection} pc @param {boolean} restart */
	async exchange(pc, restart) {
		await pc.setLocalDescription(await pc.createOffer({ iceRestart: restart }));
		// What was added meanwhile has no section yet and comes with the next offer.
		const publish = this.sources.filter((s) => !s.off && s.transceiver?.mid).map((s) => ({ mid: s.transceiver?.mid ?? '', kind: s.kind, content: s.content }));
		const view = this.slots.filter((s) => s.transceiver.mid).map((s) => ({
			mid: s.transceiver.mid ?? '', stream: s.view?.stream ?? null,
			...(s.view?.width ? { width: s.view.width, height: s.view.height } : {}),
		}));
		const answer = await this.client.call('rtc.offer', {
			pc: this.id, sdp: pc.localDescription?.sdp, publish, view, ...(restart ? { restart } : {}), ...(this.party ? { party: this.party } : {}),
		});
		if (pc === this.pc && pc.signalingState === 'have-local-offer') {
			await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
			await Promise.all(this.sources.map((s) => this.applyLayers(s)));
			if (pc.connectionState === 'connected') {
				this.changed(pc); // after a restart on a path that was not dead, nothing else would say so
			}
		}
	}

	retryLater() {
		clearTimeout(this.timers.retry);
		this.timers.retry = setTimeout(() => this.rebuild(), this.retry_ms);
		this.retry_ms = Math.min(this.retry_ms * 2, RETRY_MAX_MS);
	}

	clearTimers() {
		Object.values(this.timers).forEach(clearTimeout);
	}

	close() {
		this.closed = true;
		this.clearTimers();
		this.unlisten.forEach((stop) => stop());
		if (this.id) {
			this.client.call('rtc.close', { pc: this.id }, { timeout_ms: 1000 }).catch(() => {});
		}
		this.retire(() => true);
		this.pc?.close();
		this.pc = null;
		this.state.value = 'idle';
	}

	/** Figures of this side. @returns {Promise<{ fps: number, loss: number, rtt_ms: number, sound_energy: number, sound_level: number, frames: number }>} */
	async stats() {
		const out = { fps: 0, loss: 0, rtt_ms: 0, sound_energy: 0, sound_level: 0, frames: 0 };
		const report = await this.pc?.getStats();
		report?.forEach((row) => {
			if (row.type === 'outbound-rtp' && row.kind === 'video') {
				out.fps = Math.max(out.fps, row.framesPerSecond ?? 0);
				out.frames += row.framesEncoded ?? 0;
			} else if (row.type === 'inbound-rtp' && row.kind === 'audio') {
				out.sound_energy += row.totalAudioEnergy ?? 0;
				out.sound_level = Math.max(out.sound_level, row.audioLevel ?? 0);
			} else if (row.type === 'remote-inbound-rtp' && row.kind === 'video') {
				out.loss = Math.max(out.loss, row.fractionLost ?? 0);
			} else if (row.type === 'candidate-pair' && row.nominated && row.currentRoundTripTime) {
				out.rtt_ms = Math.round(row.currentRoundTripTime * 1000);
			}
		});
		return out;
	}
}
