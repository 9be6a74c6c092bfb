// Chromium with a fake camera that plays our picture. Each person of the play has a context (cookies) of his own.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { writePicture } from './picture.mjs';
import { writeVoice } from './voice.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const shots = resolve(process.env.ORTOO_E2E_SHOTS ?? 'build/e2e');
const chromium_path = process.env.CHROMIUM ?? '/usr/bin/chromium';

export function canRun() {
	return existsSync(chromium_path);
}

/** @param {string} folder for the camera's file and the profile */
export async function openBrowser(folder) {
	const picture = join(folder, 'camera.y4m');
	const voice = join(folder, 'microphone.wav');
	writePicture(picture);
	writeVoice(voice);
	return chromium.launch({
		executablePath: chromium_path,
		args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
			'--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
			'--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${picture}`, `--use-file-for-fake-audio-capture=${voice}`,
			'--autoplay-policy=no-user-gesture-required'],
	});
}

/** A person: context, page, and every fault that the page's console printed. */
export async function person(browser, { width = 1366, height = 768, media = false, place = null, agent, locale = 'zh-CN' } = {}) {
	const context = await browser.newContext({
		ignoreHTTPSErrors: true, viewport: { width, height }, locale, timezoneId: 'Asia/Shanghai', ...(agent ? { userAgent: agent } : {}),
		permissions: [...(media ? ['camera', 'microphone'] : []), ...(place ? ['geolocation'] : []), 'clipboard-read', 'clipboard-write'],
		...(place ? { geolocation: place } : {}),
	});
	const page = await context.newPage();
	page.faults = [];
	page.said = [];
	page.on('console', (m) => page.said.push(`${m.type()} ${m.text()}`));
	page.on('pageerror', (e) => page.faults.push(e.message));
	page.on('console', (m) => /Content Security Policy|Refused to/.test(m.text()) && page.faults.push(m.text()));
	return page;
}

export async function shot(page, name) {
	mkdirSync(shots, { recursive: true });
	await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** Serious faults of accessibility on the page as it stands. */
export async function axeFaults(page) {
	await page.evaluate(axe);
	const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
	return found.violations.filter((v) => ['serious', 'critical'].includes(v.impact))
		.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(', ')} ${v.nodes[0].failureSummary?.split('\n')[1] ?? ''}`);
}
