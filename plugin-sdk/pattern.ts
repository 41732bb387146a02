import type * as z from 'zod';
import {alphabetOf, end as textEnd} from './pattern/alphabet.ts';
import {type Machine, machineOf, type State} from './pattern/machine.ts';
import {PatternRefused, parse} from './pattern/parse.ts';
import {matchesNothing, programOf} from './pattern/program.ts';

export {PatternRefused} from './pattern/parse.ts';

/** A match: `text.slice(start, end)`. */
export type Match = {readonly start: number; readonly end: number};

/** Matches from left to right, and from where on what follows can still change something: the end of the text, if nothing can. */
export type Matches = {readonly found: readonly Match[]; readonly open: number};

export type Pattern = {
	/**
	 * All matches at or after `from`, none overlapping and none empty, in time that grows with the text and no faster. What stands before
	 * `from` is only looked back at, for `^` and `\b`. Where the text goes on (`final` is false), keep it from `open` on, with two
	 * characters before it, and scan again with what has come: the matches are the same as of the whole text.
	 */
	scan(text: string, from?: number, final?: boolean): Matches;
};

export type PatternOptions = {
	ignoreCase?: boolean;
	/** A match is found if it has at most half as many characters (UTF-16 units; 1,024), and no more than that are ever kept open. */
	window?: number;
};

const isPair = (text: string, at: number): boolean => {
	const code = text.charCodeAt(at);
	if (code < 0xdc00 || code > 0xdfff || at === 0) return false;
	const before = text.charCodeAt(at - 1);
	return before >= 0xd800 && before <= 0xdbff;
};

/**
 * An expression as JavaScript writes it in Unicode mode (`/…/u`), without references to groups and without looking ahead or behind, and
 * with the same matches. Throws `PatternRefused`, which says what to write instead.
 */
export const compilePattern = (source: string, {ignoreCase = false, window = 1_024}: PatternOptions = {}): Pattern => {
	const {tree, atoms} = parse(source);
	const program = programOf(tree, false);
	if (matchesNothing(program)) throw new PatternRefused('it matches where nothing stands; write + in the place of *');
	const alphabet = alphabetOf(atoms, ignoreCase);
	const forward = machineOf(program, alphabet, 'first');
	const backward = machineOf(programOf(tree, true), alphabet, 'longest');

	const letterAt = (text: string, at: number): number => (at < text.length ? alphabet.letterOf(text.codePointAt(at)!) : textEnd);
	const letterBefore = (text: string, at: number): number =>
		at <= 0 ? textEnd : alphabet.letterOf(isPair(text, at - 1) ? text.codePointAt(at - 2)! : text.charCodeAt(at - 1));
	const after = (machine: Machine, state: State, letter: number): State => state.next[letter] ?? machine.step(state, letter);

	/** Where the match that ends at `to` begins, not before `from`. */
	const beginning = (text: string, to: number, from: number): number => {
		let state = backward.start(letterAt(text, to));
		let start = to;
		let at = to;
		while (!state.dead && at >= from) {
			state = after(backward, state, letterBefore(text, at));
			if (state.hit) start = at;
			at -= isPair(text, at - 1) ? 2 : 1;
		}
		return start;
	};

	/** How far a text leaves a fresh state as it is: most of it, and the rest of the loop is spared. */
	const idle = (text: string, from: number, state: State): number => {
		let at = from;
		for (; at < text.length; at++) {
			const code = text.charCodeAt(at);
			if ((code >= 0xd800 && code <= 0xdfff) || state.next[alphabet.letterOf(code)] !== state) break;
		}
		return at;
	};

	const scan = (text: string, from = 0, final = true): Matches => {
		const found: Match[] = [];
		/** Where a match may begin; all before is decided. */
		let start = from;
		while (start < text.length) {
			let state = forward.start(letterBefore(text, start));
			let at = start;
			/** Where the match ends, as far as is known. */
			let end = -1;
			/** How far is read before it is decided: this depends on nothing but places, so it is the same however a text comes. */
			let limit = start + window;
			while (at < text.length && at < limit && !state.dead) {
				const code = text.charCodeAt(at);
				const wide = code >= 0xd800 && code <= 0xdbff && isPair(text, at + 1);
				const letter = alphabet.letterOf(wide ? text.codePointAt(at)! : code);
				state = state.next[letter] ?? forward.step(state, letter);
				if (state.hit) {
					end = at;
					limit = Math.min(limit, end + window / 4);
				}
				at += wide ? 2 : 1;
				if (state.fresh) {
					start = idle(text, at, state);
					at = start;
					limit = start + window;
				}
			}
			const endsHere = at < limit && !state.dead;
			if (endsHere && !final) return {found, open: start};
			if (endsHere && after(forward, state, textEnd).hit) end = at;
			if (end >= 0) {
				found.push({start: beginning(text, end, start), end});
				start = end;
			} else if (endsHere) start = text.length;
			else start += isPair(text, start + window / 2) ? window / 2 + 1 : window / 2;
		}
		return {found, open: text.length};
	};
	return {scan};
};

/** For a plugin's config, inside of a zod transform: compiles, or says at `path` why not, which the boot prints with the line of the config. */
export const patternOrIssue = (
	context: z.RefinementCtx,
	path: PropertyKey[],
	source: string,
	options?: PatternOptions,
): Pattern | undefined => {
	try {
		return compilePattern(source, options);
	} catch (error) {
		if (!(error instanceof PatternRefused)) throw error;
		context.addIssue({code: 'custom', path, message: `The pattern is refused: ${error.message}.`});
		return undefined;
	}
};
