const initial = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

const isPrime = (number: number): boolean => {
	for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
	return true;
};

const rounds = (() => {
	const constants: number[] = [];
	for (let number = 2; constants.length < 64; number++) if (isPrime(number)) constants.push((Math.cbrt(number) * 2 ** 32) >>> 0);
	return constants;
})();

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** SHA-256 of at most 55 bytes, for which the sandbox has no other means. */
const sha256 = (bytes: Uint8Array): Uint8Array => {
	const block = new Uint8Array(64);
	block.set(bytes);
	block[bytes.length] = 0x80;
	const words = new Uint32Array(64);
	const view = new DataView(block.buffer);
	view.setUint32(60, bytes.length * 8);
	for (let index = 0; index < 16; index++) words[index] = view.getUint32(index * 4);
	for (let index = 16; index < 64; index++) {
		const one = words[index - 15]!;
		const two = words[index - 2]!;
		words[index] =
			words[index - 16]! +
			words[index - 7]! +
			(turn(one, 7) ^ turn(one, 18) ^ (one >>> 3)) +
			(turn(two, 17) ^ turn(two, 19) ^ (two >>> 10));
	}
	let [a, b, c, d, e, f, g, h] = initial as [number, number, number, number, number, number, number, number];
	for (let index = 0; index < 64; index++) {
		const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + rounds[index]! + words[index]!) | 0;
		const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
	}
	const digest = new Uint8Array(32);
	const out = new DataView(digest.buffer);
	for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) out.setUint32(index * 4, initial[index]! + word);
	return digest;
};

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The 25 bytes of an address in base 58, undefined where it is none. */
const bytesOf = (text: string): Uint8Array | undefined => {
	const bytes = new Uint8Array(25);
	for (const character of text) {
		let carry = base58.indexOf(character);
		if (carry < 0) return;
		for (let index = 24; index >= 0; index--) {
			carry += bytes[index]! * 58;
			bytes[index] = carry & 255;
			carry >>= 8;
		}
		if (carry > 0) return;
	}
	return bytes;
};

const isBase58Check = (text: string): boolean => {
	const bytes = bytesOf(text);
	if (bytes === undefined) return false;
	const sum = sha256(sha256(bytes.subarray(0, 21)));
	return [0, 1, 2, 3].every(index => sum[index] === bytes[21 + index]);
};

const bech32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** BIP 173 and BIP 350. */
const isBech32 = (text: string): boolean => {
	const mark = text.lastIndexOf('1');
	const prefix = text.slice(0, mark);
	let check = 1;
	const add = (value: number) => {
		const top = check >>> 25;
		check = ((check & 0x1ffffff) << 5) ^ value;
		for (const [bit, generator] of generators.entries()) if ((top >> bit) & 1) check ^= generator;
	};
	for (const character of prefix) add(character.charCodeAt(0) >> 5);
	add(0);
	for (const character of prefix) add(character.charCodeAt(0) & 31);
	for (const character of text.slice(mark + 1)) {
		const value = bech32.indexOf(character);
		if (value < 0) return false;
		add(value);
	}
	return check === 1 || check === 0x2bc830a3;
};

/** An address of Bitcoin and its like (base58check, bech32) whose checksum is right, or of Ethereum. */
export const isWallet = (word: string): boolean => {
	if (/^0x[\da-fA-F]{40}$/.test(word)) return true;
	if (/^(?:bc1|tb1|ltc1)[a-z\d]{20,80}$/.test(word)) return isBech32(word);
	return word.length >= 26 && word.length <= 35 && /^[13LMDt][1-9A-HJ-NP-Za-km-z]+$/.test(word) && isBase58Check(word);
};
