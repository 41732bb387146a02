// @ts-nocheck: AssemblyScript, whose arrays have no undefined; Node runs it as it is
import {Concepts} from './concepts.ts';
import {gone, isLetter, isUnspaced, Letters, space} from './letters.ts';
import {lexicon} from './lexicon.ts';
import {Payloads} from './payloads.ts';

/** So many units of a text are read at once. */
export const pieceUnits: i32 = 8192;
const most: i32 = 2 * pieceUnits + 64;
const leet: string = 'oizeasgtbg';

/** What is written before a word, as far as it matters: a line's beginning, an opening tag or bracket, a heading, a quote. */
function markOf(unit: i32): i32 {
	if (unit == 10 || unit == 13) return 1;
	if (unit == 0x3c) return 2;
	if (unit == 0x5b || unit == 0x7b || unit == 0x28) return 3;
	if (unit == 0x23 || unit == 0x2a || unit == 0x2d || unit == 0x3d) return 4;
	if (unit == 0x22 || unit == 0x27 || unit == 0x60 || unit == 0x201c) return 5;
	if (unit == 0x2e || unit == 0x21 || unit == 0x3f || unit == 0x3a || unit == 0x3b || unit == 0x3002) return 6;
	return 0;
}

function isSmall(unit: i32): bool {
	return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39);
}

/** Reads a piece of a text as words, with what hides them taken away, and with what payloads say at the end. */
export class Reader {
	private letters: Letters = new Letters();
	private concepts: Concepts = new Concepts();
	private units: Uint16Array = new Uint16Array(most);
	private marksAt: Uint8Array = new Uint8Array(most);
	/** From which unit of the text each of `units` is. */
	private origins: Int32Array = new Int32Array(most);
	private origin: i32 = 0;
	private length: i32 = 0;
	private mark: i32 = 1;
	private lower: bool = false;
	private percents: bool = false;
	private payloads: Payloads = new Payloads(pieceUnits);
	private rot13: i32 = 0;
	/** By word: a hash of it, one of its first five letters, what it stands for, what is before it. */
	words: Int32Array = new Int32Array(most);
	stems: Int32Array = new Int32Array(most);
	meanings: Uint8Array = new Uint8Array(most);
	marks: Uint8Array = new Uint8Array(most);
	/** By word: where it begins in the text; of what a payload says, where the payload does. */
	starts: Int32Array = new Int32Array(most);
	count: i32 = 0;

	constructor() {
		const lines = lexicon.split('\n');
		this.rot13 = lines.length;
		for (let line = 0; line < lines.length; line++) {
			const entries = lines[line].split(' ');
			for (let index = 0; index < entries.length; index++) {
				this.clear();
				for (let at = 0; at < entries[index].length; at++) {
					const unit = entries[index].charCodeAt(at);
					this.put(unit == 0x5f ? space : unit, unit);
				}
				if (this.length > 0) this.concepts.add(this.units, this.length, line + 1);
			}
		}
	}

	private clear(): void {
		this.length = 0;
		this.mark = 1;
		this.lower = false;
	}

	/** Takes one unit in; `raw` is the same before anything was decoded of it. */
	private put(unit: i32, raw: i32): void {
		const folded: i32 = this.letters.folds[unit];
		if (folded == gone) return;
		if (this.length >= most) return;
		if (folded == 0x27 && this.length > 0 && this.units[this.length - 1] != space) return;
		if (isLetter(folded)) {
			const upper = raw >= 0x41 && raw <= 0x5a;
			if (upper && this.lower) this.separate(0);
			this.lower = raw >= 0x61 && raw <= 0x7a;
			if (this.length >= most) return;
			this.marksAt[this.length] = this.mark;
			this.origins[this.length] = this.origin;
			this.units[this.length++] = folded;
			this.mark = 0;
			return;
		}
		this.separate(markOf(unit));
	}

