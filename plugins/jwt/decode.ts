const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const values = new Map([...alphabet].map((letter, value) => [letter, value]));

export type Claims = {[name: string]: unknown};
export type Token = {header: Claims; payload: Claims};

const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The UTF-8 text behind base64url (RFC 4648, section 5); undefined when it is none. */
const textOf = (encoded: string): string | undefined => {
	let escaped = '';
	let bits = 0;
	let held = 0;
	for (const letter of encoded) {
		const value = values.get(letter);
		if (value === undefined) return undefined;
		held = ((held << 6) | value) & 0xffff;
		bits += 6;
		if (bits < 8) continue;
		bits -= 8;
		escaped += `%${((held >> bits) & 0xff).toString(16).padStart(2, '0')}`;
	}
	try {
		return decodeURIComponent(escaped);
	} catch {
		// Said by undefined: these bytes are not UTF-8.
		return undefined;
	}
};

const objectIn = (encoded: string): Claims | undefined => {
	const text = textOf(encoded);
	if (text === undefined) return undefined;
	try {
		const value: unknown = JSON.parse(text);
		return isObject(value) ? value : undefined;
	} catch {
		// Said by undefined: this is no JSON.
		return undefined;
	}
};

/** What a JWT (RFC 7519) says, whether or not it is true; undefined for what is none. */
export const decode = (token: string): Token | undefined => {
	const parts = token.split('.');
	if (parts.length !== 3) return undefined;
	const header = objectIn(parts[0]!);
	if (typeof header?.alg !== 'string') return undefined;
	const payload = objectIn(parts[1]!);
	return payload && {header, payload};
};

/** The claim at a path, of a token's own claims alone. */
export const claimAt = (claims: Claims, path: string | readonly string[]): unknown => {
	let value: unknown = claims;
	for (const step of typeof path === 'string' ? path.split('.') : path) {
		if (!isObject(value) || !Object.hasOwn(value, step)) return undefined;
		value = value[step];
	}
	return value;
};
