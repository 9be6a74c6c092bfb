// A voice for Chromium's fake microphone: vowels of changing pitch in syllables, so that noise suppression takes it for
// speech and level meters see speech, not the short beeps of the built-in fake.
import { writeFileSync } from 'node:fs';

const RATE = 48000, SECONDS = 4, SYLLABLE_HZ = 3.5;
/** Two vowels as [formant Hz, width Hz, strength] */
const VOWELS = [[[730, 90, 1], [1090, 110, 0.6], [2440, 170, 0.25]], [[300, 60, 1], [870, 100, 0.5], [2240, 150, 0.2]]];

/** Strength of a harmonic under the formants of a vowel. */
const colour = (hz, vowel) => vowel.reduce((sum, [centre, width, strength]) => sum + strength / (1 + ((hz - centre) / width) ** 2), 0);

export function writeVoice(path) {
	const n = RATE * SECONDS;
	const samples = new Int16Array(n);
	let phase = 0;
	for (let i = 0; i < n; i++) {
		const t = i / RATE;
		const pitch = 130 + 25 * Math.sin(2 * Math.PI * 0.5 * t) + 10 * Math.sin(2 * Math.PI * 1.75 * t);
		phase += (2 * Math.PI * pitch) / RATE;
		const envelope = Math.max(0, Math.sin(Math.PI * ((t * SYLLABLE_HZ) % 1))) ** 0.7;
		const vowel = VOWELS[Math.floor(t * SYLLABLE_HZ) % VOWELS.length];
		let sum = 0;
		for (let k = 1; k * pitch < 3500; k++) {
			sum += colour(k * pitch, vowel) * Math.sin(k * phase);
		}
		samples[i] = Math.max(-1, Math.min(1, sum * envelope * 0.22)) * 32000;
	}
	const head = Buffer.alloc(44);
	head.write('RIFF', 0);
	head.writeUInt32LE(36 + n * 2, 4);
	head.write('WAVEfmt ', 8);
	head.writeUInt32LE(16, 16);
	head.writeUInt16LE(1, 20);
	head.writeUInt16LE(1, 22);
	head.writeUInt32LE(RATE, 24);
	head.writeUInt32LE(RATE * 2, 28);
	head.writeUInt16LE(2, 32);
	head.writeUInt16LE(16, 34);
	head.write('data', 36);
	head.writeUInt32LE(n * 2, 40);
	writeFileSync(path, Buffer.concat([head, Buffer.from(samples.buffer)]));
}
