// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {isLetter, isUnspaced, space} from './letters.ts';

const slots = 0x10000;
const begins = 0x4000;
const remembered = 0x2000;

/** Beginnings of words, looked up from any place of a text in as many steps as the longest has letters. */
export class Concepts {
	private keys: Int32Array = new Int32Array(slots);
	private units: Uint16Array = new Uint16Array(slots);
	private nexts: Int32Array = new Int32Array(slots);
	private ends: Uint8Array = new Uint8Array(slots);
	/** Which three units entries begin with, or two and the end of a word: most words begin otherwise, and are not looked up. */
	private firsts: Uint8Array = new Uint8Array(begins);
	private nodes: i32 = 1;
	/** By the hash of a word: which one it was, what it stands for, and from where on an entry may go beyond it. */
	private hashes: Int32Array = new Int32Array(remembered);
	private known: Uint8Array = new Uint8Array(remembered);
	private onward: Int32Array = new Int32Array(remembered);

	private slot(node: i32, unit: i32): i32 {
		let at = ((node * 40503) ^ (unit * 7919)) & (slots - 1);
		while (this.nexts[at] != 0 && (this.keys[at] != node || this.units[at] != unit)) at = (at + 1) & (slots - 1);
		return at;
	}

	/** Takes in `length` folded units, which stand for `concept`, from 1 on. */
	add(units: Uint16Array, length: i32, concept: i32): void {
		this.firsts[this.first(units[0], length > 1 ? units[1] : space, length > 2 ? units[2] : space)] = 1;
		let node = 0;
		for (let index = 0; index < length; index++) {
			const at = this.slot(node, units[index]);
			if (this.nexts[at] == 0) {
				this.keys[at] = node;
				this.units[at] = units[index];
				this.nexts[at] = this.nodes++;
			}
			node = this.nexts[at];
		}
		this.ends[node] = concept;
	}

	private first(a: i32, b: i32, c: i32): i32 {
		return (a * 769 + b * 6151 + c * 97) & (begins - 1);
	}

	/** Whether an entry may begin at `from`. In scripts that entries of one or two letters are found within words of, any may. */
	private maybe(units: Uint16Array, from: i32, length: i32): bool {
		const a: i32 = units[from];
		if (a >= 0x900) return true;
		const b: i32 = from + 1 < length ? units[from + 1] : space;
		const c: i32 = b != space && from + 2 < length ? units[from + 2] : space;
		return this.firsts[this.first(a, b, c)] != 0;
	}

	/**
	 * The concept of the longest entry that begins at `from`, or 0, where a word with the hash `hash` ends before `end`; what has three letters or
	 * fewer must be a whole word.
	 */
	find(units: Uint16Array, from: i32, end: i32, length: i32, hash: i32): i32 {
		if (!this.maybe(units, from, length)) return 0;
		if (end < length && units[end] != space) return this.walk(units, from, from - 1, length, 0, 0);
		const place = (hash ^ (hash >>> 13)) & (remembered - 1);
		if (this.hashes[place] != hash) this.learn(units, from, end, hash, place);
		const node = this.onward[place];
		const found: i32 = this.known[place];
		return node == 0 || end >= length ? found : this.walk(units, from, end, length, node, found);
	}

	private learn(units: Uint16Array, from: i32, end: i32, hash: i32, place: i32): void {
		let node = 0;
		let found = 0;
		for (let at = from; at < end; at++) {
			node = this.nexts[this.slot(node, units[at])];
			if (node == 0) break;
			if (this.ends[node] != 0 && this.isWhole(units, from, at, end)) found = this.ends[node];
		}
		this.hashes[place] = hash;
		this.known[place] = found;
		this.onward[place] = node == 0 ? 0 : this.nexts[this.slot(node, space)];
	}

	/** Goes on from `node`, which the unit at `at` led to. */
	private walk(units: Uint16Array, from: i32, at: i32, length: i32, node: i32, before: i32): i32 {
		let found = before;
		while (true) {
			if (this.ends[node] != 0 && this.isWhole(units, from, at, length)) found = this.ends[node];
			at++;
			if (at >= length) return found;
			node = this.nexts[this.slot(node, units[at])];
			if (node == 0) return found;
		}
	}

	/** Whether an entry that ends at `at` may end there. */
	private isWhole(units: Uint16Array, from: i32, at: i32, length: i32): bool {
		if (at - from >= 3 || units[at] >= 0x900 || isUnspaced(units[at])) return true;
		return at + 1 >= length || units[at + 1] == space || !isLetter(units[at + 1]);
	}
}
