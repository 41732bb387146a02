import type {Value} from './isolate.ts';

/**
 * isolated-vm copies a string of 1,024 bytes or more into an external one: allocated apart, freed late, and slow to read
 * (measured: 8.6 µs at 2 KB, and 2 KB of memory each until a limit forces a collection; in pieces 1.5 µs and none).
 */
const asciiChars = 1_023;
const wideChars = 511;
/** Beyond this, the pieces cost more than the one external string. */
const mostChars = 131_072;

const mark = '\u0002';

const isLong = (value: Value): value is string =>
	typeof value === 'string' && ((value.length > wideChars && value.length <= mostChars) || value.startsWith(mark));

/**
 * The values as they cross: a long string is replaced by where its pieces stand behind the others and how many they are,
 * `STX start , count`; so is any string that begins with STX itself. The dispatcher puts them together.
 */
export const inPieces = (values: readonly Value[]): readonly Value[] => {
	if (!values.some(isLong)) return values;
	const crossing = [...values];
	for (const [index, value] of values.entries()) {
		if (!isLong(value)) continue;
		const size = Buffer.byteLength(value) === value.length ? asciiChars : wideChars;
		const start = crossing.length;
		if (value.length > mostChars) crossing.push(value);
		else for (let at = 0; at < value.length; at += size) crossing.push(value.slice(at, at + size));
		crossing[index] = `${mark}${start},${crossing.length - start}`;
	}
	return crossing;
};
