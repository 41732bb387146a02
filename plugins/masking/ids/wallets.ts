import {sha256} from '../sha256.ts';
import {isChecksummed} from './keccak.ts';

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

/** An address of Bitcoin and its like (base58check, bech32) whose checksum is right, or of Ethereum: in small letters, in capitals, or in both as EIP-55 says. */
export const isWallet = (word: string): boolean => {
	if (/^0x[\da-fA-F]{40}$/.test(word)) return isChecksummed(word.slice(2));
	if (/^(?:bc1|tb1|ltc1)[a-z\d]{20,80}$/.test(word)) return isBech32(word);
	return word.length >= 26 && word.length <= 35 && /^[13LMDt][1-9A-HJ-NP-Za-km-z]+$/.test(word) && isBase58Check(word);
};
