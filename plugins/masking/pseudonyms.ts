import {luhn} from './ids/checks.ts';
import {bytesOf, hmac} from './sha256.ts';

/** Numbers below a bound that only who knows the seed can tell. */
export type Draw = (below: number) => number;

const utf16 = (text: string): Uint8Array => bytesOf(text);

/** What a session of somebody draws its pseudonyms from; `secret` never leaves the gateway, and neither does this. */
export const seedOf = (secret: string, owner: string, session: string): string =>
	Array.from(hmac(utf16(secret), utf16(`${owner.length} ${owner} ${session}`)), byte => byte.toString(16).padStart(2, '0')).join('');

const drawing = (seed: string, label: string): Draw => {
	const key = utf16(seed);
	let block = hmac(key, utf16(`0 ${label}`));
	let count = 0;
	let at = 0;
	return below => {
		if (at === 32) {
			count++;
			block = hmac(key, utf16(`${count} ${label}`));
			at = 0;
		}
		const number = new DataView(block.buffer).getUint32(at);
		at += 4;
		return number % below;
	};
};

const drawn = (draw: Draw, letters: string, length: number): string =>
	Array.from({length}, () => letters.charAt(draw(letters.length))).join('');

const digits = (draw: Draw, length: number): string => drawn(draw, '0123456789', length);

/** `written` with other digits and letters in place of its own, one by one; everything else stays. */
const poured = (written: string, characters: string): string => {
	let next = 0;
	return written.replace(/[\dA-Za-z]/g, old => {
		const now = characters.charAt(next++);
		return old >= 'a' && old <= 'z' ? now.toLowerCase() : now;
	});
};

const bare = (value: string): string => value.replace(/[^\dA-Za-z]/g, '').toUpperCase();

/** RFC 2606: these domains belong to nobody. */
const email = (draw: Draw): string =>
	`${drawn(draw, 'abcdefghijklmnopqrstuvwxyz', 1)}${drawn(draw, 'abcdefghijklmnopqrstuvwxyz234567', 9)}@example.${['com', 'net', 'org'][draw(3)]}`;

/** Beginnings of the numbers that card networks publish for tests. */
const testCards: Readonly<Record<number, string>> = {14: '305693', 15: '378282'};

const card = (draw: Draw, value: string): string => {
	const old = bare(value);
	const start = testCards[old.length] ?? (old.startsWith('5') ? '555555' : '400000');
	const head = start + digits(draw, old.length - start.length - 1);
	for (const last of '0123456789') if (luhn(head + last)) return poured(value, head + last);
	return value;
};

/** Of the European registries and others, the country's letters stay, and no bank has the code of zeros. */
const iban = (draw: Draw, value: string): string => {
	const old = bare(value);
	const body = [...old.slice(4)]
		.map((character, index) => {
			const letter = character > '9';
			if (index < 4) return letter ? 'X' : '0';
			return letter ? drawn(draw, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 1) : digits(draw, 1);
		})
		.join('');
	let rest = 0;
	for (const character of `${body}${old.slice(0, 2)}00`) {
		const number = Number.parseInt(character, 36);
		rest = (number > 9 ? rest * 100 + number : rest * 10 + number) % 97;
	}
	return poured(value, old.slice(0, 2) + String(98 - rest).padStart(2, '0') + body);
};

const twoDigitCodes = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/;

const codeLength = (number: string): number => (/^[17]/.test(number) ? 1 : twoDigitCodes.test(number) ? 2 : 3);

/** Country and area stay. In North America 555-01xx follows, which is for fiction; elsewhere a zero, with which no line begins. */
const phone = (draw: Draw, value: string): string => {
	const old = value.replace(/\D/g, '');
	const abroad = value.includes('+') ? 0 : old.startsWith('00') ? 2 : -1;
	const code = abroad === -1 ? 0 : abroad + codeLength(old.slice(abroad));
	const american = abroad === -1 ? /^1?[2-9]\d{9}$/.test(old) : old.charAt(abroad) === '1' && old.length === abroad + 11;
	const area = american ? old.length - 7 : Math.min(old.length - 4, code + 2);
	const kept = old.slice(0, Math.max(0, area));
	const now = american ? `${kept}55501${digits(draw, 2)}` : `${kept}0${digits(draw, old.length - kept.length - 1)}`;
	let next = 0;
	return value.replace(/\d/g, () => now.charAt(next++));
};

/** No number begins with 666. */
const social = (draw: Draw, value: string): string =>
	poured(value, `666${String(1 + draw(99)).padStart(2, '0')}${String(1 + draw(9_999)).padStart(4, '0')}`);

/** Addresses for measurements (RFC 2544) and for documents (RFC 3849). */
const ip = (draw: Draw, value: string): string =>
	value.includes(':')
		? `2001:db8::${(1 + draw(65_535)).toString(16)}:${(1 + draw(65_535)).toString(16)}`
		: `198.${18 + draw(2)}.${draw(256)}.${1 + draw(254)}`;

/** Numbers that whoever runs a network gives out, and no maker of devices. */
const mac = (draw: Draw, value: string): string => poured(value, `02${drawn(draw, '0123456789ABCDEF', 10)}`);

/** A day within four years, written in the same way; it reads as a day in either order. */
const day = (draw: Draw, value: string): string => {
	const parts = value.split(/[^\d]/);
	const now = parts.map(part => {
		if (part.length === 4) return String(Number(part) + [-4, -3, -2, -1, 1, 2, 3, 4][draw(8)]!);
		return part.length === 1 ? String(1 + draw(9)) : String(1 + draw(12)).padStart(2, '0');
	});
	return poured(value, now.join(''));
};

/** Digits for digits and letters for letters; a number that begins with no zero still does not. */
const alike = (draw: Draw, value: string): string =>
	value
		.replace(/\d/g, (old, at: number) => (at === 0 && old !== '0' ? String(1 + draw(9)) : String(draw(10))))
		.replace(/[A-Z]/g, () => drawn(draw, 'ABCDEFGHJKLMNPQRSTUVWXYZ', 1))
		.replace(/[a-z]/g, () => drawn(draw, 'abcdefghijkmnpqrstuvwxyz', 1));

const makers: Readonly<Record<string, (draw: Draw, value: string) => string>> = {
	EMAIL: email,
	CARD: card,
	IBAN: iban,
	PHONE: phone,
	US_SSN: social,
	IP: ip,
	MAC: mac,
	DOB: day,
};

/** A key or the address of a wallet that somebody might use is worse than none. */
const none = new Set(['API_KEY', 'CRYPTO']);

/**
 * Another value of the same form that belongs to nobody: the same for the same seed, type, value and attempt, and without the seed nothing
 * tells which value it stands for. Undefined for types that have none, and for values in letters or digits that are not ASCII.
 */
export const pseudonymOf = (seed: string, type: string, value: string, attempt = 0): string | undefined => {
	if (none.has(type) || !/^[\x20-\x7e]+$/.test(value)) return;
	const draw = drawing(seed, `${attempt} ${type} ${type === 'EMAIL' ? value.toLowerCase() : bare(value)}`);
	return (makers[type] ?? alike)(draw, value);
};
