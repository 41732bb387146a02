// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Features, table} from './features.ts';
import {pieceUnits, Reader} from './reader.ts';

/** Words are weighed in windows of 16, 32 and 64 words; each begins where a step of four does. */
export const stepWords: i32 = 4;
export const shortestSteps: i32 = 4;
export const longestSteps: i32 = 16;
/** Pieces of a long text overlap by so many units. */
export const overlapUnits: i32 = 512;
/** What a text without a word scores. */
export const lowest: i32 = -1000000;
/** Before the weights: as many 32-bit numbers, little-endian: the unit, what a doubling of the length costs, a bias a channel. */
export const headBytes: i32 = 64;

/** How often `steps` can be halved before it is shorter than the longest window: what the worst of many windows is too high by. */
export function doublings(steps: i32): i32 {
	let count = 0;
	for (let left = steps; left > longestSteps; left >>= 1) count++;
	return count;
}

/** Scores texts with trained weights. */
export class Scanner {
	private reader: Reader = new Reader();
	private features: Features = new Features();
	private sums: Int32Array = new Int32Array(4 * pieceUnits);
	private model: Int8Array;

	constructor(model: Int8Array) {
		this.model = model;
	}

	private head(index: i32): i32 {
		const at = index * 4;
		const low = (this.model[at] & 255) | ((this.model[at + 1] & 255) << 8);
		return low | ((this.model[at + 2] & 255) << 16) | ((this.model[at + 3] & 255) << 24);
	}

	/** A score as a number between 0 and 1: 0.5 is reached by one harmless text in a hundred. */
	probability(score: i32): number {
		return 1 / (1 + Math.exp(-(score as number) / (this.head(0) as number)));
	}

	/** The score of the worst window of a text that came in by `channel`, in units of the weights. */
	score(text: string, channel: i32): i32 {
		let worst = lowest;
		let steps = 0;
		for (let from = 0; from < text.length; from += pieceUnits - overlapUnits) {
			const to = from + pieceUnits < text.length ? from + pieceUnits : text.length;
			this.reader.read(text, from, to);
			const found = this.worstWindow(channel);
			if (found > worst) worst = found;
			steps += (this.reader.count + stepWords - 1) / stepWords | 0;
			if (to == text.length) break;
		}
		if (worst == lowest) return lowest;
		return worst + this.head(2 + channel) - doublings(steps) * this.head(1);
	}

	private worstWindow(channel: i32): i32 {
		const reader = this.reader;
		const features = this.features;
		features.begin();
		let worst = lowest;
		let sum = 0;
		let steps = 0;
		this.sums[0] = 0;
		for (let index = 0; index < reader.count; index++) {
			features.of(reader, index, channel);
			for (let at = 0; at < features.count; at++) sum += this.model[headBytes + features.found[at]];
			if ((index + 1) % stepWords != 0 && index + 1 != reader.count) continue;
			this.sums[++steps] = sum;
			for (let size = shortestSteps; size <= longestSteps; size <<= 1) {
				const score = sum - this.sums[steps > size ? steps - size : 0];
				if (score > worst) worst = score;
				if (size >= steps) break;
			}
		}
		return worst;
	}
}

/** How long a model is, in bytes. */
export const modelBytes: i32 = headBytes + table;
