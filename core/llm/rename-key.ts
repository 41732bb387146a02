import type {JsonObject} from './json.ts';

/** Gives a field another name in its old place; when the name is taken by another field, both values cannot stay, so the number grows. */
export const renameKey = (object: JsonObject, from: string, to: string): string => {
	let name = to;
	for (let number = 2; name !== from && Object.hasOwn(object, name); number += 1) name = `${to} ${number}`;
	const fields = Object.entries(object);
	for (const [key] of fields) delete object[key];
	for (const [key, value] of fields) {
		Object.defineProperty(object, key === from ? name : key, {value, enumerable: true, configurable: true, writable: true});
	}
	return name;
};
