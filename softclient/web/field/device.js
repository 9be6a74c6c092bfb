// What the phone gives us: camera, place, battery, screen. Each part says in one word what is wrong when something is.

/** @typedef {'refused' | 'no_camera' | 'busy' | 'insecure' | 'unsupported'} CameraTrouble */

/** Browsers inside messaging apps: cameras fail there in ways the page cannot mend. */
export function inAppBrowser() {
	return /MicroMessenger|DingTalk|\bQQ\/|Weibo|AlipayClient|FBAN|FBAV|Instagram/i.test(navigator.userAgent);
}

/** @param {unknown} e @returns {CameraTrouble} */
export function troubleOf(e) {
	const name = e instanceof DOMException ? e.name : '';
	if (name === 'NotAllowedError' || name === 'SecurityError') {
		return 'refused';
	}
	if (name === 'NotFoundError' || name === 'OverconstrainedError') {
		return 'no_camera';
	}
	return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'unsupported';
}

/** Camera and microphone; without a camera at least nothing is pretended. @param {'environment' | 'user'} facing @returns {Promise<MediaStream>} */
export function openCamera(facing) {
	if (!window.isSecureContext || !navigator.mediaDevices) {
		throw new DOMException('no secure context', 'SecurityError');
	}
	return navigator.mediaDevices.getUserMedia({
		video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } },
		audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
	});
}

/** Only the picture, when the microphone is already running. @param {'environment' | 'user'} facing */
export async function openPicture(facing) {
	const media = await navigator.mediaDevices.getUserMedia({
		video: { facingMode: { ideal: facing }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } },
	});
	return media.getVideoTracks()[0];
}

const QUIET_MS = 30000;
const NEAR_M = 10;
const EARTH_M = 6371000;

/** @param {GeolocationCoordinates} a @param {GeolocationCoordinates} b */
function metres(a, b) {
	const rad = Math.PI / 180;
	const x = (b.longitude - a.longitude) * rad * Math.cos(((a.latitude + b.latitude) / 2) * rad);
	return Math.hypot(x, (b.latitude - a.latitude) * rad) * EARTH_M;
}

/**
 * Reports the place when it moved by more than it is uncertain, or every half minute.
 * @param {(p: { lat: number, lon: number, accuracy_m: number, at_ms: number }) => void} report @param {() => void} refused @returns {() => void} stops it
 */
export function watchPlace(report, refused) {
	if (!navigator.geolocation) {
		refused();
		return () => {};
	}
	/** @type {GeolocationPosition | null} */
	let last = null;
	const seen = (/** @type {GeolocationPosition} */ now) => {
		const moved = last ? metres(last.coords, now.coords) > Math.max(NEAR_M, now.coords.accuracy / 2) : true;
		const better = last ? now.coords.accuracy < last.coords.accuracy / 2 : true;
		if (last && !moved && !better && now.timestamp - last.timestamp < QUIET_MS) {
			return;
		}
		last = now;
		report({ lat: now.coords.latitude, lon: now.coords.longitude, accuracy_m: now.coords.accuracy, at_ms: now.timestamp });
	};
	const id = navigator.geolocation.watchPosition(seen, (e) => e.code === e.PERMISSION_DENIED && refused(), { enableHighAccuracy: true, maximumAge: 10000 });
	return () => navigator.geolocation.clearWatch(id);
}

/** Keeps the screen lit while the page is in front; asked again after each return. */
export async function keepAwake() {
	try {
		await navigator.wakeLock?.request('screen');
	} catch {
		// refused when the battery is low: nothing is lost but comfort
	}
}

/** The phone itself says that its line carries a small picture at most; false where it does not say. */
export function thinLine() {
	const line = /** @type {any} */ (navigator).connection;
	return Boolean(line && (['slow-2g', '2g'].includes(line.effectiveType) || line.saveData || (line.downlink > 0 && line.downlink < 0.3)));
}

/** Whole percent, or null where the phone does not say. @returns {Promise<number | null>} */
export async function battery() {
	const ask = /** @type {any} */ (navigator).getBattery;
	const state = ask ? await ask.call(navigator).catch(() => null) : null;
	return state ? Math.round(state.level * 100) : null;
}
