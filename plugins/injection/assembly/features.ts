// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Reader} from './reader.ts';

/** How many weights of windows there are: a power of two. */
export const table: i32 = 1 << 18;
/** Those from here on are of what words stand for; the ones before are of the words themselves. */
export const lexical: i32 = 1 << 17;
/** How many weights there are of a text as a whole: a weight for two features each. */
export const wholeTable: i32 = table >> 1;
const meanings: i32 = 8;
/** A word has at most so many features. */
export const mostFeatures: i32 = 48;
/** What is said again within so many words counts once: tables and lists repeat themselves. */
const memoryWords: i32 = 48;
const memory: i32 = 4096;
const nearWords: i32 = 10;
const nearConcepts: i32 = 5;

function mixed(a: i32, b: i32): i32 {
	const product = ((a ^ (b << 7)) * 1000003 + b) | 0;
	return product ^ (product >>> 15);
}

/** What is told of each word: itself, its neighbours, and what it and those before it stand for. */
export class Features {
	found: Int32Array = new Int32Array(mostFeatures);
	count: i32 = 0;
	/** Those of `found` that also count for the text as a whole. */
	whole: Int32Array = new Int32Array(mostFeatures);
	wholeCount: i32 = 0;
	private lastSeen: Int32Array = new Int32Array(memory);
	/** Where the last words stood that stand for something, and for what; the newest last. */
	private places: Int32Array = new Int32Array(memory);
	private things: Int32Array = new Int32Array(memory);
	private known: i32 = 0;

	/** Forgets the words of the text before. */
	begin(): void {
		this.lastSeen.fill(-memoryWords - 1);
		this.known = 0;
	}

	private add(kind: i32, a: i32, b: i32): i32 {
		const hash = mixed(mixed(a, kind * 7919 + 1), b);
		const spread = hash ^ (hash >>> 11);
		const feature = kind < meanings ? spread & (lexical - 1) : lexical + (spread & (table - lexical - 1));
		this.found[this.count++] = feature;
		return feature;
	}

	/** Fills `found` with the features of the word at `index`, as seen in `channel`. */
	of(reader: Reader, index: i32, channel: i32): void {
		this.count = 0;
		this.wholeCount = 0;
		const words = reader.words;
		const stems = reader.stems;
		const word: i32 = words[index];
		const before: i32 = index > 0 ? words[index - 1] : 0;
		const pairAt = mixed(before, word) & (memory - 1);
		const isNew = index - this.lastSeen[pairAt] > memoryWords;
		this.lastSeen[pairAt] = index;
		const meaning: i32 = reader.meanings[index];
		if (isNew) {
			this.whole[this.wholeCount++] = this.add(1, word, 0) >> 1;
			const mark: i32 = reader.marks[index];
			if (mark != 0) this.add(2, stems[index], mark);
			if (index > 0) this.whole[this.wholeCount++] = this.add(3, before, word) >> 1;
			if (index > 1) {
				this.add(4, mixed(stems[index - 2], stems[index - 1]), stems[index]);
				this.add(5, stems[index - 2], stems[index]);
			}
			if (meaning != 0) this.meant(index, meaning, channel, mark);
		}
		if (meaning == 0) return;
		this.places[this.known & (memory - 1)] = index;
		this.things[this.known++ & (memory - 1)] = meaning;
	}

	private meant(index: i32, meaning: i32, channel: i32, mark: i32): void {
		this.whole[this.wholeCount++] = this.add(8, meaning, 0) >> 1;
		this.add(9, meaning, channel + 1);
		if (mark != 0) this.add(10, meaning, mark);
		let seen = 0;
		let last = 0;
		for (let at = this.known - 1; at >= 0 && seen < nearConcepts; at--) {
			const back = index - this.places[at & (memory - 1)];
			if (back > nearWords) break;
			const other: i32 = this.things[at & (memory - 1)];
			if (other == last) continue;
			seen++;
			const pair = other * 256 + meaning;
			this.whole[this.wholeCount++] = this.add(11, pair, 0) >> 1;
			if (back < 4) this.add(12, pair, 1);
			this.add(13, pair, channel + 1);
			if (last != 0) this.add(14, last * 65536 + pair, 0);
			last = other;
		}
	}
}
