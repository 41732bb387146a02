/** SHA-256 as in FIPS 180-4, and HMAC as in RFC 2104: a plugin's realm has no crypto of its own. */

/** The first 32 bits of the fractional parts of `root` of the first `count` primes (FIPS 180-4, 4.2.2 and 5.3.3). */
const fractions = (count: number, root: (prime: number) => number): Int32Array => {
	const words = new Int32Array(count);
	let found = 0;
	for (let candidate = 2; found < count; candidate++) {
		let divisor = 2;
		while (divisor * divisor <= candidate && candidate % divisor !== 0) divisor++;
		if (divisor * divisor <= candidate) continue;
		words[found++] = ((root(candidate) % 1) * 2 ** 32) | 0;
	}
	return words;
};

const roundWords = fractions(64, Math.cbrt);
const startWords = fractions(8, Math.sqrt);

const blockBytes = 64;

const rotated = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The message, a one bit, zeros, and its length in bits: whole blocks. */
const padded = (message: Uint8Array): DataView => {
	const bytes = new Uint8Array(Math.ceil((message.length + 9) / blockBytes) * blockBytes);
	bytes.set(message);
	bytes[message.length] = 0x80;
	const view = new DataView(bytes.buffer);
	view.setUint32(bytes.length - 8, Math.floor(message.length / 2 ** 29));
	view.setUint32(bytes.length - 4, message.length << 3);
	return view;
};

export const sha256 = (message: Uint8Array): Uint8Array => {
	const view = padded(message);
	const hash = startWords.slice();
	const words = new Int32Array(64);
	for (let block = 0; block < view.byteLength; block += blockBytes) {
		for (let at = 0; at < 16; at++) words[at] = view.getInt32(block + at * 4);
		for (let at = 16; at < 64; at++) {
			const [early, late] = [words[at - 15]!, words[at - 2]!];
			const first = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
			const second = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
			words[at] = (words[at - 16]! + first + words[at - 7]! + second) | 0;
		}
		let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
		for (let at = 0; at < 64; at++) {
			const choice = (e & f) ^ (~e & g);
			const majority = (a & b) ^ (a & c) ^ (b & c);
			const first = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + roundWords[at]! + words[at]!) | 0;
			const second = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority) | 0;
			[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
		}
		for (const [at, word] of [a, b, c, d, e, f, g, h].entries()) hash[at] = (hash[at]! + word) | 0;
	}
	const digest = new DataView(new ArrayBuffer(32));
	for (const [at, word] of hash.entries()) digest.setInt32(at * 4, word);
	return new Uint8Array(digest.buffer);
};

const joined = (first: Uint8Array, second: Uint8Array): Uint8Array => {
	const both = new Uint8Array(first.length + second.length);
	both.set(first);
	both.set(second, first.length);
	return both;
};

export const hmacSha256 = (key: Uint8Array, message: Uint8Array): Uint8Array => {
	const block = new Uint8Array(blockBytes);
	block.set(key.length > blockBytes ? sha256(key) : key);
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
