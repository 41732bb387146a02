/** A JSON object as `JSON.parse` made it; a field is `unknown` until it is looked at. */
export type JsonObject = Record<string, unknown>;

/** A number in a tree in the words that it was written in, where a double would not be written so; `JSON.stringify` writes them. */
export type ExactNumber = {readonly rawJSON: string};

declare global {
	/** https://tc39.es/proposal-json-parse-with-source, in Node since 22 and not yet in TypeScript's library. */
	interface JSON {
		rawJSON(text: string): ExactNumber;
		isRawJSON(value: unknown): value is ExactNumber;
	}
}

/** Whether a parsed JSON value is an object: neither an array nor null, nor an `ExactNumber`. */
export const isObject = (value: unknown): value is JsonObject =>
	typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value && JSON.isRawJSON(value));

/** The items of a parsed JSON value that are objects, each with its index; none when it is not an array. */
export const objectsOf = (value: unknown): [number, JsonObject][] => {
	const found: [number, JsonObject][] = [];
	if (!Array.isArray(value)) return found;
	for (let index = 0; index < value.length; index += 1) {
		const item: unknown = value[index];
		if (isObject(item)) found.push([index, item]);
	}
	return found;
};
