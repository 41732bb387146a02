const initial = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19] as const;

const isPrime = (number: number): boolean => {
	for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
	return true;
};

const rounds = (() => {
	const constants: number[] = [];
	for (let number = 2; constants.length < 64; number++) if (isPrime(number)) constants.push((Math.cbrt(number) * 2 ** 32) >>> 0);
	return Uint32Array.from(constants);
})();

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

const mix = (state: Uint32Array, view: DataView, at: number, words: Uint32Array): void => {
	for (let index = 0; index < 16; index++) words[index] = view.getUint32(at + index * 4);
	for (let index = 16; index < 64; index++) {
		const one = words[index - 15]!;
		const two = words[index - 2]!;
		words[index] =
			words[index - 16]! +
			words[index - 7]! +
			(turn(one, 7) ^ turn(one, 18) ^ (one >>> 3)) +
			(turn(two, 17) ^ turn(two, 19) ^ (two >>> 10));
	}
	let [a, b, c, d, e, f, g, h] = [state[0]!, state[1]!, state[2]!, state[3]!, state[4]!, state[5]!, state[6]!, state[7]!];
	for (let index = 0; index < 64; index++) {
		const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + rounds[index]! + words[index]!) | 0;
		const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
	}
	for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = state[index]! + word;
};

/** SHA-256 (FIPS 180-4), for which the sandbox has no other means. */
export const sha256 = (bytes: Uint8Array): Uint8Array => {
	const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
	padded.set(bytes);
	padded[bytes.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 4, bytes.length * 8);
	const state = Uint32Array.from(initial);
	const words = new Uint32Array(64);
	for (let at = 0; at < padded.length; at += 64) mix(state, view, at, words);
	const digest = new Uint8Array(32);
	const out = new DataView(digest.buffer);
	for (const [index, word] of state.entries()) out.setUint32(index * 4, word);
	return digest;
};

/** The UTF-16 units of a text, two bytes each: no two texts have the same. */
export const bytesOf = (text: string): Uint8Array => {
	const bytes = new Uint8Array(text.length * 2);
	const view = new DataView(bytes.buffer);
	for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index));
	return bytes;
};

const joined = (one: Uint8Array, other: Uint8Array): Uint8Array => {
	const bytes = new Uint8Array(one.length + other.length);
	bytes.set(one);
	bytes.set(other, one.length);
	return bytes;
};

/** HMAC-SHA-256 (RFC 2104). */
export const hmac = (key: Uint8Array, message: Uint8Array): Uint8Array => {
	const block = new Uint8Array(64);
	block.set(key.length > 64 ? sha256(key) : key);
	const inner = sha256(
		joined(
			block.map(byte => byte ^ 0x36),
			message,
		),
	);
	return sha256(
		joined(
			block.map(byte => byte ^ 0x5c),
			inner,
		),
	);
};
