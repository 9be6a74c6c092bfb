// A roll call whose gateway is killed (SIGKILL) again and again while a dispatcher goes through the list: what was acknowledged
// is there, nothing is said twice, the same site stands on the screen, and the circular is whole in the end.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { openBrowser, person } from './browser.mjs';
import { Ortoo, sleep, until } from './ortoo.mjs';
import { call, play, setUp } from './play.mjs';

const SITES = 24;
const KILLS = 12;
const results = ['present', 'no_answer', 'no_picture', 'unreachable', 'no_sound', 'present_late'];
const ortoo = new Ortoo(['party.ring=3s', 'sip.zones=name=default bind=127.0.0.1 port=0 tls_port=0']);
let browser, desk;

before(async () => {
	await ortoo.start();
	browser = await openBrowser(ortoo.state);
}, { timeout: 60000 });

after(async () => {
	await browser?.close();
	await ortoo.stop();
});

const step = play(() => ({ desk }), ortoo);

step(`${KILLS} kills in a roll call of ${SITES} sites`, async (t) => {
	desk = await person(browser, { width: 1366, height: 768 });
	await setUp(desk, ortoo);
	const sites = Array.from({ length: SITES }, (_x, n) => `s-${n + 1}`);
	for (const site of sites) {
		await call(desk, 'directory.put', { kind: 'site', item: { id: site, name: `Site ${site}`, address: 'sip:nobody@127.0.0.1:9' } });
	}
	const { id } = await call(desk, 'rollcall.open', { name: 'Kill', sites, ahead: 3 });
	await call(desk, 'rollcall.run', { id, on: true });
	const said = new Map();
	const slow = [];
	let kills = 0;
	for (let guard = 0; guard < 200; guard++) {
		const r = await call(desk, 'rollcall.get', { id });
		const turn = r.entries.find((e) => e.turn);
		for (const [site, result] of said) {
			assert.equal(r.entries.find((e) => e.site === site).result, result, `${site}: what was acknowledged is there`);
		}
		if (r.state === 'closed') {
			break;
		}
		assert.ok(turn, 'somebody is on the screen');
		const result = results[Number(turn.site.slice(2)) % results.length];
		const asked = call(desk, 'rollcall.next', { id, result }).then(() => true, () => false);
		const die = kills < KILLS && guard % 2 === 1;
		if (die) {
			await sleep((kills * 7) % 23); // before, within and after the act
			await ortoo.killGateway();
		}
		if (await asked) {
			said.set(turn.site, result);
		}
		if (die) {
			kills++;
			const since = Date.now();
			await ortoo.start();
			await until('the gateway', () => call(desk, 'rollcall.get', { id }));
			slow.push(Date.now() - since);
			const now = await call(desk, 'rollcall.get', { id });
			const e = now.entries.find((x) => x.site === turn.site);
			const screen = now.entries.find((x) => x.turn);
			assert.ok(screen || now.state === 'closed', 'somebody is on the screen');
			assert.ok(e.turn || e.result === result, 'the same site, or it was done');
			if (screen) {
				const c = await call(desk, 'conference.get', { id: now.conference });
				assert.equal(c.views[0].cells[0].party, screen.party, 'and it is in the picture');
				assert.ok(c.views[0].banner.includes(screen.name), 'with its plate');
			}
		}
	}
	assert.equal(kills, KILLS);
	const end = await call(desk, 'rollcall.get', { id });
	assert.equal(end.state, 'closed');
	assert.equal(end.totals.not_called, 0);
	const log = [];
	for (let after_seq = 0; ;) {
		const { records } = await call(desk, 'log.list', { after_seq, limit: 1000 });
		if (!records.length) {
			break;
		}
		log.push(...records);
		after_seq = records.at(-1).seq;
	}
	for (const type of ['rollcall.show', 'rollcall.result']) {
		for (const site of sites) {
			assert.equal(log.filter((x) => x.type === type && x.body.site === site).length, 1, `${type} of ${site} once`);
		}
	}
	assert.ok((await call(desk, 'log.verify')).ok, 'the chain holds');
	slow.sort((a, b) => a - b);
	t.diagnostic(`${kills} kills; back after ${slow[0]} to ${slow.at(-1)} ms`);
});
