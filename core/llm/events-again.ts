import type {Dialect} from './dialects/dialect.ts';
import {type Digits, openDigits} from './digits.ts';
import {encodeBody} from './encode.ts';
import {exactly} from './exact.ts';
import {isObject, type JsonObject} from './json.ts';
import {oddIn} from './numbers.ts';
import {parseJson} from './parse.ts';

/** Reads the events of one stream, and writes them again when guards have seen them: a number that nobody edited is as it came. */
export type EventsAgain = {
	/** Undefined where it is no object of JSON. */
	read(data: string): JsonObject | undefined;
	event(json: JsonObject): string;
	/** The digits of its numbers, where doubles may say others. */
	digits(json: JsonObject): Digits | undefined;
};

export const eventsAgain = (dialect: Dialect): EventsAgain => {
	const odd = new WeakMap<JsonObject, string>();
	return {
		read(data) {
			let json: unknown;
			try {
				json = parseJson(data);
			} catch {
				// Whoever took the event decides what becomes of it.
				return undefined;
			}
			if (!isObject(json)) return undefined;
			if (oddIn(data).length > 0) odd.set(json, data);
			return json;
		},
		event(json) {
			const data = odd.get(json);
			return dialect.event(data === undefined ? json : (exactly(encodeBody(data, json).toString()) as JsonObject));
		},
		digits(json) {
			const data = odd.get(json);
			if (data === undefined) return undefined;
			const digits = openDigits();
			digits.from(json, () => data);
			return digits;
		},
	};
};
