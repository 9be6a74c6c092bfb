// Copies the few npm packages that the pages use into vendor/ as plain ES modules.
// The content policy allows no inline script, hence no import map: every bare import
// is rewritten to a relative path, and a one-line .d.ts beside it keeps tsc informed.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = join(root, 'node_modules');
const to = join(root, 'vendor');

/** module name -> [file in node_modules, file in vendor] */
const modules = {
	'preact': ['preact/dist/preact.mjs', 'preact.js'],
	'preact/hooks': ['preact/hooks/dist/hooks.mjs', 'preact-hooks.js'],
	'@preact/signals-core': ['@preact/signals-core/dist/signals-core.mjs', 'signals-core.js'],
	'@preact/signals': ['@preact/signals/dist/signals.mjs', 'signals.js'],
	'htm': ['htm/dist/htm.mjs', 'htm.js'],
	'qrcode-generator': ['qrcode-generator/dist/qrcode.mjs', 'qrcode.js'],
};

/** @param {string} text */
function relink(text) {
	const out = text.replace(/\b(from\s*|import\s*)(["'])([^"'./][^"']*)\2/g, (_all, word, quote, name) => {
		const row = modules[name];
		if (!row) {
			throw new Error(`vendor: no row for "${name}"`);
		}
		return `${word}${quote}./${row[1]}${quote}`;
	});
	return out.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
}

/** Crude but safe for this one file: drops whole-line comments, which are half of it. */
function thin(text) {
	return text.split('\n').filter((line) => !/^\s*\/\//.test(line)).map((line) => line.trim()).join('\n');
}

if (!existsSync(from)) {
	process.exit(0);
}
rmSync(to, { recursive: true, force: true });
mkdirSync(to, { recursive: true });
for (const [name, [source, target]] of Object.entries(modules)) {
	let text = relink(readFileSync(join(from, source), 'utf8'));
	if (name === 'qrcode-generator') {
		text = thin(text);
	}
	writeFileSync(join(to, target), text);
	const has_default = name === 'htm' || name === 'qrcode-generator';
	writeFileSync(join(to, target.replace(/\.js$/, '.d.ts')),
		`export * from '${name}';\n${has_default ? `export { default } from '${name}';\n` : ''}`);
}

// Leaflet ships its small build as UMD only.
const leaflet = readFileSync(join(from, 'leaflet/dist/leaflet.js'), 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n');
writeFileSync(join(to, 'leaflet.js'),
	`const module = { exports: {} }, exports = module.exports;\n${leaflet}\nexport default exports;\n`);
writeFileSync(join(to, 'leaflet.d.ts'), `import * as L from 'leaflet';\nexport default L;\n`);
// Traditional Mongolian (OFL-1.1): the whole script in one file, fetched only where it is written.
const mongolian = join(from, '@fontsource/noto-sans-mongolian/files/noto-sans-mongolian-mongolian-400-normal.woff2');
if (existsSync(mongolian)) {
	cpSync(mongolian, join(to, 'noto-sans-mongolian.woff2'));
}
cpSync(join(from, 'leaflet/dist/leaflet.css'), join(to, 'leaflet.css'));
