import {readFile} from 'node:fs/promises';
import {setImmediate as nextTurn} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';

/** A vocabulary of byte-pair encoding, in flat arrays: what the maps of a tokenizer hold in 60 MB takes 5 here. */
export type TokenTable = {
	/** How many tokens `bytes` from `from` to `to` are, taken as one piece of at most `longestPiece` bytes. */
	count(bytes: Uint8Array, from: number, to: number): number;
	/** The work that `count` has done since somebody set this to 0, beyond finding what it remembers; 300 of it take about a microsecond. */
	work: number;
};

export type Encoding = 'o200k_base' | 'cl100k_base';

/** Merging takes time by the square of a piece's length, so whoever asks cuts up longer ones. */
export const longestPiece = 128;

const none = 0x7fff_ffff;
const lookUpWork = 16;

const hashOf = (bytes: Uint8Array, from: number, to: number): number => {
	let hash = 0x811c_9dc5;
	for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
	return hash ^ (hash >>> 15);
};

/** Tokens by rank: where each ends in `bytes`, and a hash table of ranks plus one. Compared byte by byte, so no hash can lie. */
type Tokens = {bytes: Uint8Array; ends: Uint32Array; slots: Int32Array};

/**
 * Pieces that were counted are remembered by their own bytes, packed into words, in a table of fixed size: words come
 * again and again, and this one fits the processor's cache.
 */
const rememberedSets = 8_192;
const rememberedBytes = 16;
/** A set remembers two pieces of six words each: four of bytes, the length, the count. */
const pieceWords = 8;
const setWords = 2 * pieceWords;

/** By the bytes that are left, which of a word's four belong to the piece. */
const wordMasks = Int32Array.from({length: rememberedBytes + 1}, (_, left) => (left >= 4 ? -1 : (1 << (8 * left)) - 1));

const openTable = ({bytes: all, ends, slots}: Tokens): TokenTable => {
	const mask = slots.length - 1;
	const starts = new Int32Array(longestPiece + 2);
	const ranks = new Int32Array(longestPiece + 2);
	const remembered = new Int32Array(rememberedSets * setWords);
	/** The text that `view` reads. */
	let seen: Uint8Array = new Uint8Array(0);
	let view = new DataView(seen.buffer);

	const rankOf = (bytes: Uint8Array, from: number, to: number, hash: number): number => {
		const length = to - from;
		table.work += lookUpWork;
		for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
			const rank = slots[slot]! - 1;
			if (rank < 0) return none;
			const start = rank === 0 ? 0 : ends[rank - 1]!;
			if (ends[rank]! - start !== length) continue;
			let at = 0;
			while (at < length && all[start + at] === bytes[from + at]) at += 1;
			if (at === length) return rank;
		}
	};

	const pairRank = (bytes: Uint8Array, index: number, parts: number): number => {
		if (index + 2 > parts) return none;
		const from = starts[index]!;
		const to = starts[index + 2]!;
		return rankOf(bytes, from, to, hashOf(bytes, from, to));
	};

	/** Joins the two neighbours that make the earliest token, again and again, until none do. */
	const merge = (bytes: Uint8Array, from: number, to: number): number => {
		let parts = to - from;
		for (let index = 0; index <= parts; index += 1) starts[index] = from + index;
		for (let index = 0; index < parts; index += 1) ranks[index] = pairRank(bytes, index, parts);
		for (;;) {
			let lowest = none;
			let place = -1;
			for (let index = 0; index < parts - 1; index += 1) {
				if (ranks[index]! >= lowest) continue;
				lowest = ranks[index]!;
				place = index;
			}
			table.work += parts;
			if (place < 0) return parts;
			starts.copyWithin(place + 1, place + 2, parts + 1);
			ranks.copyWithin(place + 1, place + 2, parts);
			parts -= 1;
			ranks[place] = pairRank(bytes, place, parts);
			if (place > 0) ranks[place - 1] = pairRank(bytes, place - 1, parts);
		}
	};

	const countAfresh = (bytes: Uint8Array, from: number, to: number): number =>
		rankOf(bytes, from, to, hashOf(bytes, from, to)) === none ? merge(bytes, from, to) : 1;

	const table: TokenTable = {
		count(bytes, from, to) {
			const length = to - from;
			if (length === 1) return 1;
			if (length > rememberedBytes) return countAfresh(bytes, from, to);
			if (bytes !== seen) {
				seen = bytes;
				view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			}
			if (from + rememberedBytes > view.byteLength) return countAfresh(bytes, from, to);
			const one = view.getInt32(from, true) & wordMasks[length]!;
			const two = length > 4 ? view.getInt32(from + 4, true) & wordMasks[length - 4]! : 0;
			const three = length > 8 ? view.getInt32(from + 8, true) & wordMasks[length - 8]! : 0;
			const four = length > 12 ? view.getInt32(from + 12, true) & wordMasks[length - 12]! : 0;
			const mixed = Math.imul(Math.imul(one ^ (two << 13) ^ (two >>> 19), 0x9e37_79b1) ^ three ^ (four << 7) ^ (length << 27), 0x85eb_ca6b);
			const first = (mixed >>> 19) * setWords;
			for (let place = first; place < first + setWords; place += pieceWords) {
				if (
					remembered[place] === one &&
					remembered[place + 1] === two &&
					remembered[place + 2] === three &&
					remembered[place + 3] === four &&
					remembered[place + 4] === length
				)
					return remembered[place + 5]!;
			}
			const count = countAfresh(bytes, from, to);
			remembered.copyWithin(first + pieceWords, first, first + pieceWords);
			remembered[first] = one;
			remembered[first + 1] = two;
			remembered[first + 2] = three;
			remembered[first + 3] = four;
			remembered[first + 4] = length;
			remembered[first + 5] = count;
			return count;
		},
		work: 0,
	};
	return table;
};

