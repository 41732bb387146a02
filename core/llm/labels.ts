import type {Delta, Dialect} from './dialects/dialect.ts';
import {place} from './dialects/leaves.ts';
import type {Digits} from './digits.ts';
import {countingNumbers, opaque, wireKeys} from './fields.ts';
import {isObject, type JsonObject} from './json.ts';
import {protocolWords} from './protocol-words.ts';
import {renameKeys} from './rename-keys.ts';

/** A string of an event that is none of its deltas: an id, a name, the key of a field nobody knows, a long number. */
export type Label = {
	path: string;
	/** The field it stands in. */
	key: string;
	text: string;
	isNumber: boolean;
	/** Writes it where it was read; a key waits for `writeKeys`. */
	set(to: string): void;
};

export type Labels = {
	found: Label[];
	/** Writes the keys that were set, when all values are: these are written under the key they were read from. Answers whether places have moved. */
	writeKeys(): boolean;
};

/** Shorter numbers name nobody. */
const longNumber = 1e8;

/** Shorter ones hold a word that anybody can read. */
const shortestCipher = 64;

const bytesOnly = /^[\w+/=-]+$/;
const ciphers: ReadonlySet<string> = new Set([...opaque, 'data', 'b64_json']);

/** Sounds, signatures and ciphers: nobody can read them. */
export const isCipher = (key: string, text: string): boolean => text.length >= shortestCipher && ciphers.has(key) && bytesOnly.test(text);

/** The same characters once more, in pieces that guards cannot read together, and padding that means nothing. */
const echoes: ReadonlySet<string> = new Set(['logprobs', 'top_logprobs', 'token_logprobs', 'obfuscation']);

/** Takes out of an event what says its words a second time. */
export const dropEchoes = (value: unknown): void => {
	if (Array.isArray(value)) for (const item of value) dropEchoes(item);
	else if (isObject(value)) {
		for (const key of Object.keys(value)) {
			if (!echoes.has(key)) dropEchoes(value[key]);
			else if (key === 'obfuscation') delete value[key];
			else value[key] = null;
		}
	}
};

type Covered = ReadonlyMap<object, ReadonlySet<string | number>>;

const coveredBy = (deltas: readonly Delta[]): Covered => {
	const covered = new Map<object, Set<string | number>>();
	for (const {holder, place} of deltas) {
		const places = covered.get(holder) ?? new Set();
		covered.set(holder, places.add(place));
	}
	return covered;
};

/** Every string and long number of an event that is none of its deltas and no word of the protocol, and every key that nobody knows. */
export const labelsOf = (json: JsonObject, deltas: readonly Delta[], digits?: Digits): Labels => {
	const covered = coveredBy(deltas);
	const found: Label[] = [];
	/** What the keys of an object become. */
	const renames = new Map<JsonObject, Map<string, string>>();

	const leaf = (value: string | number, holder: JsonObject | unknown[], at: string | number, path: string, key: string): void => {
		if (typeof value === 'number') {
			if (!Number.isInteger(value) || Math.abs(value) < longNumber || countingNumbers.has(key)) return;
		} else if (value === '' || protocolWords.has(value) || covered.get(holder)?.has(at) || isCipher(key, value)) return;
		const set = (to: string): void => {
			if (Array.isArray(holder)) holder[Number(at)] = to;
			else holder[at] = to;
		};
		const isNumber = typeof value === 'number';
		found.push({path, key, text: isNumber ? (digits?.of(value, holder, at) ?? String(value)) : value, isNumber, set});
	};

	/** `key` names the field that `value` stands in, through any number of lists. */
	const walk = (value: unknown, path: string, key: string): void => {
		if (Array.isArray(value)) for (const [index, item] of value.entries()) step(item, value, index, `${path}.${place(item, index)}`, key);
		else if (isObject(value)) {
			for (const name of Object.keys(value)) {
				if (!wireKeys.has(name) && !protocolWords.has(name) && name !== '')
					found.push({
						path: '',
						key: '',
						text: name,
						isNumber: false,
						set: to => void renames.set(value, (renames.get(value) ?? new Map<string, string>()).set(name, to)),
					});
				step(value[name], value, name, path === '' ? name : `${path}.${name}`, name);
			}
		}
	};

	const step = (value: unknown, holder: JsonObject | unknown[], at: string | number, path: string, key: string): void => {
		if (typeof value === 'string' || typeof value === 'number') leaf(value, holder, at, path, key);
		else walk(value, path, key);
	};

	walk(json, '', '');
	return {
		found,
		writeKeys() {
			let moved = 0;
			for (const [object, names] of renames) moved += renameKeys(object, names).size;
			return moved > 0;
		},
	};
};

/**
 * Clients put the pieces of these together, or take the last: `same` may be said again, and nothing else; `first` stays what it was, whatever
 * is said later, since some servers make up another id for each piece.
 */
export const standing = ({name}: Dialect, {path, key, isNumber}: Label): 'same' | 'first' | undefined => {
	if (name === 'anthropic' || path === '' || isNumber || ciphers.has(key)) return undefined;
	// It says what a part of a list is, and another may follow at the same index.
	if (key === 'type' && !path.includes('.tool_calls.')) return undefined;
	if (/^choices\.\d+\.delta\./.test(path)) return key === 'name' ? 'same' : 'first';
	return path.includes('.') ? undefined : 'first';
};
