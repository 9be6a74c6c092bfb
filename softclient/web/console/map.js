// Map with no tiles of its own: an outline file and a tile server only where the operator has configured them.
// Leaflet is loaded when the map is opened for the first time.
import { html, effect, useEffect, useRef } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { span } from '../lib/clock.js';
import { tick } from '../lib/ui.js';
import * as store from './store.js';

const FIRST_VIEW = /** @type {[number, number]} */ ([43.5, 114]);
const FIRST_ZOOM = 5;
const NEAR_ZOOM = 13;

/** @typedef {typeof import('leaflet')} L */

/** @returns {Promise<L>} */
async function loadLeaflet() {
	if (!document.querySelector('link[href="/vendor/leaflet.css"]')) {
		const style = document.createElement('link');
		style.rel = 'stylesheet';
		style.href = '/vendor/leaflet.css';
		document.head.append(style);
	}
	return (await import('../vendor/leaflet.js')).default;
}

/** Lines of latitude and longitude, so that there is something to hold on to without any tile. @param {L} L */
function graticule(L) {
	const Layer = L.GridLayer.extend({
		createTile: (/** @type {{ x: number, y: number, z: number }} */ at) => {
			const tile = document.createElement('div');
			tile.className = 'graticule';
			const corner = L.CRS.EPSG3857.pointToLatLng(L.point(at.x * 256, at.y * 256), at.z);
			tile.textContent = `${corner.lat.toFixed(2)}° ${corner.lng.toFixed(2)}°`;
			return tile;
		},
	});
	return new /** @type {any} */ (Layer)();
}

/** @param {L} L @param {import('leaflet').Map} map */
async function addGround(L, map) {
	const { map: inner = {}, ...outer } = store.config.value;
	const tiles = inner.tiles ?? outer.map_tiles;
	if (tiles) {
		L.tileLayer(tiles, { attribution: inner.attribution ?? outer.map_attribution ?? '', maxZoom: 18 }).addTo(map);
	} else {
		graticule(L).addTo(map);
	}
	const outline = inner.outline ?? outer.division_outline;
	if (outline) {
		const reply = await fetch(new URL(outline, `${location.origin}/`)).catch(() => null); // a path under the pages' root
		if (reply?.ok) {
			L.geoJSON(await reply.json(), { interactive: false, style: { className: 'outline', weight: 1, fill: false } }).addTo(map);
		}
	}
}

/** @param {L} L @param {string} className @param {string} text */
function icon(L, className, text) {
	const element = document.createElement('div');
	element.className = 'pin';
	element.append(Object.assign(document.createElement('i'), {}), Object.assign(document.createElement('span'), { textContent: text }));
	return L.divIcon({ className: `marker ${className}`, html: element, iconSize: [0, 0] });
}

/** @param {Ortoo.Position} p */
function ageText(p) {
	return t('map.age', { accuracy: Math.round(p.accuracy_m), age: span(store.client.now() - p.at_ms) });
}

/** Draws incident and officers anew. @param {L} L @param {import('leaflet').LayerGroup} group */
function draw(L, group) {
	group.clearLayers();
	const incident = store.incident.value;
	if (incident?.lat && incident.lon) {
		L.marker([incident.lat, incident.lon], { icon: icon(L, 'm-incident', incident.place), keyboard: false }).addTo(group);
	}
	for (const s of store.scenes.value) {
		if (!s.position) {
			continue;
		}
		const at = /** @type {[number, number]} */ ([s.position.lat, s.position.lon]);
		L.circle(at, { radius: s.position.accuracy_m, className: 'accuracy', weight: 1, interactive: false }).addTo(group);
		const chosen = s.id === store.sceneId.value ? 'chosen' : '';
		L.marker(at, { icon: icon(L, `m-person st-${s.state} ${chosen}`, `${s.name} · ${t(`state.${s.state}`)} · ${ageText(s.position)}`), keyboard: false })
			.on('click', () => (store.sceneId.value = s.id)).addTo(group);
	}
}

/** @param {L} L @param {import('leaflet').Map} map */
function fit(L, map) {
	const points = store.scenes.value.filter((s) => s.position).map((s) => /** @type {[number, number]} */ ([s.position?.lat, s.position?.lon]));
	const incident = store.incident.value;
	if (incident?.lat && incident.lon) {
		points.push([incident.lat, incident.lon]);
	}
	if (points.length) {
		map.fitBounds(L.latLngBounds(points).pad(0.3), { maxZoom: NEAR_ZOOM });
	}
}

/** @param {{ pick?: (lat: number, lon: number) => void }} p with `pick`, a click chooses a place */
export function MapView(p) {
	const ref = useRef(/** @type {HTMLElement | null} */ (null));
	useEffect(() => {
		let stop = () => {};
		let gone = false;
		void loadLeaflet().then((L) => {
			if (gone || !ref.current) {
				return;
			}
			const map = L.map(ref.current, { zoomSnap: 0.5, attributionControl: Boolean(store.config.value.map_tiles ?? store.config.value.map?.tiles) })
				.setView(FIRST_VIEW, FIRST_ZOOM);
			void addGround(L, map);
			const group = L.layerGroup().addTo(map);
			const chosen = L.layerGroup().addTo(map);
			const size = new ResizeObserver(() => map.invalidateSize());
			size.observe(ref.current);
			fit(L, map);
			let last = 0;
			const undraw = effect(() => {
				const fresh = [store.incident.value, store.sceneId.value];
				if (fresh.length && tick.value - last > 900) {
					last = tick.value;
					draw(L, group);
				}
			});
			if (p.pick) {
				map.on('click', (e) => {
					chosen.clearLayers();
					L.marker(e.latlng, { icon: icon(L, 'm-incident', '') }).addTo(chosen);
					p.pick?.(e.latlng.lat, e.latlng.lng);
				});
			}
			stop = () => {
				undraw();
				size.disconnect();
				map.remove();
			};
		});
		return () => {
			gone = true;
			stop();
		};
	}, []);
	return html`<div class="map" ref=${ref} role="application" aria-label=${t('map')}></div>`;
}
