import {randomInt} from 'node:crypto';

/** A generator of numbers in [0, 1) and the seed that repeats it (mulberry32). */
export const seeded = (seed = randomInt(2 ** 31)): {seed: number; random: () => number} => {
	let state = seed;
	const random = () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	return {seed, random};
};

const awkward = ['"', '\\', ':', '{', '}', '[', ']', ',', '\n', '\u0000', 'é', '😀', '\u2028', 'a', 'model', ' ', '\\"', 'u0065', '\u007f'];
const names = ['model', 'messages', '__proto__', 'constructor', '0', '12', '', 'mod"el', 'data', 'x\\', '名', ':'];

/** One of `items`. */
export const pick = <T>(random: () => number, items: readonly [T, ...T[]] | readonly T[]): T => {
	const item = items[Math.floor(random() * items.length)];
	if (item === undefined) throw new Error('nothing to pick from');
	return item;
};

/** A string of characters that parsers trip over. */
export const anyString = (random: () => number): string =>
	Array.from({length: Math.floor(random() * 40)}, () => pick(random, awkward)).join('');

/** A JSON value with awkward strings, keys and numbers. */
export const anyValue = (random: () => number, depth = 0): unknown => {
	const kind = random();
	if (kind < 0.35) return anyString(random);
	if (kind < 0.5) return pick(random, [0, -1, 0.5, 1e21, 12345678901, 1e-7]);
	if (kind < 0.6 || depth > 4) return pick(random, [true, false, 'x']);
	if (kind < 0.65) return null;
	if (kind < 0.8) return Array.from({length: Math.floor(random() * 5)}, () => anyValue(random, depth + 1));
	return anyObject(random, depth + 1);
};

/** A JSON object of at least one field. */
export const anyObject = (random: () => number, depth = 0): Record<string, unknown> => {
	const object: Record<string, unknown> = {};
	for (let count = 1 + Math.floor(random() * 5); count > 0; count -= 1) {
		const name = random() < 0.5 ? pick(random, names) : anyString(random);
		Object.defineProperty(object, name, {value: anyValue(random, depth), enumerable: true, configurable: true, writable: true});
	}
	return object;
};
