import {DIGIT, isKind, LOWER, UPPER, WORD} from './classes.ts';
import {type Found, open} from './found.ts';

/** Lengths by country, from SWIFT's list of IBAN formats. */
const formats =
	'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 ' +
	'FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
	'LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 ' +
	'SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30';

const lengths = new Map(formats.split(' ').map(entry => [entry.slice(0, 2), Number(entry.slice(2))]));

const isGap = (code: number) => code === 0x20 || code === 0x2d;

/** One more character of the row whose remainder by 97 is `rest`: digits count as they are, letters as 10 to 35. */
const addTo = (rest: number, code: number): number => (code < 0x3a ? rest * 10 + code - 0x30 : rest * 100 + (code & 0x5f) - 0x37) % 97;

/** ISO 7064 mod 97-10: the row with its first four characters moved to the end leaves 1. */
const checks = (text: string, start: number, rest: number): boolean => {
	let sum = rest;
	for (let index = start; index < start + 4; index++) {
		sum = addTo(sum, text.charCodeAt(index));
	}

	return sum === 1;
};

/** An account number whose country code starts at `start` and whose first check digit follows it. */
export const matchIban = (text: string, start: number, final: boolean): Found | undefined => {
	const upper = isKind(text, start, UPPER);
	const country = text.slice(start, start + 2);
	const length = lengths.get(upper ? country : country.toUpperCase());
	if (length === undefined || isKind(text, start - 1, WORD) || isKind(text, start + 1, upper ? LOWER : UPPER)) {
		return;
	}

	const letters = upper ? UPPER : LOWER;
	let rest = 0;
	let index = start + 2;
	for (let taken = 2; taken < length; index++) {
		if (index >= text.length) {
			return final ? undefined : open(start);
		}

		const code = text.charCodeAt(index);
		if (isKind(text, index, taken < 4 ? DIGIT : DIGIT | letters)) {
			rest = taken < 4 ? rest : addTo(rest, code);
			taken++;
		} else if (taken < 4 || !isGap(code) || isGap(text.charCodeAt(index - 1))) {
			return;
		}
	}

	if (index >= text.length && !final) {
		return open(start);
	}

	return !isKind(text, index, WORD) && checks(text, start, rest) ? {start, end: index, type: 'IBAN'} : undefined;
};
