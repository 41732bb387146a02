import {type Alphabet, end} from './alphabet.ts';
import type {Edge} from './parse.ts';
import type {Program} from './program.ts';

/** What stands before a place. */
type Before = 'nothing' | 'word' | 'other';

/** Where a machine is after some characters. */
export type State = {
	/** By letter, as far as it was needed yet. */
	readonly next: (State | undefined)[];
	/** A match ended before the character that was taken last. */
	readonly hit: boolean;
	/** Nothing that follows can be a match. */
	readonly dead: boolean;
	/** Nothing that was read can be part of a match that is not over yet. */
	readonly fresh: boolean;
	readonly threads: readonly number[];
	readonly searching: boolean;
	readonly before: Before;
};

export type Machine = {
	/** Before the first character; `letter` is that of the one before it, or `end`. */
	start(letter: number): State;
	/** Takes a letter; `end` where the text ends. */
	step(state: State, letter: number): State;
};

/**
 * `first`: looks for the match that begins first, and of those with that beginning for the one that the expression prefers. `longest`: reads
 * on from one place for as long as there are matches.
 */
export type Wanted = 'first' | 'longest';

/** So many numbers may be kept for all states of a machine; then it forgets them, and makes those that it needs once more. */
const mostKept = 300_000;

const holds = (edge: Edge, before: Before, letter: number, alphabet: Alphabet): boolean => {
	if (edge === 'start') return before === 'nothing';
	if (edge === 'end') return letter === end;
	return ((before === 'word') !== alphabet.isWord(letter)) === (edge === 'word-edge');
};

/**
 * Runs all ways through a program at once, so that every character is looked at once, and makes a state for each set of places that they
 * are in together: the lazy automaton of RE2 (Cox, "Regular Expression Matching in the Wild", 2010).
 */
export const machineOf = ({steps, start}: Program, alphabet: Alphabet, wanted: Wanted): Machine => {
	let states = new Map<string, State>();
	let starts: Partial<Record<Before, State>> = {};
	let kept = 0;
	const minds = steps.some(step => step.kind === 'edge' && step.edge.endsWith('word-edge'));
	const seen = new Uint32Array(steps.length);
	const queued = new Uint32Array(steps.length);
	let round = 0;

	const stateOf = (threads: readonly number[], searching: boolean, before: Before, hit: boolean): State => {
		const key = `${before[0]}${searching ? 1 : 0}${hit ? 1 : 0}${String.fromCharCode(...threads)}`;
		const known = states.get(key);
		if (known) return known;
		kept += threads.length + 40;
		if (kept > mostKept) {
			states = new Map();
			starts = {};
			kept = 0;
		}
		const fresh = searching && threads.length === 1;
		const state: State = {next: [], hit, dead: threads.length === 0, fresh, threads, searching, before};
		states.set(key, state);
		return state;
	};

	/** The next threads, in order of preference, and whether one was done before the letter. */
	const advance = ({threads, before}: State, letter: number): {threads: number[]; hit: boolean} => {
		round++;
		const after: number[] = [];
		let hit = false;
		const open = threads.toReversed();
		for (let at = open.pop(); at !== undefined; at = open.pop()) {
			if (seen[at] === round) continue;
			seen[at] = round;
			const step = steps[at]!;
			if (step.kind === 'split') open.push(step.or, step.to);
			else if (step.kind === 'edge') {
				if (holds(step.edge, before, letter, alphabet)) open.push(step.to);
			} else if (step.kind === 'done') {
				hit = true;
				if (wanted === 'first') break;
			} else if (letter !== end && queued[step.to] !== round && alphabet.takes(step.atom, letter)) {
				queued[step.to] = round;
				after.push(step.to);
			}
		}
		return {threads: after, hit};
	};

	/** Words are told apart only where an edge of theirs is asked for: fewer states. */
	const kindOf = (letter: number): Before => (letter === end ? 'nothing' : minds && alphabet.isWord(letter) ? 'word' : 'other');

	return {
		start(letter) {
			const before = kindOf(letter);
			starts[before] ??= stateOf([start], wanted === 'first', before, false);
			return starts[before];
		},
		step(state, letter) {
			const {threads, hit} = advance(state, letter);
			const searching = state.searching && !hit && letter !== end;
			if (searching) threads.push(start);
			const next = stateOf(threads, searching, kindOf(letter), hit);
			state.next[letter] = next;
			return next;
		},
	};
};
