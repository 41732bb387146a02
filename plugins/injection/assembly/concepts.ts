// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {isLetter, isUnspaced, space} from './letters.ts';

const slots = 0x10000;

/** Beginnings of words, looked up from any place of a text in as many steps as the longest has letters. */
export class Concepts {
	private keys: Int32Array = new Int32Array(slots);
	private units: Uint16Array = new Uint16Array(slots);
	private nexts: Int32Array = new Int32Array(slots);
	private ends: Int32Array = new Int32Array(slots);
	private nodes: i32 = 1;
	/** Where the last match ended. */
	end: i32 = 0;

	private slot(node: i32, unit: i32): i32 {
		let at = ((node * 40503) ^ (unit * 7919)) & (slots - 1);
		while (this.nexts[at] != 0 && (this.keys[at] != node || this.units[at] != unit)) at = (at + 1) & (slots - 1);
		return at;
	}

	/** Takes in `length` folded units, which stand for `concept`, from 1 on. */
	add(units: Uint16Array, length: i32, concept: i32): void {
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

	/** The concept of the longest entry that begins at `from`, or 0; what has three letters or fewer must be a whole word. */
	find(units: Uint16Array, from: i32, length: i32): i32 {
		let node = 0;
		let found = 0;
		for (let at = from; at < length; at++) {
			const slot = this.slot(node, units[at]);
			node = this.nexts[slot];
			if (node == 0) break;
			const concept = this.ends[node];
			if (concept == 0) continue;
			const goesOn = at + 1 < length && units[at + 1] != space && isLetter(units[at + 1]);
			if (goesOn && at - from < 3 && !isUnspaced(units[at]) && units[at] < 0x900) continue;
			found = concept;
			this.end = at + 1;
		}
		return found;
	}
}
