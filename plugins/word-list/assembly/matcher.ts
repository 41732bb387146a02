import {fold, isWord} from './characters';
import {afterEscape, beforeBackslashes} from './escapes';

/** Runs of letters longer than this are cut where a stream has to go on. */
const longestRun = 200;
const mask = '***';

// What comparing a word with the text at one place can say.
const no = 0;
const yes = 1;
/** The text ends before it can be said. */
const perhaps = 2;

export class Found {
	/** Whether any word was there. */
	hit: bool = false;
	/** So many leading units were decided; the rest may be the beginning of a word. */
	clear: i32 = 0;
	/** Those units with every word masked. */
	masked: string = '';
}

export class Matcher {
	private byFirst: Map<i32, Array<string>> = new Map();
	/** Which units a word begins with: looked up for every unit of a text. */
	private begins: StaticArray<bool> = new StaticArray<bool>(0x10000);

	constructor(
		words: Array<string>,
		private caseSensitive: bool,
		private wholeWords: bool,
	) {
		for (let index = 0; index < words.length; index++) {
			const word = this.folded(words[index]);
			const first = word.charCodeAt(0);
			if (!this.byFirst.has(first)) this.byFirst.set(first, []);
			this.byFirst.get(first).push(word);
			this.begins[first] = true;
		}
		const lists = this.byFirst.values();
		for (let index = 0; index < lists.length; index++) lists[index].sort((a, b) => b.length - a.length);
	}

	// @ts-ignore: AssemblyScript's decorators are not TypeScript's
	@inline
	private unit(text: string, at: i32): i32 {
		// Every caller stays inside the text; charCodeAt would look again.
		const unit = i32(load<u16>(changetype<usize>(text) + (usize(at) << 1)));
		return this.caseSensitive ? unit : fold(unit);
	}

	private folded(word: string): string {
		const units = new Array<i32>(word.length);
		for (let at = 0; at < word.length; at++) units[at] = this.unit(word, at);
		return String.fromCharCodes(units);
	}

	private compare(word: string, text: string, at: i32, final: bool): i32 {
		const rest = text.length - at;
		const length = word.length;
		for (let index = 1; index < min(rest, length); index++) {
			if (word.charCodeAt(index) != this.unit(text, at + index)) return no;
		}
		if (length > rest) return final ? no : perhaps;
		if (!this.wholeWords || !isWord(word.charCodeAt(length - 1))) return yes;
		if (length == rest) return final ? yes : perhaps;
		return isWord(this.unit(text, at + length)) ? no : yes;
	}

	/** Looks for words from the beginning of `text`, before which none is under way; `final` says that nothing follows. */
	scan(text: string, final: bool): Found {
		const found = new Found();
		const parts: Array<string> = [];
		const length = text.length;
		let from = 0;
		let at = 0;
		let cut = length;
		let insideWord = false;
		while (at < length) {
			const unit = this.unit(text, at);
			let next = at + 1;
			if (unchecked(this.begins[unit]) && !(this.wholeWords && insideWord && isWord(unit))) {
				const words = this.byFirst.get(unit);
				let says = no;
				for (let index = 0; index < words.length && says == no; index++) {
					says = this.compare(words[index], text, at, final);
					if (says == yes) next = at + words[index].length;
				}
				if (says == perhaps) {
					cut = at;
					break;
				}
				if (says == yes) {
					found.hit = true;
					// The letter of an escape takes all of it along, or what is left would be no JSON.
					parts.push(text.slice(from, afterEscape(text, at) > 0 ? beforeBackslashes(text, at, from) : at));
					parts.push(mask);
					from = next;
				}
			}
			const escaped = next == at + 1 ? afterEscape(text, at) : 0;
			insideWord = escaped == 0 && isWord(next == at + 1 ? unit : this.unit(text, next - 1));
			at = max(next, escaped);
		}
		if (cut == length && !final && this.wholeWords) cut = this.beforeLastWord(text, from);
		if (!final) cut = beforeBackslashes(text, cut, from);
		parts.push(text.slice(from, cut));
		found.masked = parts.join('');
		found.clear = cut;
		return found;
	}

	/** The next look at this text begins at a word's beginning, or it would take the middle of one for that. */
	private beforeLastWord(text: string, from: i32): i32 {
		const length = text.length;
		let start = length;
		while (start > from && isWord(this.unit(text, start - 1))) {
			start--;
			if (length - start > longestRun) return length;
		}
		return start;
	}
}
