// Centre: what the wall really shows above, every scene previewed below; one click or key takes a scene from below to above.
import { html, useEffect, useRef } from '../lib/view.js';
import { t } from '../lib/i18n.js';
import { hms } from '../lib/clock.js';
import { DrillChip, Glyph, Picture, Sound, StateMark } from '../lib/ui.js';
import * as store from './store.js';
import { MapView } from './map.js';

const layouts = [1, 2, 4, 6, 9];

/** @param {{ w: Ortoo.Window, media: import('../lib/rtc.js').MediaLink | null, online: boolean }} p */
function WallWindow(p) {
	const { w } = p;
	const on = w.scene && w.stream;
	return html`<div class=${`window w-${w.state}`} data-window=${w.window} data-state=${w.state}>
		${on ? html`<${Picture} link=${p.media} stream=${w.stream} label=${t('wall.window_of', { window: w.window, name: w.name ?? '' })} />` : null}
		<div class="caption"><span class="number">${w.window}</span>
			${on ? html`<span class="name">${w.name}</span>${w.drill ? html`<${DrillChip} />` : null}` : html`<span class="dim">${t('wall.empty')}</span>`}
			<span class="spring"></span>
			${on ? html`<span class=${`air a-${w.state}`}>${w.state === 'drawn' ? html`<i class="dot"></i>` : null}${w.state === 'waiting' && !p.online ? t('wall.offline') : t(`window.${w.state}`)}${w.state === 'drawn' ? ` ${hms(w.drawn_ms)}` : ''}</span>` : null}
			${on && store.mayCommand.value ? html`<button class="quiet small" aria-label=${t('wall.clear', { window: w.window })} onClick=${() => void store.clearWindow(w)}><${Glyph} shape="cross" /></button>` : null}
		</div></div>`;
}

function Monitor() {
	const wall = store.wall.value;
	if (!wall) {
		return html`<section class="monitor none" aria-label=${t('wall.monitor')}><p>${t('wall.none')}</p>
			${store.isAdmin.value ? html`<button class="main" onClick=${() => (store.dialog.value = { name: 'admin' })}>${t('wall.make')}</button>` : null}</section>`;
	}
	return html`<section class="monitor" aria-label=${t('wall.monitor')}>
		<div class="bar">
			${store.walls.value.map((w) => html`<button class="tab" aria-pressed=${w.id === wall.id} onClick=${() => (store.wallId.value = w.id)}>
				<${Glyph} shape="wall" />${w.name}<span class=${`state ${w.online ? 's-present' : 's-failed'}`}>
				<${Glyph} shape=${w.online ? 'present' : 'failed'} />${t(w.online ? 'wall.online' : 'wall.offline')}</span></button>`)}
			<span class="spring"></span>
			${store.mayCommand.value ? html`<div class="chips" role="group" aria-label=${t('wall.layout')}>${layouts.map((n) => html`
				<button class="chip" aria-pressed=${wall.layout === n} aria-label=${t('wall.layout_n', { n })} onClick=${() => store.setLayout(n)}>${n}</button>`)}</div>` : null}
		</div>
		<div class=${`windows l-${wall.layout}`}>${wall.windows.slice(0, wall.layout).map((w) => html`<${WallWindow} key=${w.window} w=${w} media=${store.media.value} online=${wall.online} />`)}</div></section>`;
}

