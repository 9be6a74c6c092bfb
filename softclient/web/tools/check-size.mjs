// The console must load in a second on a 2 Mb/s line: what its page loads before anybody presses a key stays, gzipped, under
// the limit. That is: every module reached by static imports, its style sheets, and the texts of one language (the larger
// counts). What is imported on demand (the map, panels) is not counted.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT = 150 * 1024;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const size = (/** @type {string} */ path) => gzipSync(readFileSync(path)).length;
const page = readFileSync(join(root, 'console', 'index.html'), 'utf8');
const map = JSON.parse(page.match(/<script type="importmap">([^<]*)</)?.[1] ?? '{"imports":{}}').imports;

/** @param {string} from @param {string} name */
function resolve(from, name) {
	const target = map[name] ?? name;
	return target.startsWith('/') ? join(root, target) : join(dirname(from), target);
}

/** @param {string} file @param {Set<string>} seen */
function walk(file, seen) {
	if (seen.has(file) || !existsSync(file)) {
		return seen;
	}
	seen.add(file);
	for (const m of readFileSync(file, 'utf8').matchAll(/(?:^|;|\})\s*(?:import|export)\s*(?:[\w*{}$,\s]+?from\s*)?["']([^"'\n]+)["']/gm)) {
		walk(resolve(file, m[1]), seen);
	}
	return seen;
}

const files = walk(join(root, 'console', 'main.js'), new Set());
const sheets = [...page.matchAll(/href="\/(css\/[\w.]+\.css)"/g)].map((m) => join(root, m[1]));
const parts = [...(readFileSync(join(root, 'console', 'main.js'), 'utf8').match(/loadTexts\(([^)]*)\)/)?.[1] ?? '').matchAll(/'(\w+)'/g)].map((m) => m[1]);
const languages = readdirSync(join(root, 'texts')).filter((f) => f.split('.').length === 2).map((f) => f.split('.')[0]);
const texts = Math.max(...languages.map((l) => ['', ...parts.map((p) => `${p}.`)].reduce((n, p) => n + size(join(root, 'texts', `${p}${l}.json`)), 0)));
const sum = [...files, ...sheets].reduce((n, f) => n + size(f), texts);
console.log(`console: ${(sum / 1024).toFixed(1)} KiB gzipped of ${LIMIT / 1024}, ${files.size} modules`);
process.exit(sum > LIMIT || files.size < 20 ? 1 : 0);
