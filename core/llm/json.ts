/** A JSON object as `JSON.parse` made it; a field is `unknown` until it is looked at. */
export type JsonObject = Record<string, unknown>;

/** Whether a parsed JSON value is an object: neither an array nor null. */
export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

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