	private separate(mark: i32): void {
		this.lower = false;
		if (mark != 0) this.mark = mark;
		if (this.length > 0 && this.length < most && this.units[this.length - 1] != space) this.units[this.length++] = space;
	}

	/** Reads `text` from `from` up to `to`, which are at most `pieceUnits` apart. */
	read(text: string, from: i32, to: i32): void {
		this.clear();
		this.percents = false;
		this.fold(text, from, to);
		this.payloads.read(text, from, to, this.percents);
		if (this.payloads.length > 0) this.append();
		this.split();
		if (this.hasRot13()) this.turn();
	}

	private fold(text: string, from: i32, to: i32): void {
		let at = from;
		while (at < to) {
			const unit = text.charCodeAt(at);
			if (isSmall(unit)) at = this.smalls(text, at, to);
			else if (unit == space) {
				this.separate(0);
				at++;
			} else at = this.other(text, unit, at, to) + 1;
		}
		this.separate(1);
	}

	/** Takes in small letters and digits, which are nearly all there is and mean themselves; answers where they end. */
	private smalls(text: string, from: i32, to: i32): i32 {
		const units = this.units;
		let length = this.length;
		const end = to - from < most - length ? to : from + most - length;
		if (end == from) return to;
		// Only of a word's first letter they are asked for.
		this.marksAt[length] = this.mark;
		this.origins[length] = from;
		let at = from;
		let unit = text.charCodeAt(at);
		let last = 0;
		while (isSmall(unit)) {
			units[length++] = unit;
			last = unit;
			if (++at >= end) break;
			unit = text.charCodeAt(at);
		}
		this.length = length;
		this.mark = 0;
		this.lower = last >= 0x61;
		return at;
	}

	/** Takes in what is neither a small letter nor a space; answers its last unit. */
	private other(text: string, unit: i32, at: i32, to: i32): i32 {
		this.origin = at;
		if (unit == 0x5c && at + 1 < to) {
			const next = text.charCodeAt(at + 1);
			if (next == 0x6e || next == 0x72 || next == 0x74) {
				this.separate(1);
				return at + 1;
			}
		}
		if (unit == 0x25) this.percents = true;
		if (unit == 0x1b) return this.afterEscape(text, at, to);
		if (unit >= 0xd800 && unit < 0xe000) {
			if (unit >= 0xdc00 || at + 1 >= to) return at;
			this.astral(((unit - 0xd800) << 10) + (text.charCodeAt(at + 1) - 0xdc00) + 0x10000);
			return at + 1;
		}
		this.put(unit, unit);
		return at;
	}

	/** The last unit of the terminal sequence that begins at `at`. */
	private afterEscape(text: string, at: i32, to: i32): i32 {
		if (at + 1 >= to || text.charCodeAt(at + 1) != 0x5b) return at;
		for (let end = at + 2; end < to && end < at + 24; end++) {
			const unit = text.charCodeAt(end);
			if (unit >= 0x40 && unit <= 0x7e) return end;
		}
		return at + 1;
	}

	/** Letters of mathematics and of the tags block count as those of ASCII; other astral characters stand between words. */
	private astral(point: i32): void {
		if (point >= 0xe0020 && point < 0xe007f) this.put(point - 0xe0000, 0x61);
		else if (point >= 0x1d400 && point < 0x1d6a4) this.put(0x61 + ((point - 0x1d400) % 26), 0x61);
		else if (point >= 0x1d7ce && point < 0x1d800) this.put(0x30 + ((point - 0x1d7ce) % 10), 0x30);
		else if (point >= 0x1f130 && point < 0x1f14a) this.put(0x61 + (point - 0x1f130), 0x61);
		else if (point < 0xe0000) this.separate(0);
	}

	private append(): void {
		const units = this.payloads.units;
		for (let at = 0; at < this.payloads.length; at++) {
			this.origin = this.payloads.origins[at];
			this.put(units[at], units[at]);
		}
		this.separate(1);
	}