const SPACE = 0x20;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

const base64 = new Uint8Array(128);
for (const [value, char] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries())
	base64[char.charCodeAt(0)] = value;

/** Lines read in one turn of the event loop: less than a millisecond. */
const linesPerTurn = 2_000;

/** Lines of `base64 rank`, ranks counting from 0, as the `.tiktoken` files of `gpt-tokenizer` have them. */
const readTokens = async (file: Uint8Array): Promise<Tokens> => {
	const bytes = new Uint8Array(file.length >> 1);
	const ends = new Uint32Array(262_144);
	const slots = new Int32Array(524_288);
	const mask = slots.length - 1;
	let length = 0;
	let rank = 0;
	for (let at = 0; at < file.length; at += 1) {
		const start = length;
		let bits = 0;
		let held = 0;
		for (; file[at] !== SPACE; at += 1) {
			const char = file[at]!;
			if (char === EQUALS) continue;
			held = ((held << 6) | base64[char]!) & 0xffff;
			bits += 6;
			if (bits < 8) continue;
			bits -= 8;
			bytes[length] = (held >> bits) & 0xff;
			length += 1;
		}
		while (at < file.length && file[at] !== NEWLINE) at += 1;
		let slot = hashOf(bytes, start, length) & mask;
		while (slots[slot] !== 0) slot = (slot + 1) & mask;
		ends[rank] = length;
		rank += 1;
		slots[slot] = rank;
		if (rank % linesPerTurn === 0) await nextTurn();
	}
	return {bytes: bytes.slice(0, length), ends: ends.slice(0, rank), slots};
};

/** Reads a vocabulary from the data of `gpt-tokenizer`, a little in each turn of the event loop. Rejects when it is not installed whole. */
export const loadTokenTable = async (encoding: Encoding): Promise<TokenTable> =>
	openTable(await readTokens(await readFile(fileURLToPath(import.meta.resolve(`gpt-tokenizer/data/${encoding}.tiktoken`)))));
