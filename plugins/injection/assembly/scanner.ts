// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Features, table, wholeTable} from './features.ts';
import {pieceUnits, Reader} from './reader.ts';

/** Words are weighed in windows of 16, 32 and 64 words; each begins where a step of four does. */
export const stepWords: i32 = 4;
export const shortestSteps: i32 = 4;
export const longestSteps: i32 = 16;
/** Pieces of a long text overlap by so many units. */
export const overlapUnits: i32 = 512;
/** What a text without a word scores. */
export const lowest: i32 = -1000000;
/**
 * Before the weights, as 32-bit numbers, little-endian: the unit; what a doubling of the length costs; a bias for each of four channels; and by
 * channel what the text as a whole counts, in 1024ths.
 */
export const headBytes: i32 = 64;
/** How long a model is, in bytes. */
export const modelBytes: i32 = headBytes + table + wholeTable;

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
	/** By feature of a text as a whole, its weight, and, from the ninth bit on, in which round it was last seen. */
	private wholes: Int16Array = new Int16Array(wholeTable);
	private round: i32 = 0;
	private wholeSum: i32 = 0;
	private wholeCount: i32 = 0;
	/** Where what counts of the worst window of the last text begins and ends. */
	start: i32 = 0;
	end: i32 = 0;
	private firstStep: i32 = 0;
	private lastStep: i32 = 0;

	constructor(model: Int8Array) {
		this.model = model;
		for (let at = 0; at < wholeTable; at++) this.wholes[at] = model[headBytes + table + at] & 255;
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

	/** The score of a text that came in by `channel`, in units of the weights: of its worst window, and of the piece that it is in. */
	score(text: string, channel: i32): i32 {
		let worst = lowest;
		let steps = 0;
		this.start = 0;
		this.end = text.length;
		for (let from = 0; from < text.length; from += pieceUnits - overlapUnits) {
			const to = from + pieceUnits < text.length ? from + pieceUnits : text.length;
			this.reader.read(text, from, to);
			let found = this.worstWindow(channel);
			if (found > lowest) found += this.asWhole(channel);
			if (found > worst) {
				worst = found;
				this.place(to);
			}
			steps += (this.reader.count + stepWords - 1) / stepWords | 0;
			if (to == text.length) break;
		}
		if (worst == lowest) return lowest;
		return worst + this.head(2 + channel) - doublings(steps) * this.head(1);
	}

	/**
	 * Keeps where those words of the worst window are that make it so, more than three quarters of the window's mean; of words that were read a
	 * second time, it is where the first one stands.
	 */
	private place(to: i32): void {
		const first = this.firstStep;
		const size = this.lastStep - first;
		const total = this.sums[this.lastStep] - this.sums[first];
		let lowestAt = first;
		let low = 0;
		let from = first;
		let end = this.lastStep;
		let best = lowest;
		for (let at = first + 1; at <= this.lastStep; at++) {
			const gained = (this.sums[at] - this.sums[first]) * 4 * size - (at - first) * 3 * total;
			if (gained - low > best) {
				best = gained - low;
				from = lowestAt;
				end = at;
			}
			if (gained < low) {
				low = gained;
				lowestAt = at;
			}
		}
		const starts = this.reader.starts;
		this.start = starts[from * stepWords];
		this.end = end * stepWords < this.reader.count ? starts[end * stepWords] : to;
		if (this.end <= this.start) this.end = to;
	}

	private asWhole(channel: i32): i32 {
		const factor = this.head(6 + channel);
		if (factor == 0 || this.wholeCount == 0) return 0;
		const scaled = (this.wholeSum as number) * (factor as number) / (1024 * Math.sqrt(this.wholeCount as number));
		return Math.round(scaled) as i32;
	}

	private worstWindow(channel: i32): i32 {
		const reader = this.reader;
		const features = this.features;
		const model = this.model;
		const sums = this.sums;
		const readsWhole = this.head(6 + channel) != 0;
		features.begin();
		if (readsWhole) this.beginWhole();
		let worst = lowest;
		let sum = 0;
		let steps = 0;
		sums[0] = 0;
		for (let index = 0; index < reader.count; index++) {
			features.of(reader, index, channel);
			for (let at = 0; at < features.count; at++) sum += model[headBytes + features.found[at]];
			if (readsWhole) this.weighWhole();
			if ((index + 1) % stepWords != 0 && index + 1 != reader.count) continue;
			sums[++steps] = sum;
			for (let size = shortestSteps; size <= longestSteps; size <<= 1) {
				const first = steps > size ? steps - size : 0;
				const score = sum - sums[first];
				if (score > worst) {
					worst = score;
					this.firstStep = first;
					this.lastStep = steps;
				}
				if (size >= steps) break;
			}
		}
		return worst;
	}

	private beginWhole(): void {
		this.round++;
		if (this.round == 128) {
			this.round = 1;
			for (let at = 0; at < wholeTable; at++) this.wholes[at] = this.wholes[at] & 255;
		}
		this.wholeSum = 0;
		this.wholeCount = 0;
	}

	/** Counts each feature of the text as a whole once. */
	private weighWhole(): void {
		const features = this.features;
		for (let at = 0; at < features.wholeCount; at++) {
			const feature = features.whole[at];
			const held: i32 = this.wholes[feature];
			const weight = held & 255;
			if (held >> 8 == this.round) continue;
			this.wholes[feature] = weight | (this.round << 8);
			this.wholeSum += weight < 128 ? weight : weight - 256;
			this.wholeCount++;
		}
	}
}