	private split(): void {
		this.count = 0;
		this.splitFrom(0);
	}

	private splitFrom(begin: i32): void {
		const units = this.units;
		const length = this.length;
		for (let at = begin; at < length; ) {
			const first: i32 = units[at];
			if (first == space) {
				at++;
				continue;
			}
			let end = at + 1;
			let isPlain = first >= 0x61 && first <= 0x7a;
			if (!isUnspaced(first)) {
				for (; end < length; end++) {
					const unit: i32 = units[end];
					if (unit == space) break;
					if (unit >= 0x61 && unit <= 0x7a) continue;
					if (isUnspaced(unit)) break;
					isPlain = false;
				}
			}
			if (end == at + 1) end = this.joined(at, end);
			if (!isPlain) this.plain(at, end);
			this.word(at, end);
			at = end;
		}
	}

	/** Where letters end that stand apart, four or more of them: i g n o r e. They are moved together. */
	private joined(from: i32, end: i32): i32 {
		const units = this.units;
		if (units[from] > 0x7f || units[from] < 0x61) return end;
		let at = from;
		let letters = 1;
		while (at + 2 < this.length && units[at + 1] == space && units[at + 2] >= 0x61 && units[at + 2] <= 0x7a) {
			if (at + 3 < this.length && units[at + 3] != space) break;
			at += 2;
			letters++;
		}
		if (letters < 4) return end;
		for (let index = 1; index < letters; index++) units[from + index] = units[from + 2 * index];
		for (let index = from + letters; index <= at; index++) units[index] = space;
		return from + letters;
	}

	/** Turns look-alike letters and digits inside a Latin word into the letters they stand for. */
	private plain(from: i32, end: i32): void {
		let latin = 0;
		let alike = 0;
		let digits = 0;
		for (let at = from; at < end; at++) {
			const unit = this.units[at];
			if (unit >= 0x61 && unit <= 0x7a) latin++;
			else if (unit < 0x80) digits++;
			else if (this.letters.plain[unit] != 0) alike++;
		}
		if (latin == 0 || (alike == 0 && digits == 0)) return;
		for (let at = from; at < end; at++) {
			const unit: i32 = this.units[at];
			if (unit >= 0x30 && unit <= 0x39) {
				if (latin > digits && end - from > 3) this.units[at] = leet.charCodeAt(unit - 0x30);
			} else if (this.letters.plain[unit] != 0) this.units[at] = this.letters.plain[unit];
		}
	}

	private word(from: i32, end: i32): void {
		let hash = 17;
		let stem = 0;
		let digits = 0;
		for (let at = from; at < end; at++) {
			const unit: i32 = this.units[at];
			if (unit >= 0x30 && unit <= 0x39) digits++;
			hash = (hash * 1000003 + unit) | 0;
			if (at - from == 4) stem = hash;
		}
		if (end - from <= 5) stem = hash;
		const said = hash;
		// Numbers and identifiers say nothing but that they are there.
		if (digits * 3 > end - from || end - from > 24) {
			hash = 3;
			stem = 3;
		}
		this.words[this.count] = hash;
		this.stems[this.count] = stem;
		this.marks[this.count] = this.marksAt[from];
		this.starts[this.count] = this.origins[from];
		this.meanings[this.count++] = this.concepts.find(this.units, from, end, this.length, said);
	}

	private hasRot13(): bool {
		let seen = 0;
		for (let index = 0; index < this.count; index++) if (this.meanings[index] == this.rot13) seen++;
		return seen > 1;
	}

	/** Reads the same words again with their letters turned by 13 places, after those that are there. */
	private turn(): void {
		const length = this.length;
		for (let at = 0; at < length; at++) {
			const unit: i32 = this.units[at];
			if (unit >= 0x61 && unit <= 0x7a) this.units[at] = 0x61 + ((unit - 0x61 + 13) % 26);
		}
		if (this.count * 2 < most) this.splitFrom(0);
	}
}
