import {closingQuote} from './body.ts';
import {isObject, type JsonObject} from './json.ts';

declare global {
	/** https://tc39.es/proposal-json-parse-with-source, in Node since 22 and not yet in TypeScript's library. */
	interface JSON {
		rawJSON(text: string): {rawJSON: string};
		isRawJSON(value: unknown): value is {rawJSON: string};
		parse(text: string, reviver: (key: string, value: unknown, context: {source?: string}) => unknown): unknown;
	}
}

const isNumberPart = (code: number): boolean =>
	(code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65;

/** Where the numbers of a JSON text stand: the beginning and the end of each. */
const numbersIn = (text: string): number[] => {
	const found: number[] = [];
	for (let at = 0; at < text.length; at += 1) {
		const code = text.charCodeAt(at);
		if (code === 0x22) {
			at = closingQuote(text, at);
			if (at === -1) break;
		} else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
			const from = at;
			while (isNumberPart(text.charCodeAt(at))) at += 1;
			found.push(from, at);
			at -= 1;
		}
	}
	return found;
};

/** Whether `JSON.stringify` would write it in other words: `1.0`, `1e3`, `-0`, or more digits than a double holds. */
const isOdd = (number: string): boolean => String(Number(number)) !== number;

/** Objects put such keys first, wherever they stood. */
const movesKeys = /"(?:0|[1-9]\d*)"\s*:/;

/**
 * `written`, with its numbers in the words that they have in `text`. Undefined where the two do not hold the same numbers in the same order, and so
 * nobody can tell which is which.
 */
const inTheirWords = (text: string, numbers: readonly number[], written: string): string | undefined => {
	const places = numbersIn(written);
	if (places.length !== numbers.length || movesKeys.test(text)) return undefined;
	let out = '';
	let done = 0;
	for (let index = 0; index < places.length; index += 2) {
		const number = text.slice(numbers[index], numbers[index + 1]);
		const other = written.slice(places[index], places[index + 1]);
		if (number === other) continue;
		if (Number(number) !== Number(other)) return undefined;
		out += written.slice(done, places[index]) + number;
		done = places[index + 1]!;
	}
	return out + written.slice(done);
};

/** The same tree with `rawJSON` for every number that `JSON.stringify` would write in other words. */
const exactNumbers = (text: string): unknown =>
	JSON.parse(text, (_key, value, {source}) =>
		typeof value !== 'number' || source === undefined || String(value) === source ? value : JSON.rawJSON(source),
	);

const own = (holder: unknown, key: string): unknown => (isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined);

const withExact = (value: unknown, exact: unknown): unknown => {
	if (typeof value === 'number') return JSON.isRawJSON(exact) && Number(exact.rawJSON) === value ? exact : value;
	if (Array.isArray(value)) return value.map((item, index) => withExact(item, Array.isArray(exact) ? exact[index] : undefined));
	if (!isObject(value)) return value;
	const copy: JsonObject = Object.create(null);
	for (const key of Object.keys(value)) copy[key] = withExact(value[key], own(exact, key));
	return copy;
};

/**
 * `json`, which was parsed from `text` and then edited, as bytes. Fields nobody knows survive, and a number that was not
 * edited keeps the words it had in `text`, beyond what a double can hold.
 */
export const encodeBody = (text: string, json: JsonObject | unknown[]): Buffer => {
	const written = JSON.stringify(json);
	const numbers = numbersIn(text);
	let odd = false;
	for (let index = 0; index < numbers.length && !odd; index += 2) odd = isOdd(text.slice(numbers[index], numbers[index + 1]));
	if (!odd) return Buffer.from(written);
	return Buffer.from(inTheirWords(text, numbers, written) ?? JSON.stringify(withExact(json, exactNumbers(text))));
};
