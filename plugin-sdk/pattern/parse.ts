/** What is asked of a place between two characters, and consumes none. */
export type Edge = 'start' | 'end' | 'word-edge' | 'no-word-edge';

/** A regular expression as a tree. An atom takes one character: that at `atom` in the list that came with the tree. */
export type Tree =
	| {kind: 'atom'; atom: number}
	| {kind: 'edge'; edge: Edge}
	| {kind: 'all'; parts: readonly Tree[]}
	| {kind: 'any'; parts: readonly Tree[]}
	| {kind: 'repeat'; part: Tree; least: number; most: number; lazy: boolean};

/** Thrown for an expression that is not run; the message says what to write instead. */
export class PatternRefused extends Error {}

const longestSource = 1_000;
const deepest = 50;

/** `\uD83D\uDE00` is one character, as in every expression of Unicode mode. */
const escapeSequence =
	/\\(?:u\{[\dA-Fa-f]+\}|u[Dd][89ABab][\dA-Fa-f]{2}\\u[Dd][C-Fc-f][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|[pP]\{[^}]*\}|[\s\S])/uy;
const set = /\[(?:\\[\s\S]|[^\\\]])*\]/uy;
const quantifier = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})(\?)?/uy;
const group = /\((?:\?(?::|<(?![=!])[^>]*>))?/uy;

const bounds: Readonly<Record<string, readonly [least: number, most: number]>> = {
	'*': [0, Number.POSITIVE_INFINITY],
	'+': [1, Number.POSITIVE_INFINITY],
	'?': [0, 1],
};

/** V8 reads it first, so that what follows need not doubt the spelling. */
const checkSpelling = (source: string): void => {
	if (source.length > longestSource) throw new PatternRefused(`it is longer than ${longestSource} characters; write several patterns`);
	try {
		new RegExp(source, 'u');
	} catch (error) {
		throw new PatternRefused(error instanceof Error ? error.message.replace(/^.*\/u: /s, '') : 'it is not a regular expression', {
			cause: error,
		});
	}
};

/**
 * Reads an expression as JavaScript spells it in Unicode mode. Throws `PatternRefused` for what is spelled wrong, and for what no engine
 * matches in linear time: references to groups, and looking ahead or behind.
 */
export const parse = (source: string): {tree: Tree; atoms: readonly string[]} => {
	checkSpelling(source);
	const atoms: string[] = [];
	let at = 0;
	let depth = 0;

	const take = (expression: RegExp): RegExpExecArray | undefined => {
		expression.lastIndex = at;
		const taken = expression.exec(source) ?? undefined;
		at += taken?.[0].length ?? 0;
		return taken;
	};
	const atom = (spelled: string): Tree => {
		const known = atoms.indexOf(spelled);
		return {kind: 'atom', atom: known < 0 ? atoms.push(spelled) - 1 : known};
	};

	const escaped = (): Tree => {
		const [spelled] = take(escapeSequence)!;
		if (spelled === '\\b') return {kind: 'edge', edge: 'word-edge'};
		if (spelled === '\\B') return {kind: 'edge', edge: 'no-word-edge'};
		if (/^\\[1-9k]/.test(spelled))
			throw new PatternRefused(`a reference to a group (${spelled}) cannot be matched in linear time; write out what it stands for`);
		return atom(spelled);
	};

	const grouped = (): Tree => {
		const [spelled] = take(group)!;
		const asked = source.slice(at, at + 2);
		if (spelled === '(' && asked.startsWith('?')) {
			if (/^\?(?:[=!]|<)/.test(asked))
				throw new PatternRefused('looking ahead or behind cannot be matched in linear time; use \\b, or match what stands around it too');
			throw new PatternRefused('flags within an expression are not read; say ignoreCase in the config');
		}
		if (++depth > deepest) throw new PatternRefused(`its groups are more than ${deepest} deep`);
		const inner = choice();
		at++;
		depth--;
		return inner;
	};

	const one = (): Tree => {
		const sign = source[at]!;
		if (sign === '\\') return escaped();
		if (sign === '(') return grouped();
		if (sign === '[') return atom(take(set)![0]);
		const spelled = String.fromCodePoint(source.codePointAt(at)!);
		at += spelled.length;
		if (sign === '^') return {kind: 'edge', edge: 'start'};
		if (sign === '$') return {kind: 'edge', edge: 'end'};
		return atom(spelled);
	};

	const repeated = (part: Tree): Tree => {
		const [, sign, low, comma, high, lazy] = take(quantifier) ?? [];
		if (sign === undefined && low === undefined) return part;
		const most = comma === undefined ? Number(low) : high === '' ? Number.POSITIVE_INFINITY : Number(high);
		const [from, to] = sign === undefined ? [Number(low), most] : bounds[sign]!;
		return {kind: 'repeat', part, least: from, most: to, lazy: lazy !== undefined};
	};

	const sequence = (): Tree => {
		const parts: Tree[] = [];
		while (at < source.length && source[at] !== '|' && source[at] !== ')') parts.push(repeated(one()));
		return parts.length === 1 ? parts[0]! : {kind: 'all', parts};
	};

	const choice = (): Tree => {
		const parts = [sequence()];
		while (source[at] === '|') {
			at++;
			parts.push(sequence());
		}
		return parts.length === 1 ? parts[0]! : {kind: 'any', parts};
	};

	return {tree: choice(), atoms};
};
