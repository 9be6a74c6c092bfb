// Every text of the pages lives in texts/<language>.json, or of one part in texts/<part>.<language>.json. This check fails on a key that
// is used and missing, present and unused, different between languages, and on CJK text in code.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const apart = ['css', 'texts', 'tools', 'vendor', 'node_modules', 'fonts', 'img'];
const folders = readdirSync(root, { withFileTypes: true }).filter((f) => f.isDirectory() && !apart.includes(f.name)).map((f) => f.name);
const languages = ['zh-CN', 'en'];
/** @type {string[]} */
const faults = [];

/** @param {string} language */
function load(language) {
	/** @type {Record<string, string>} */
	const sum = {};
	for (const file of readdirSync(join(root, 'texts')).filter((f) => f === `${language}.json` || f.endsWith(`.${language}.json`))) {
		for (const [key, text] of Object.entries(JSON.parse(readFileSync(join(root, 'texts', file), 'utf8')))) {
			if (key in sum) {
				faults.push(`${file}: ${key} stands in another file too`);
			}
			sum[key] = text;
		}
	}
	return sum;
}
const texts = Object.fromEntries(languages.map((l) => [l, load(l)]));
const all = new Set(languages.flatMap((l) => Object.keys(texts[l])));
const holes = (/** @type {string} */ s) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();

for (const key of all) {
	for (const l of languages) {
		if (!texts[l][key]) {
			faults.push(`${l}: no text for ${key}`);
		}
	}
	if (languages.every((l) => texts[l][key]) && holes(texts['zh-CN'][key]) !== holes(texts.en[key])) {
		faults.push(`${key}: placeholders differ between languages`);
	}
}

// The third language stands on some pages only; what it has must be whole, or a page would be half translated.
const partial = 'mn-Mong';
const wholes = /** @type {Record<string, RegExp>} */ ({ room: /^room\./, field: /^(live|in_app|ended|ended_help|trouble|trouble_help)\.|^field\.(opening|hello|why|why_camera|why_sound|why_place|start|allow)$/, ribbon: /^ribbon\./ });
for (const file of readdirSync(join(root, 'texts')).filter((f) => f.endsWith(`.${partial}.json`))) {
	const part = file.split('.')[0];
	const words = JSON.parse(readFileSync(join(root, 'texts', file), 'utf8'));
	for (const [key, text] of Object.entries(words)) {
		if (!all.has(key)) {
			faults.push(`${file}: there is no ${key}`);
		} else if (holes(text) !== holes(texts['zh-CN'][key])) {
			faults.push(`${file}: placeholders of ${key} differ`);
		} else if (!/[\u1800-\u18af]/.test(text) && /[A-Za-z]{5}/.test(text.replace(/\{\w+\}/g, ''))) {
			faults.push(`${file}: ${key} is not translated`);
		}
	}
	[...all].filter((key) => wholes[part]?.test(key) && !(key in words)).forEach((key) => faults.push(`${file}: no text for ${key}`));
}

const used = new Set();
const prefixes = new Set();
for (const folder of folders) {
	for (const file of readdirSync(join(root, folder)).filter((f) => /\.(js|html)$/.test(f))) {
		const source = readFileSync(join(root, folder, file), 'utf8');
		source.split('\n').forEach((line, i) => {
			const code = line.replace(/\/\/.*$/, '').replace(/^\s*\/?\*.*$/, '');
			if (/[\u3000-\u9fff\uff00-\uffef]/.test(code) && !/data-cjk/.test(line)) {
				faults.push(`${folder}/${file}:${i + 1}: text in code`);
			}
		});
		for (const m of source.matchAll(/\bt\(\s*'([\w.-]+)'/g)) {
			used.add(m[1]);
		}
		for (const m of source.matchAll(/`([a-z_]+\.)\$\{/g)) {
			prefixes.add(m[1]);
		}
		for (const m of source.matchAll(/\bt\([^'`]*\? '([\w.-]+)' : '([\w.-]+)'/g)) {
			used.add(m[1]).add(m[2]);
		}
		for (const m of source.matchAll(/\bsay\('([a-z]+)'/g)) {
			prefixes.add(`${m[1]}.`);
		}
		// A key may also travel through a table or an attribute; any quoted word that is a key counts as its use.
		for (const m of source.matchAll(/['"]([\w.-]+)['"]/g)) {
			if (all.has(m[1])) {
				used.add(m[1]);
			}
		}
	}
}
for (const key of used) {
	if (!all.has(key)) {
		faults.push(`used but not in texts: ${key}`);
	}
}
for (const key of all) {
	if (!used.has(key) && ![...prefixes].some((p) => key.startsWith(p))) {
		faults.push(`in texts but unused: ${key}`);
	}
}
faults.forEach((f) => console.error(f));
console.log(`texts: ${all.size} keys, ${languages.length} languages, ${faults.length} faults`);
process.exit(faults.length ? 1 : 0);
