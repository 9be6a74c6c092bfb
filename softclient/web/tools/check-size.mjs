// The console must load in a second on a 2 Mb/s line: everything it loads, gzipped, stays under the limit.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT = 150 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = ['console', 'lib', 'vendor', 'css', 'texts'];
let sum = 0;
for (const folder of wanted.filter((f) => existsSync(join(root, f)))) {
	for (const file of readdirSync(join(root, folder)).filter((f) => /\.(js|css|json)$/.test(f))) {
		sum += gzipSync(readFileSync(join(root, folder, file))).length;
	}
}
console.log(`console: ${(sum / 1024).toFixed(1)} KiB gzipped of ${LIMIT / 1024}`);
process.exit(sum > LIMIT ? 1 : 0);
