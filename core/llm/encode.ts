import {exactly, inOddWords} from './exact.ts';
import {type ExactNumber, isObject, type JsonObject} from './json.ts';
import {isBeyond, isOdd, numbersIn, oddIn} from './numbers.ts';

/** Objects put such keys first, wherever they stood. */
const movesKeys = /"(?:0|[1-9]\d*)"\s*:/;

/**
 * `written`, with its numbers in the words that they have in `text`. Undefined where the two do not hold the same numbers in the same order, and so
 * nobody can tell which is which.
 */
const inTheirWords = (text: string, written: string): string | undefined => {
	const [numbers, places] = [numbersIn(text), numbersIn(written)];
	if (places.length !== numbers.length || movesKeys.test(text)) return undefined;
	let out = '';
	let done = 0;
	for (let index = 0; index < places.length; index += 2) {
		const number = text.slice(numbers[index], numbers[index + 1]);
		const other = written.slice(places[index], places[index + 1]);
		// What is odd after the edit is what the edit says.
		if (number === other || isOdd(other)) continue;
		if (Number(number) !== Number(other)) return undefined;
		out += written.slice(done, places[index]) + number;
		done = places[index + 1]!;
	}
	return out + written.slice(done);
};

const own = (holder: unknown, key: string): unknown => (isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined);

/** What is to be written for a value that is neither a list nor an object, in whose place `exact` stood before. */
type InWords = (value: unknown, exact: unknown) => unknown;

/** A copy of `value`, with what `inWords` makes of whatever is in it, and of what `exact` has in the same place. */
const withExact = (value: unknown, exact: unknown, inWords: InWords): unknown => {
	if (Array.isArray(value)) return value.map((item, index) => withExact(item, Array.isArray(exact) ? exact[index] : undefined, inWords));
	if (!isObject(value)) return inWords(value, exact);
	const copy: JsonObject = Object.create(null);
	for (const key of Object.keys(value)) copy[key] = withExact(value[key], own(exact, key), inWords);
	return copy;
};

const sameNumber: InWords = (value, exact) => (JSON.isRawJSON(exact) && value === Number(exact.rawJSON) ? exact : value);

/**
 * `json`, which was parsed from `text` and then edited, as bytes. Fields nobody knows survive, and a number that was not
 * edited keeps the words it had in `text`, beyond what a double can hold.
 */
export const encodeBody = (text: string, json: JsonObject | unknown[]): Buffer => {
	const written = JSON.stringify(json);
	if (oddIn(text).length === 0) return Buffer.from(written);
	return Buffer.from(inTheirWords(text, written) ?? JSON.stringify(withExact(json, exactly(text), sameNumber)));
};

const isNumber = (text: string): boolean => /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));

/** The numbers that plugins are shown as strings, by these; but for those that are a string somewhere as well, and so nobody can tell which was moved. */
const shownAsStrings = (exact: unknown): ReadonlyMap<string, ExactNumber> => {
	const numbers = new Map<string, ExactNumber>();
	const strings = new Set<string>();
	const look = (value: unknown): void => {
		if (typeof value === 'string') strings.add(value);
		else if (Array.isArray(value)) for (const item of value) look(item);
		else if (isObject(value)) for (const key of Object.keys(value)) look(value[key]);
		else if (JSON.isRawJSON(value) && isBeyond(value.rawJSON)) numbers.set(value.rawJSON, value);
	};
	look(exact);
	for (const words of numbers.keys()) if (strings.has(words)) numbers.delete(words);
	return numbers;
};

/**
 * A plugin was shown a number as a string, and it is a number all the same when it comes back: another one in its place, or the same in a place
 * where no string stood.
 */
const asShown = (shown: ReadonlyMap<string, ExactNumber>): InWords => {
	return (value, exact) => {
		const isShown = JSON.isRawJSON(exact) && isBeyond(exact.rawJSON);
		if (typeof value !== 'string') return isShown ? value : sameNumber(value, exact);
		if (isShown && isNumber(value)) return JSON.rawJSON(value);
		return typeof exact === 'string' ? value : (shown.get(value) ?? value);
	};
};

/** A copy of what a plugin made of `before`, which it was shown by `jsonForPlugins`: each number that it left alone or moved is as exact as it was. */
export const rewritten = (value: unknown, before: unknown): unknown => {
	const exact = before === undefined ? undefined : inOddWords(JSON.stringify(before));
	return exact === undefined ? structuredClone(value) : withExact(value, exact, asShown(shownAsStrings(exact)));
};
