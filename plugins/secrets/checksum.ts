const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const table = Uint32Array.from({length: 256}, (_, byte) => {
	let rest = byte;
	for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb8_8320 : rest >>> 1;
	return rest;
});

const crc32 = (text: string): number => {
	let rest = 0xffff_ffff;
	for (let index = 0; index < text.length; index++) rest = table[(rest ^ text.charCodeAt(index)) & 255]! ^ (rest >>> 8);
	return (rest ^ 0xffff_ffff) >>> 0;
};

/** The six characters that GitHub and npm put behind the thirty random ones of a key: their CRC32 in base 62. */
export const base62Check = (body: string): string => {
	let rest = crc32(body);
	let written = '';
	for (let place = 0; place < 6; place++) {
		written = digits[rest % 62] + written;
		rest = Math.floor(rest / 62);
	}
	return written;
};

const checked = new Set(['github-pat', 'github-oauth', 'github-user', 'github-server', 'github-refresh', 'npm']);

/** Whether a key of a kind that carries a checksum has the right one; keys without are never sure. */
export const checks = (kind: string, body: string): boolean =>
	checked.has(kind) && body.length === 36 && base62Check(body.slice(0, 30)) === body.slice(30);
