/** A piece of a JSON text. Strings come decoded, in pieces; what is not JSON comes `raw`, and with it all that follows. */
export type JsonPart =
	| {kind: 'plain'; text: string}
	/** `name`: of the field that it is the value of. `ends`: its closing quote has come, and goes on as `plain`. */
	| {kind: 'key' | 'string'; text: string; ends: boolean; name: string}
	| {kind: 'number'; text: string; name: string}
	| {kind: 'raw'; text: string};

/** Reads a JSON text that arrives in any cut. */
export type JsonReader = {push(text: string): JsonPart[]; end(): JsonPart[]};

type Expects = 'value' | 'first value' | 'first key' | 'key' | 'colon' | 'more' | 'nothing';
type Level = {open: '{' | '['; name: string};

const deepest = 500;
const longestName = 100;
/** Of a number or a literal: longer ones are none. */
const longestWord = 400;

const literals: ReadonlySet<string> = new Set(['true', 'false', 'null']);
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const escapes: Readonly<Record<string, string>> = {b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', '/': '/'};
const plain = /[{}[\],:\s]/;
const space = /\s/;
const inWord = /[\w.+-]/;

/** What a whole escape at the beginning of `text` stands for, and how long it is; undefined where it is none, `'more'` where it goes on. */
const unescaped = (text: string): {is: string; length: number} | 'more' | undefined => {
	const letter = text[1];
	if (letter === undefined) return 'more';
	if (letter !== 'u') return Object.hasOwn(escapes, letter) ? {is: escapes[letter]!, length: 2} : undefined;
	const digits = text.slice(2, 6);
	if (!/^[\da-fA-F]*$/.test(digits)) return undefined;
	return digits.length === 4 ? {is: String.fromCharCode(Number.parseInt(digits, 16)), length: 6} : 'more';
};

/** A string of a text as JSON writes it, without the quotes. */
export const written = (text: string): string => JSON.stringify(text).slice(1, -1);

export const readJson = (): JsonReader => {
	const levels: Level[] = [];
	let expects: Expects = 'value';
	/** The string that is open, if any. */
	let inside: 'key' | 'string' | undefined;
	let key = '';
	/** An escape, a number or a literal that may go on. */
	let held = '';
	/** A number and the space behind it: whether it is one, what follows will tell. */
	let last: {text: string; name: string} | undefined;
	let isRaw = false;
	let parts: JsonPart[] = [];

	const nameHere = (): string => levels.at(-1)?.name ?? '';

	const addPlain = (text: string): void => {
		const before = parts.at(-1);
		if (before?.kind === 'plain') before.text += text;
		else parts.push({kind: 'plain', text});
	};

	const addLast = (): void => {
		if (!last) return;
		const text = last.text.trimEnd();
		parts.push({kind: 'number', text, name: last.name});
		if (text.length < last.text.length) addPlain(last.text.slice(text.length));
		last = undefined;
	};

	const addString = (kind: 'key' | 'string', text: string, ends: boolean): void => {
		const before = parts.at(-1);
		if (before && before.kind === kind && !before.ends) {
			before.text += text;
			before.ends = ends;
		} else if (text !== '' || ends) parts.push({kind, text, ends, name: kind === 'key' ? '' : nameHere()});
	};

	const giveUp = (rest: string): void => {
		if (inside) addString(inside, '', true);
		inside = undefined;
		isRaw = true;
		const text = (last?.text ?? '') + rest;
		last = undefined;
		if (text !== '') parts.push({kind: 'raw', text});
	};

	const valueEnds = (): void => {
		expects = levels.length === 0 ? 'nothing' : 'more';
	};

	const takesValue = (): boolean => expects === 'value' || expects === 'first value';

	/** Whether a structural character may stand here. */
	const steps = (char: string): boolean => {
		const level = levels.at(-1);
		switch (char) {
			case '{':
			case '[':
				if (!takesValue() || levels.length >= deepest) return false;
				levels.push({open: char, name: nameHere()});
				expects = char === '{' ? 'first key' : 'first value';
				return true;
			case '}':
			case ']':
				if (level?.open !== (char === '}' ? '{' : '[')) return false;
				if (expects !== 'more' && expects !== (char === '}' ? 'first key' : 'first value')) return false;
				levels.pop();
				valueEnds();
				return true;
			case ',':
				if (expects !== 'more') return false;
				expects = level!.open === '{' ? 'key' : 'value';
				return true;
			case ':':
				if (expects !== 'colon') return false;
				expects = 'value';
				return true;
			default:
				return true;
		}
	};

	/** Reads on inside a string; answers where it stopped, which is the end of `text` unless the string is over or is none. */
	const readString = (text: string, from: number, kind: 'key' | 'string'): number => {
		let at = from;
		while (at < text.length) {
			let end = at;
			while (end < text.length && text[end] !== '"' && text[end] !== '\\') end++;
			if (end > at) take(kind, text.slice(at, end));
			if (end === text.length) return end;
			if (text[end] === '"') {
				addString(kind, '', true);
				addPlain('"');
				inside = undefined;
				if (kind === 'string') valueEnds();
				else {
					expects = 'colon';
					levels.at(-1)!.name = key.length <= longestName ? key : '';
				}
				return end + 1;
			}
			const found = unescaped(text.slice(end, end + 6));
			if (found === 'more') {
				held = text.slice(end);
				return text.length;
			}
			if (found === undefined) {
				giveUp(text.slice(end));
				return text.length;
			}
			take(kind, found.is);
			at = end + found.length;
		}
		return at;
	};

	const take = (kind: 'key' | 'string', text: string): void => {
		if (kind === 'key' && key.length <= longestName) key += text;
		addString(kind, text, false);
	};

	/** A number or a literal that is over; false where it is neither, or has no place here. */
	const takesWord = (word: string): boolean => {
		if (!takesValue()) return false;
		if (literals.has(word)) addPlain(word);
		else if (number.test(word)) last = {text: word, name: nameHere()};
		else return false;
		valueEnds();
		return true;
	};

	const readOutside = (text: string, from: number): number => {
		const char = text[from]!;
		if (char === '"') {
			if (expects === 'key' || expects === 'first key') {
				inside = 'key';
				key = '';
			} else if (takesValue()) inside = 'string';
			else return broken(text, from);
			addPlain(char);
			return from + 1;
		}
		if (plain.test(char)) {
			if (last && space.test(char)) {
				last.text += char;
				return last.text.length > longestWord ? broken(text, from + 1) : from + 1;
			}
			if (!steps(char)) return broken(text, from);
			addLast();
			addPlain(char);
			return from + 1;
		}
		let end = from;
		while (end < text.length && inWord.test(text[end]!)) end++;
		if (end === from || end - from > longestWord) return broken(text, from);
		if (end === text.length) {
			held = text.slice(from);
			return end;
		}
		return takesWord(text.slice(from, end)) ? end : broken(text, from);
	};

	const broken = (text: string, from: number): number => {
		giveUp(text.slice(from));
		return text.length;
	};

	const taken = (): JsonPart[] => {
		const out = parts;
		parts = [];
		return out;
	};

	return {
		push(added) {
			if (isRaw) return [{kind: 'raw', text: added}];
			const text = held + added;
			held = '';
			for (let at = 0; at < text.length && !isRaw; ) at = inside ? readString(text, at, inside) : readOutside(text, at);
			return taken();
		},
		end() {
			const word = held;
			held = '';
			if (inside || (word !== '' && !takesWord(word))) giveUp(word);
			else addLast();
			return taken();
		},
	};
};
