// Starts the real gateway (which starts the real engine) on free ports with a state folder of its own, and ends them.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = resolve(process.env.ORTOO_BUILD ?? join(root, 'build'));
const gateway_path = process.env.ORTOO_GATEWAY ?? join(build, 'gateway/ortoo-gateway');
const engine_path = process.env.ORTOO_MCU ?? join(build, 'mcu/engine/ortoo-mcu');
const START_MS = 20000;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Polls until it gives something true. */
export async function until(what, fn, timeout_ms = 15000) {
	const end = Date.now() + timeout_ms;
	let last;
	while (Date.now() < end) {
		try {
			last = await fn();
			if (last) {
				return last;
			}
		} catch (e) {
			last = e;
		}
		await sleep(50);
	}
	throw new Error(`waited ${timeout_ms} ms for ${what}; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

function freePort() {
	return new Promise((done) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
}

function makeCertificate(folder) {
	mkdirSync(folder, { recursive: true });
	const key = join(folder, 'server.key'), crt = join(folder, 'server.crt');
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '7', '-subj', '/CN=127.0.0.1',
		'-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', key, '-out', crt], { stdio: 'ignore' });
	return { key, crt };
}

/** Ids of the processes whose parent is this one. */
function children(pid) {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((child) => {
		try {
			return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${child}/stat`, 'utf8'))[1]) === pid;
		} catch {
			return false;
		}
	});
}

export class Ortoo {
	/** @param {string[]} settings options of the gateway, KEY=VALUE */
	constructor(settings = []) {
		this.settings = settings;
		this.state = mkdtempSync(join(tmpdir(), 'ortoo-e2e-'));
		this.output = '';
		this.process = null;
	}

	async start() {
		if (!this.process) {
			process.once('SIGTERM', () => void this.stop().finally(() => process.exit(143))); // a runner that is out of time
		}
		this.tls ??= makeCertificate(join(this.state, 'tls'));
		this.port ??= await freePort();
		this.url = `https://127.0.0.1:${this.port}`;
		const args = ['--state', this.state, '--listen', `127.0.0.1:${this.port}`, '--announce', '127.0.0.1', '--tls-cert', this.tls.crt, '--tls-key', this.tls.key,
			'--web-root', join(root, 'softclient/web'), '--engine', engine_path, '--set=sip.zones=', '--set=ready.hour=-1', ...this.settings.map((s) => `--set=${s}`)];
		const child = spawn(gateway_path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
		this.process = child;
		const gone = new Promise((_done, fail) => child.once('exit', (code, signal) => fail(new Error(`ortoo-gateway ended (${code ?? signal})\n${this.output.slice(-3000)}`))));
		gone.catch(() => {});
		child.on('error', () => {});
		child.stdout.on('data', (text) => (this.output += text));
		child.stderr.on('data', (text) => (this.output += text));
		await Promise.race([gone, until('the pages to be served', () => this.healthy(), START_MS)]);
	}

	/** Pages are served and an engine is up. */
	healthy() {
		return new Promise((done, fail) => {
			get(`${this.url}/healthz`, { ca: readFileSync(this.tls.crt), agent: false }, (reply) => {
				reply.resume();
				done(reply.statusCode === 200);
			}).on('error', fail);
		});
	}

	/** The one-time link that the program prints for the first administrator. */
	setupLink() {
		const token = /\/setup#([\w.~-]+)/.exec(this.output)?.[1];
		if (!token) {
			throw new Error(`no set-up link was printed:\n${this.output.slice(-2000)}`);
		}
		return `${this.url}/setup#${token}`;
	}

	enginePids() {
		return children(this.process.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ortoo-mcu'));
	}

	killEngine() {
		this.enginePids().forEach((pid) => process.kill(pid, 'SIGKILL'));
	}

	async killGateway() {
		this.orphans = this.enginePids();
		const ended = new Promise((done) => this.process.once('exit', done));
		this.process.kill('SIGKILL');
		await ended;
	}

	/** What gateway and engine printed, beside the pictures of a failure. */
	keepOutput(folder) {
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, 'failed-gateway.log'), this.output);
	}

	async stop() {
		if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
			const ended = new Promise((done) => this.process.once('exit', done));
			const engines = this.enginePids();
			this.process.kill('SIGTERM');
			const late = setTimeout(() => this.process.kill('SIGKILL'), 5000);
			await ended;
			clearTimeout(late);
			this.orphans = [...(this.orphans ?? []), ...engines];
		}
		for (const pid of this.orphans ?? []) {
			try {
				if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('ortoo-mcu')) {
					process.kill(pid, 'SIGKILL');
				}
			} catch {
				// it is gone, as it should be
			}
		}
		rmSync(this.state, { recursive: true, force: true });
	}
}
