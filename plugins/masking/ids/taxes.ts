import {isOneDigit, last, luhn, mod1110, remainder, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

const eleven = (digits: string, weights: readonly number[]): boolean => (weighted(digits, weights) % 11) % 10 === last(digits);

const downTo = (digits: string, weights: readonly number[]): boolean => {
	const rest = 11 - (weighted(digits, weights) % 11);
	return (rest > 9 ? 0 : rest) === last(digits);
};

const portuguese = (digits: string): boolean => downTo(digits, [9, 8, 7, 6, 5, 4, 3, 2]);

const british = (digits: string): boolean => {
	const sum = weighted(digits, [8, 7, 6, 5, 4, 3, 2]) + Number(digits.slice(7, 9));
	return sum % 97 === 0 || (sum + 55) % 97 === 0;
};

const austrian = (digits: string): boolean => {
	let sum = 4;
	for (let index = 0; index < 7; index++) {
		const product = Number(digits[index]) * (index % 2 === 0 ? 1 : 2);
		sum += Math.floor(product / 10) + (product % 10);
	}
	return (10 - (sum % 10)) % 10 === last(digits);
};

const french = (digits: string): boolean => (12 + 3 * remainder(digits.slice(2), 97)) % 97 === Number(digits.slice(0, 2));

/** Of a few countries only how long the number is. */
const vats: Readonly<Record<string, (digits: string) => boolean>> = {
	AT: digits => digits.length === 8 && austrian(digits),
	BE: digits => digits.length === 10 && 97 - remainder(digits.slice(0, 8), 97) === Number(digits.slice(8)),
	BG: digits => digits.length === 9 || digits.length === 10,
	CY: digits => digits.length === 8,
	CZ: digits => digits.length > 7 && digits.length < 11,
	DE: digits => digits.length === 9 && mod1110(digits),
	DK: digits => digits.length === 8 && weighted(digits, [2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
	EE: digits => digits.length === 9 && weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
	EL: digits => digits.length === 9 && eleven(digits, [256, 128, 64, 32, 16, 8, 4, 2]),
	FI: digits => digits.length === 8 && weighted(digits, [7, 9, 10, 5, 8, 4, 2, 1]) % 11 === 0,
	FR: digits => digits.length === 11 && french(digits),
	GB: digits => (digits.length === 9 || digits.length === 12) && british(digits),
	HR: digits => digits.length === 11 && mod1110(digits),
	HU: digits => digits.length === 8 && weighted(digits, [9, 7, 3, 1, 9, 7, 3, 1]) % 10 === 0,
	IE: digits => digits.length === 7,
	IT: digits => digits.length === 11 && luhn(digits),
	LT: digits => digits.length === 9 || digits.length === 12,
	LU: digits => digits.length === 8 && remainder(digits.slice(0, 6), 89) === Number(digits.slice(6)),
	LV: digits => digits.length === 11,
	MT: digits => digits.length === 8 && weighted(digits, [3, 4, 6, 7, 8, 9, 10, 1]) % 37 === 0,
	NL: digits => digits.length === 11,
	PL: digits => digits.length === 10 && eleven(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]),
	PT: digits => digits.length === 9 && portuguese(digits),
	RO: digits => digits.length > 1 && digits.length < 11,
	SE: digits => digits.length === 12 && luhn(digits.slice(0, 10)),
	SI: digits => digits.length === 8 && downTo(digits, [8, 7, 6, 5, 4, 3, 2]),
	SK: digits => digits.length === 10 && remainder(digits, 11) === 0,
};

const vat = (compact: string): boolean => {
	const digits = compact.slice(2).replace(/[A-Z]/g, '');
	return !isOneDigit(digits) && (vats[compact.slice(0, 2)]?.(digits) ?? false);
};

const vatShape = /^[A-Z]{2}U?[\dA-Z]?\d{5,11}(?:[A-Z]{1,2}|B\d\d)?$/;

const named = /\bvat\b|_vat\b|ust\.?-?id|umsatzsteuer|\btva\b|p\.? ?iva|\bbtw\b|\bmoms\b|mwst|\bnip\b|\bdph\b|tax id/;

const utr = (digits: string): boolean => '21987654321'[weighted(digits, [0, 6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11] === digits.charAt(0);

/** Letters count as 10 to 35, and what is doubled past nine loses nine. */
const citizen = (compact: string): boolean => {
	let sum = 0;
	for (let index = 0; index < 12; index++) {
		const value = Number.parseInt(compact.charAt(index), 36) * (index % 2 === 0 ? 2 : 1);
		sum += index % 2 === 0 && value > 9 ? value - 9 : value;
	}
	return sum % 10 === 0;
};

const austrianInsurance = (digits: string): boolean =>
	weighted(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(digits[3]) && Number(digits.slice(4, 6)) < 32;

const icelandic = (digits: string): boolean => weighted(digits, [3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && /[089]$/.test(digits);

/** Tax numbers of Europe, and the rest of its west. */
export const taxes: readonly Rule[] = [
	{type: 'VAT', shape: vatShape, length: [8, 16], check: vat, named},
	{type: 'IT_VAT_CODE', shape: /^\d{11}$/, length: [11, 11], check: digits => luhn(digits) && !isOneDigit(digits), named, alone: true},
	{type: 'IT_FISCAL_CODE', shape: /^\d{11}$/, length: [11, 11], check: luhn, named: /codice fiscale|fiscal code|fiscal_code/},
	{type: 'UK_UTR', shape: /^\d{10}$/, length: [10, 10], check: utr, named: /\butr\b|_utr|taxpayer ref/},
	{type: 'UK_TRN', shape: /^\d{2}[A-Z]\d{5}$/, length: [8, 8], named: /\btrn\b|_trn|temporary ref/, alone: true},
	{type: 'PT_NIF', shape: /^[1235689]\d{8}$/, length: [9, 9], check: portuguese, named: /\bnif\b|_nif|contribuinte/},
	{type: 'PT_CC', shape: /^\d{9}[A-Z\d]{2}\d$/, length: [12, 12], written: /^\d{8} \d [A-Z\d]{2}\d$/, check: citizen},
	{type: 'PT_CC', shape: /^\d{9}[A-Z\d]{2}\d$/, length: [12, 12], check: citizen, named: /cart[ãa]o de cidad|\bcc\b|_cc\b/},
	{type: 'AT_VNR', shape: /^[1-9]\d{9}$/, length: [10, 10], written: /^\d{4} \d{6}$/, check: austrianInsurance},
	{
		type: 'AT_VNR',
		shape: /^[1-9]\d{9}$/,
		length: [10, 10],
		check: austrianInsurance,
		named: /svnr|sv-?n(?:umme)?r|sozialversicherung|\bvnr\b|_vnr/,
	},
	{type: 'IS_KENNITALA', shape: /^[0-7]\d{9}$/, length: [10, 10], check: icelandic, named: /kennitala|\bkt\b/},
	{
		type: 'DE_LANR',
		shape: /^\d{9}$/,
		length: [9, 9],
		check: digits => (10 - (weighted(digits, [4, 9, 4, 9, 4, 9]) % 10)) % 10 === Number(digits[6]),
		named: /\blanr\b|arztnummer/,
	},
];
