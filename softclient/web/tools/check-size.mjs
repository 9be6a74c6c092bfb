// The console must load in a second on a 2 Mb/s line: everything it loads, gzipped, stays under the limit. Of the languages
// one is loaded (the larger counts), of the style sheets its own; Leaflet counts although it comes with the map only.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT = 160 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folders = ['console', 'lib', 'vendor'];
const sheets = ['base.css', 'console.css', 'conference.css'];
const size = (/** @type {string[]} */ ...path) => gzipSync(readFileSync(join(root, ...path))).length;
let sum = Math.max(...readdirSync(join(root, 'texts')).map((f) => size('texts', f))) + sheets.reduce((n, f) => n + size('css', f), 0);
for (const folder of folders.filter((f) => existsSync(join(root, f)))) {
	sum += readdirSync(join(root, folder)).filter((f) => /\.(js|css)$/.test(f)).reduce((n, f) => n + size(folder, f), 0);
}
console.log(`console: ${(sum / 1024).toFixed(1)} KiB gzipped of ${LIMIT / 1024}`);
process.exit(sum > LIMIT ? 1 : 0);
