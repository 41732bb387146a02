// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Reader} from './reader.ts';

/** How many weights there are: a power of two. */
export const table: i32 = 1 << 18;
/** Those from here on are of what words stand for; the ones before are of the words themselves. */
export const lexical: i32 = 1 << 17;
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
	private lastSeen: Int32Array = new Int32Array(memory);

	/** Forgets the words of the text before. */
	begin(): void {
		this.lastSeen.fill(-memoryWords - 1);
	}

	private add(kind: i32, a: i32, b: i32): void {
		const hash = mixed(mixed(a, kind * 7919 + 1), b);
		const spread = hash ^ (hash >>> 11);
		this.found[this.count++] = kind < meanings ? spread & (lexical - 1) : lexical + (spread & (table - lexical - 1));
	}

	/** Fills `found` with the features of the word at `index`, as seen in `channel`. */
	of(reader: Reader, index: i32, channel: i32): void {
		this.count = 0;
		const words = reader.words;
		const stems = reader.stems;
		const word = words[index];
		const pairAt = mixed(index > 0 ? words[index - 1] : 0, word) & (memory - 1);
		const isNew = index - this.lastSeen[pairAt] > memoryWords;
		this.lastSeen[pairAt] = index;
		if (!isNew) return;
		this.add(1, word, 0);
		if (reader.marks[index] != 0) this.add(2, stems[index], reader.marks[index]);
		if (index > 0) this.add(3, words[index - 1], word);
		if (index > 1) {
			this.add(4, mixed(stems[index - 2], stems[index - 1]), stems[index]);
			this.add(5, stems[index - 2], stems[index]);
		}
		const meaning: i32 = reader.meanings[index];
		if (meaning == 0) return;
		this.add(8, meaning, 0);
		this.add(9, meaning, channel + 1);
		if (reader.marks[index] != 0) this.add(10, meaning, reader.marks[index]);
		let seen = 0;
		let last = 0;
		for (let back = 1; back <= nearWords && back <= index && seen < nearConcepts; back++) {
			const other: i32 = reader.meanings[index - back];
			if (other == 0 || other == last) continue;
			seen++;
			const pair = other * 64 + meaning;
			this.add(11, pair, 0);
			if (back < 4) this.add(12, pair, 1);
			this.add(13, pair, channel + 1);
			if (last != 0) this.add(14, last * 4096 + pair, 0);
			last = other;
		}
	}
}
