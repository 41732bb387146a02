const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 as in RFC 4648, with its padding. */
export const base64 = (bytes: Uint8Array): string => {
	let text = '';
	for (let at = 0; at < bytes.length; at += 3) {
		const [first, second, third] = [bytes[at]!, bytes[at + 1], bytes[at + 2]];
		const group = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
		text += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!;
		text += (second === undefined ? '=' : alphabet[(group >> 6) & 63]!) + (third === undefined ? '=' : alphabet[group & 63]!);
	}
	return text;
};

/** Undefined when it is no base64. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
	if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
	const digits = text.replace(/=+$/, '');
	const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
	let bits = 0;
	let left = 0;
	let at = 0;
	for (const digit of digits) {
		bits = ((bits << 6) | alphabet.indexOf(digit)) & 0xff_ffff;
		left += 6;
		if (left < 8) continue;
		left -= 8;
		bytes[at++] = (bits >> left) & 0xff;
	}
	return bytes;
};

/** UTF-8; half a character becomes U+FFFD, as it does on the wire. */
export const utf8 = (text: string): Uint8Array => {
	const bytes: number[] = [];
	for (const character of text.toWellFormed()) {
		const point = character.codePointAt(0)!;
		if (point < 0x80) bytes.push(point);
		else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
		else if (point < 0x1_0000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
		else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
	}
	return Uint8Array.from(bytes);
};
