/** Every needle begins with so many characters. */
export const headChars = 12;

const base = 0x0100_0193;

/** `base` to the power of `headChars`, in 32 bits. */
const leaving = Array.from({length: headChars}).reduce((product: number) => Math.imul(product, base), 1);

/** By character code: letters and digits in lower case, and the characters of base64, both ways of writing it; 0 for every other. */
const letterOf = new Uint8Array(128);
const base64Of = new Uint8Array(128);
for (let code = 48; code < 123; code++) {
	const character = String.fromCharCode(code);
	if (!/[A-Za-z0-9]/.test(character)) continue;
	letterOf[code] = character.toLowerCase().charCodeAt(0);
	base64Of[code] = code;
}
for (const [written, read] of ['++', '-+', '//', '_/'].map(([written = '', read = '']) => [written.charCodeAt(0), read.charCodeAt(0)]))
	base64Of[written!] = read!;

const hashOf = (head: string): number => {
	let hash = 0;
	for (let index = 0; index < headChars; index++) hash = (Math.imul(hash, base) + head.charCodeAt(index)) | 0;
	return hash;
};

/** How needles begin, in numbers; a table says of most others at once that they are none of them. */
type Hashes = {readonly all: ReadonlySet<number>; readonly table: Uint8Array};
export type Heads = {readonly letters: Hashes; readonly base64: Hashes};

const slots = 0xfff;
const slotOf = (hash: number): number => (hash ^ (hash >>> 15)) & slots;

const hashesOf = (needles: readonly string[]): Hashes => {
	const all = new Set(needles.map(hashOf));
	const table = new Uint8Array(slots + 1);
	for (const hash of all) table[slotOf(hash)] = 1;
	return {all, table};
};

export const headsOf = (letters: readonly string[], base64: readonly string[]): Heads => ({
	letters: hashesOf(letters),
	base64: hashesOf(base64),
});

/**
 * Whether a text may hold a needle: in one pass, and without a copy of the text. It never says no where there is one.
 * The hash rolls as in R. Karp, M. Rabin: Efficient randomized pattern-matching algorithms (1987).
 */
export const mayHold = (text: string, {letters, base64}: Heads): boolean => {
	const {table: letterTable} = letters;
	const {table: base64Table} = base64;
	const lastLetters = new Uint8Array(headChars);
	const lastBase64 = new Uint8Array(headChars);
	let letterHash = 0;
	let letterAt = 0;
	let base64Hash = 0;
	let base64At = 0;
	for (let index = 0; index < text.length; index++) {
		const code = text.charCodeAt(index);
		if (code > 127) continue;
		const letter = letterOf[code]!;
		if (letter !== 0) {
			letterHash = (Math.imul(letterHash, base) + letter - Math.imul(lastLetters[letterAt]!, leaving)) | 0;
			lastLetters[letterAt] = letter;
			letterAt = letterAt === headChars - 1 ? 0 : letterAt + 1;
			if (letterTable[slotOf(letterHash)] === 1 && letters.all.has(letterHash)) return true;
		}
		const digit = base64Of[code]!;
		if (digit === 0) continue;
		base64Hash = (Math.imul(base64Hash, base) + digit - Math.imul(lastBase64[base64At]!, leaving)) | 0;
		lastBase64[base64At] = digit;
		base64At = base64At === headChars - 1 ? 0 : base64At + 1;
		if (base64Table[slotOf(base64Hash)] === 1 && base64.all.has(base64Hash)) return true;
	}
	return false;
};
