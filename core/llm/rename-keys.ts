import type {JsonObject} from './json.ts';

/**
 * Gives the fields of an object other names, `renames` by their old ones, in their old places; when a name is taken by another field, both
 * values cannot stay, so a number behind it grows. Answers which field has got which name, without those that keep theirs.
 */
export const renameKeys = (object: JsonObject, renames: ReadonlyMap<string, string>): Map<string, string> => {
	const taken = new Set(Object.keys(object));
	const renamed = new Map<string, string>();
	/** The number to go on from, by name: what was taken once is not tried again. */
	const numbers = new Map<string, number>();
	for (const [from, to] of renames) {
		let name = to;
		let number = numbers.get(to) ?? 2;
		for (; name !== from && taken.has(name); number += 1) name = `${to} ${number}`;
		numbers.set(to, number);
		if (name === from) continue;
		taken.delete(from);
		taken.add(name);
		renamed.set(from, name);
	}
	if (renamed.size === 0) return renamed;
	const fields = Object.entries(object);
	for (const [key] of fields) delete object[key];
	for (const [key, value] of fields) {
		Object.defineProperty(object, renamed.get(key) ?? key, {value, enumerable: true, configurable: true, writable: true});
	}
	return renamed;
};
