// Camera, microphone, line and sounds of a room's PC.

const PROBES = 8;
const LOOK_MS = 1500;

/** As good as the room has; a room without a camera still hears and speaks. @returns {Promise<MediaStream>} */
export async function openRoom() {
	const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
	const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } };
	for (const what of [{ audio, video }, { video }, { audio }]) {
		try {
			return await navigator.mediaDevices.getUserMedia(what);
		} catch (e) {
			console.warn('devices', String(e));
		}
	}
	return new MediaStream();
}

/** Opens both for a moment: does the camera really give pictures? */
export async function testDevices() {
	const media = await openRoom();
	const [video] = media.getVideoTracks();
	const settings = video?.getSettings() ?? {};
	const element = Object.assign(document.createElement('video'), { muted: true, srcObject: video ? new MediaStream([video]) : null });
	const drawn = video ? await new Promise((done) => {
		setTimeout(() => done(false), LOOK_MS);
		element.requestVideoFrameCallback(() => done(true));
		void element.play().catch(() => {});
	}) : false;
	const out = { camera: Boolean(drawn), microphone: media.getAudioTracks().length > 0, width: Number(settings.width ?? 0), height: Number(settings.height ?? 0) };
	element.srcObject = null;
	media.getTracks().forEach((x) => x.stop());
	return out;
}

/** Round trips of messages to the gateway. @param {import('../lib/api.js').Client} client */
export async function lineTest(client) {
	/** @type {number[]} */
	const trips = [];
	for (let n = 0; n < PROBES; n++) {
		const begin = performance.now();
		await client.call('time.sync', { client_ms: Date.now() }, { timeout_ms: 3000 }).then(() => trips.push(performance.now() - begin)).catch(() => {});
		await new Promise((done) => setTimeout(done, 50));
	}
	trips.sort((a, b) => a - b);
	const middle = trips[Math.floor(trips.length / 2)];
	return { rtt_ms: Math.round(middle ?? 0), jitter_ms: trips.length ? Math.round(trips[trips.length - 1] - trips[0]) : 0 };
}

/** @type {AudioContext | null} */
let context = null;
/** @type {{ stop: () => void } | null} */
let playing = null;

/** Frequencies in turn, seconds each; 0 = pause. */
const tunes = { ring: { notes: [440, 0, 440, 0, 0, 0, 0, 0], seconds: 0.4, shape: 'sine' }, siren: { notes: [660, 880], seconds: 0.5, shape: 'square' } };

/**
 * One tune at a time, until another or null. Resolves to false when the browser wants a touch first.
 * @param {keyof typeof tunes | null} name
 */
export async function sound(name) {
	playing?.stop();
	playing = null;
	if (!name) {
		return true;
	}
	context ??= new AudioContext();
	const { notes, seconds, shape } = tunes[name];
	const [tone, gain] = [context.createOscillator(), context.createGain()];
	tone.type = /** @type {OscillatorType} */ (shape);
	tone.connect(gain).connect(context.destination);
	gain.gain.value = 0;
	tone.start();
	let n = 0;
	const step = () => {
		const hz = notes[n++ % notes.length];
		gain.gain.value = hz ? (name === 'siren' ? 0.5 : 0.25) : 0;
		tone.frequency.value = hz || 440;
	};
	step();
	const timer = setInterval(step, seconds * 1000);
	playing = { stop: () => {
		clearInterval(timer);
		tone.stop();
		gain.disconnect();
	} };
	await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))]);
	return context.state === 'running';
}