/** @param {{ s: Ortoo.Scene, index: number }} p */
function Cell(p) {
	const { s } = p;
	const figures = store.freshStats(s.id);
	const selected = s.id === store.sceneId.value;
	const live = store.hasPicture(s);
	const closed = Boolean(store.incident.value?.closed_ms);
	const ref = useRef(/** @type {HTMLElement | null} */ (null));
	useEffect(() => {
		if (selected) {
			ref.current?.scrollIntoView({ block: 'nearest' });
		}
	}, [selected]);
	return html`<article ref=${ref} class=${`cell ${selected ? 'selected' : ''} ${store.speaking.value.has(s.id) ? 'talking' : ''}`} data-scene=${s.id} data-state=${s.state}
		aria-label=${s.name} onClick=${() => (store.sceneId.value = s.id)} onDblClick=${() => void store.push(s)}>
		${live ? html`<${Picture} link=${store.media.value} stream=${store.streamOf(s, 'video')} label=${s.name} />`
			: html`<div class="no-picture"><${Glyph} shape="camera" /><span>${t(closed ? 'wait.closed' : `wait.${s.state}`)}</span></div>`}
		<div class="over"><span class="number">${p.index + 1}</span>${store.incident.value?.drill ? html`<${DrillChip} />` : null}
			${s.on_wall.length ? html`<span class="on-wall"><${Glyph} shape="wall" />${s.on_wall.map((w) => w.window).join(' ')}</span>` : null}
			${s.talk ? html`<span class="on-wall talk"><${Glyph} shape="sound" />${t('talk.on')}</span>` : null}
			<span class="spring"></span>${figures ? html`<span class="on-wall num">${figures.fps ? `${Math.round(figures.fps)} fps · ` : ''}${t('loss_short', { percent: Math.round((figures.loss ?? 0) * 100) })}</span>` : null}</div>
		<div class="caption">
			<button class="name plain" aria-pressed=${selected} onClick=${() => (store.sceneId.value = s.id)}>${s.name}</button>
			${closed ? null : html`<${StateMark} state=${s.state} why=${s.why} />`}
			<span class="spring"></span>${live ? html`<${Glyph} shape=${s.muted ? 'mic_off' : 'mic'} class="dim" />` : null}
			${store.mayCommand.value && live ? html`<button class="main push" onClick=${(/** @type {Event} */ e) => { e.stopPropagation(); void store.push(s); }}>
				<${Glyph} shape="wall" />${t('push')}</button>` : null}
		</div></article>`;
}

function Grid() {
	const list = store.scenes.value;
	if (!store.incident.value) {
		return html`<section class="grid none" aria-label=${t('scenes')}><div class="hint"><h2>${t('first.title')}</h2><p>${t('first.text')}</p>
			${store.mayCommand.value ? html`<button class="main big" onClick=${() => (store.dialog.value = { name: 'incident' })}>${t('incident.new')}<kbd>F2</kbd></button>` : null}</div></section>`;
	}
	if (!list.length) {
		return html`<section class="grid none" aria-label=${t('scenes')}><div class="hint"><h2>${t(store.incident.value.closed_ms ? 'incident.closed' : 'scenes.none')}</h2><p>${t(store.incident.value.closed_ms ? 'scenes.closed' : 'scenes.how')}</p>
			${store.mayAct.value ? html`<button class="main big" onClick=${() => (store.dialog.value = { name: 'guest' })}>${t('link.guest')}</button>` : null}</div></section>`;
	}
	const columns = list.length <= 2 ? list.length : list.length <= 6 ? 3 : 4;
	return html`<section class=${`grid c-${columns}`} aria-label=${t('scenes')}>${list.map((s, i) => html`<${Cell} key=${s.id} s=${s} index=${i} />`)}</section>`;
}

export function Centre() {
	const heard = store.scene.value && store.listening.value && store.hasPicture(store.scene.value) ? store.scene.value : null;
	return html`<main class="centre"><${Monitor} />
		<div class="bar"><h2>${store.mapOpen.value ? t('map') : t('scenes')}</h2><span class="spring"></span>
			<button class="chip" aria-pressed=${store.listening.value} onClick=${() => (store.listening.value = !store.listening.value)}>
				<${Glyph} shape=${store.listening.value ? 'sound' : 'sound_off'} />${t('listen')}<kbd>H</kbd></button>
			<button class="chip" aria-pressed=${store.mapOpen.value} onClick=${() => (store.mapOpen.value = !store.mapOpen.value)}><${Glyph} shape="map" />${t('map')}<kbd>M</kbd></button></div>
		${store.mapOpen.value ? html`<${MapView} />` : html`<${Grid} />`}
		${heard ? html`<${Sound} key=${heard.id} link=${store.media.value} stream=${store.streamOf(heard, 'audio')} />` : null}</main>`;
}
