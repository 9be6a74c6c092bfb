// A QR code as SVG, black on white whatever the theme, because phones read that best.
import qrcode from '../vendor/qrcode.js';
import { html } from './view.js';

/** @param {{ text: string, label: string }} p */
export function Qr(p) {
	const code = qrcode(0, 'M');
	code.addData(p.text);
	code.make();
	const n = code.getModuleCount();
	let path = '';
	for (let row = 0; row < n; row++) {
		for (let column = 0; column < n; column++) {
			path += code.isDark(row, column) ? `M${column} ${row}h1v1h-1z` : '';
		}
	}
	return html`<svg class="qr" role="img" aria-label=${p.label} viewBox=${`-4 -4 ${n + 8} ${n + 8}`} shape-rendering="crispEdges">
		<rect class="qr-ground" x="-4" y="-4" width=${n + 8} height=${n + 8} /><path class="qr-dark" d=${path} /></svg>`;
}
