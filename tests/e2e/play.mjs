// Acts of the play that more than one test needs, done by the pages as a person would do them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canRun, shot, shots } from './browser.mjs';
import { until } from './ortoo.mjs';

export const ADMIN = { name: 'chief', password: 'Correct-horse-7-battery' };

/** Set-up link to a console that is logged in. */
export async function setUp(page, ortoo) {
	await page.goto(ortoo.setupLink());
	await page.fill('input[name=name]', ADMIN.name);
	await page.fill('input[name=password]', ADMIN.password);
	await page.fill('input[name=again]', ADMIN.password);
	await page.click('button.main');
	await page.waitForSelector('.console', { timeout: 20000 });
}

export async function logIn(page, ortoo, who = ADMIN) {
	await page.goto(ortoo.url);
	await page.fill('input[name=name]', who.name);
	await page.fill('input[name=password]', who.password);
	await page.click('button.main');
	await page.waitForSelector('.console', { timeout: 20000 });
}

export async function openIncident(page, { place = 'Friendship Street', text = 'smoke', drill = true } = {}) {
	await page.keyboard.press('F2');
	await page.fill('input[name=place]', place);
	await page.fill('textarea[name=text]', text);
	if (drill) {
		await page.check('input[name=drill]');
	}
	await page.click('dialog button.main');
	await page.waitForSelector('.scene-clock');
}

/** A guest link as the console shows it. */
export async function guestLink(page, name) {
	await page.click('.tree-foot button:last-child');
	await page.fill('dialog input[name=name]', name);
	await page.click('dialog button.main');
	const url = await page.locator('dialog [data-url]').textContent({ timeout: 10000 });
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
	return url;
}

/** The address of a new wall. */
export async function makeWall(page, name) {
	await page.click('.menu summary');
	await page.click('.menu-list [data-open=admin]');
	await page.fill('dialog input[name=name]', name);
	await page.click('dialog section:first-of-type button.main');
	const url = await page.locator('dialog [data-url]').first().textContent({ timeout: 10000 });
	await page.keyboard.press('Escape');
	await page.waitForSelector('dialog', { state: 'detached' });
	return url;
}

/** Link to a phone that sends. */
export async function joinField(page, url) {
	await page.goto(url);
	await page.waitForSelector('[data-phase=ready]', { timeout: 10000 });
	await page.click('button.huge');
	await page.waitForSelector('[data-phase=live]', { timeout: 10000 });
}

/** One method over REST with the page's own cookie. */
export async function call(page, method, params = {}) {
	const { status, body } = await page.evaluate(async ([m, p]) => {
		const reply = await fetch(`/api/v1/${m}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(p) });
		return { status: reply.status, body: await reply.json() };
	}, [method, params]);
	if (status !== 200) {
		throw new Error(`${method}: ${status} ${JSON.stringify(body)}`);
	}
	return body;
}

/** The certificate once all of the wanted steps are stamped; else the last one with what is missing. */
export async function certificate(page, incident, steps, timeout_ms = 20000) {
	let last;
	await until(`stamps ${steps}`, async () => {
		last = await call(page, 'incident.certificate', { id: incident });
		const stamps = Object.fromEntries(last.scenes[0].stamps.map((s) => [s.step, s.at_ms]));
		const missing = steps.filter((s) => !stamps[s]);
		assert.equal(missing.join(), '');
		return true;
	}, timeout_ms);
	return last;
}

/**
 * Steps of one play: each stands on those before, so after a broken one the rest is skipped instead of waiting for its
 * time-outs. A broken step leaves pictures of all pages and what the programs printed.
 * @param {() => Record<string, any>} pages by name, undefined while not there @param {import('./ortoo.mjs').Ortoo} ortoo
 */
export function play(pages, ortoo) {
	let broken = canRun() ? '' : 'no chromium';
	return (name, fn) => test(name, { timeout: 90000 }, async (t) => {
		if (broken) {
			t.skip(broken);
			return;
		}
		broken = `"${name}" failed`;
		try {
			await fn(t);
		} catch (e) {
			for (const [who, page] of Object.entries(pages())) {
				await (page && shot(page, `failed-${who}`).catch(() => {}));
				page?.said.slice(-5).forEach((line) => t.diagnostic(`${who}: ${line}`));
			}
			ortoo.keepOutput(shots);
			throw e;
		}
		broken = '';
	});
}
