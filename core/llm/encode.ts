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

/** Whether `JSON.stringify` would write a number of `text` in other words: `1.0`, `1e3`, `-0`, or more digits than a double holds. */
const holdsOddNumbers = (text: string): boolean => {
	let outside = '';
	let from = 0;
	for (let open = text.indexOf('"'); open !== -1; open = text.indexOf('"', from)) {
		outside += text.slice(from, open);
		const close = closingQuote(text, open);
		if (close === -1) break;
		from = close + 1;
	}
	const numbers = (outside + text.slice(from)).match(/-?\d[\d.eE+-]*/g) ?? [];
	return numbers.some(number => String(Number(number)) !== number);
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
export const encodeBody = (text: string, json: JsonObject | unknown[]): Buffer =>
	Buffer.from(JSON.stringify(holdsOddNumbers(text) ? withExact(json, exactNumbers(text)) : json));
