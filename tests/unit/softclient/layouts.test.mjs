// The console draws and places cells by the mixer's own geometry: layouts.js has the rows of mcu/mix/layouts.def, none more.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { layouts, placeOf } from '../../../softclient/web/console/layouts.js';

const text = readFileSync(new URL('../../../mcu/mix/layouts.def', import.meta.url), 'utf8').replace(/\/\*[^]*?\*\//g, '');
const rows = [...text.matchAll(/MIX_LAYOUT\("([^"]+)",\s*(\d+),\s*(\d+),\s*\w+,\s*([^]*?)\)\n/g)].map(([, name, columns, lines, cells]) =>
	[name, [Number(columns), Number(lines), [...cells.matchAll(/\{([^}]*)\}/g)].map(([, numbers]) => numbers.split(',').map(Number))]]);

test('the same layouts with the same cells', () => {
	assert.ok(rows.length >= 12);
	assert.deepEqual(Object.fromEntries(rows), layouts);
});

test('cells stay inside and, but for those that lie over the first, apart', () => {
	for (const [name, [columns, lines, cells]] of Object.entries(layouts)) {
		const taken = new Set();
		cells.forEach(([x, y, w, h], n) => {
			assert.ok(x + w <= columns && y + h <= lines, `${name} ${n}`);
			for (let i = 0; i < w * h && name !== 'pip'; i++) {
				const at = `${x + (i % w)},${y + Math.floor(i / w)}`;
				assert.ok(!taken.has(at), `${name} ${n}`);
				taken.add(at);
			}
		});
	}
});

test('places are parts of the picture', () => {
	assert.deepEqual(placeOf('5+1', 1), { left: '66.667%', top: '0%', width: '33.333%', height: '33.333%' });
	assert.deepEqual(placeOf('none', 7), { left: '0%', top: '0%', width: '100%', height: '100%' });
});
