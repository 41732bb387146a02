import {fold, isWord} from './characters.ts';
import {afterEscape, beforeBackslashes} from './escapes.ts';

type Options = {words: string[]; caseSensitive: boolean; wholeWords: boolean};

/** `clear` leading units were decided and are `masked`; the rest may be the beginning of a word. */
export type Found = {hit: boolean; clear: number; masked: string};

/** Runs of letters longer than this are cut where a stream has to go on. */
const longestRun = 200;
const mask = '***';

export const matcher = ({words, caseSensitive, wholeWords}: Options) => {
	const unit = (text: string, at: number): number => (caseSensitive ? text.charCodeAt(at) : fold(text.charCodeAt(at)));
	const units = (word: string): number[] => Array.from({length: word.length}, (_, at) => unit(word, at));
	const byFirst = Map.groupBy(
		words.map(units).sort((a, b) => b.length - a.length),
		([first]) => first!,
	);

	/** 'perhaps': the text ends before it can be said. */
	const compare = (word: number[], text: string, at: number, final: boolean): 'no' | 'yes' | 'perhaps' => {
		const rest = text.length - at;
		for (let index = 1; index < Math.min(rest, word.length); index++) {
			if (word[index] !== unit(text, at + index)) return 'no';
		}
		if (word.length > rest) return final ? 'no' : 'perhaps';
		if (!wholeWords || !isWord(word.at(-1)!)) return 'yes';
		if (word.length === rest) return final ? 'yes' : 'perhaps';
		return isWord(unit(text, at + word.length)) ? 'no' : 'yes';
	};

	/** The next look at this text begins at a word's beginning, or it would take the middle of one for that. */
	const beforeLastWord = (text: string, from: number): number => {
		let start = text.length;
		while (start > from && isWord(unit(text, start - 1))) {
			start--;
			if (text.length - start > longestRun) return text.length;
		}
		return start;
	};

	/** Looks for words from the beginning of `text`, before which none is under way; `final` says that nothing follows. */
	return (text: string, final: boolean): Found => {
		let masked = '';
		let hit = false;
		let from = 0;
		let insideWord = false;
		for (let at = 0; at < text.length; ) {
			const first = unit(text, at);
			let next = at + 1;
			const candidates = wholeWords && insideWord && isWord(first) ? undefined : byFirst.get(first);
			for (const word of candidates ?? []) {
				const says = compare(word, text, at, final);
				if (says === 'no') continue;
				if (says === 'perhaps') {
					const clear = beforeBackslashes(text, at, from);
					return {hit, clear, masked: masked + text.slice(from, clear)};
				}
				hit = true;
				// The letter of an escape takes all of it along, or what is left would be no JSON.
				masked += text.slice(from, afterEscape(text, at) > 0 ? beforeBackslashes(text, at, from) : at) + mask;
				next = at + word.length;
				from = next;
				break;
			}
			const escaped = next === at + 1 ? afterEscape(text, at) : 0;
			insideWord = escaped === 0 && isWord(unit(text, next - 1));
			at = Math.max(next, escaped);
		}
		const whole = final || !wholeWords ? text.length : beforeLastWord(text, from);
		const clear = final ? whole : beforeBackslashes(text, whole, from);
		return {hit, clear, masked: masked + text.slice(from, clear)};
	};
};
