import {isDate, isDay, last, luhn, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

const singapore = (compact: string): boolean => {
	const first = compact.charAt(0);
	const sum = weighted(compact.slice(1), [2, 7, 6, 5, 4, 3, 2]) + (first === 'T' || first === 'G' ? 4 : first === 'M' ? 3 : 0);
	const letters = first === 'S' || first === 'T' ? 'JZIHGFEDCBA' : first === 'M' ? 'XWUTRQPNJLK' : 'XWUTRQPNMLK';
	return letters[sum % 11] === compact.at(-1);
};

/** The first letter counts as the two digits of its place, from 10 on. */
const taiwanese = (compact: string): boolean => {
	const place = 10 + 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(compact.charAt(0));
	const sum = Math.floor(place / 10) + (place % 10) * 9 + weighted(compact.slice(1), [8, 7, 6, 5, 4, 3, 2, 1, 1]);
	return sum % 10 === 0;
};

const myNumber = (digits: string): boolean => {
	const rest = weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
	return (rest <= 1 ? 0 : 11 - rest) === last(digits);
};

const koreanBusiness = (digits: string): boolean => {
	const sum = weighted(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((Number(digits[8]) * 5) / 10);
	return (10 - (sum % 10)) % 10 === last(digits);
};

/** Forty is added to the day of women. */
const indonesian = (digits: string): boolean => isDay(Number(digits.slice(8, 10)), Number(digits.slice(6, 8)) % 40);

const korean = /^(?:1[1-9]|2[0-8])\d{10}$/;

/** Numbers of Asian and Pacific states, besides those in `elsewhere.ts`. */
export const asian: readonly Rule[] = [
	{type: 'SG_NRIC_FIN', shape: /^[STFGM]\d{7}[A-Z]$/, length: [9, 9], check: singapore},
	{type: 'SG_NRIC_FIN', shape: /^[STFGM]\d{7}[A-Z]$/, length: [9, 9], named: /\bnric\b|\bfin\b|_nric/, alone: true},
	{type: 'SG_UEN', shape: /^[TSR]\d\d[A-Z]{2}\d{4}[A-Z]$/, length: [10, 10], named: /\buen\b|_uen/, alone: true},
	{type: 'SG_UEN', shape: /^\d{8,9}[A-Z]$/, length: [9, 10], named: /\buen\b|_uen/},
	{type: 'HK_HKID', shape: /^[A-Z]{1,2}\d{6}[\dA]?$/, length: [7, 9], named: /hkid|hong kong id|香港身份/},
	{type: 'TW_ID', shape: /^[A-Z][1289]\d{8}$/, length: [10, 10], check: taiwanese, named: /taiwan|身分證|\btw[ _]id/},
	{type: 'JP_MY_NUMBER', shape: /^\d{12}$/, length: [12, 12], check: myNumber, named: /my ?number|マイナンバー|個人番号/},
	{
		type: 'MY_NRIC',
		shape: /^\d{12}$/,
		length: [12, 12],
		written: /^\d{6}-\d\d-\d{4}$/,
		check: digits => isDate(digits, 2, 4),
	},
	{type: 'MY_NRIC', shape: /^\d{12}$/, length: [12, 12], check: digits => isDate(digits, 2, 4), named: /mykad|nric|\bic (?:no|number)/},
	{type: 'ID_NIK', shape: /^[1-9]\d{15}$/, length: [16, 16], check: indonesian, named: /\bnik\b|\bktp\b/},
	{type: 'KR_BRN', shape: /^\d{10}$/, length: [10, 10], written: /^\d{3}-\d\d-\d{5}$/, check: koreanBusiness},
	{type: 'KR_BRN', shape: /^\d{10}$/, length: [10, 10], check: koreanBusiness, named: /\bbrn\b|_brn|사업자/, alone: true},
	{type: 'KR_DRIVER_LICENSE', shape: korean, length: [12, 12], written: /^\d\d-\d\d-\d{6}-\d\d$/},
	{type: 'KR_DRIVER_LICENSE', shape: korean, length: [12, 12], written: /^\d\d \d\d \d{6} \d\d$/, named: /licen[sc]e|면허/, alone: true},
	{type: 'KR_DRIVER_LICENSE', shape: korean, length: [12, 12], named: /driver[a-z' ]* licen[sc]e|운전면허/},
	{type: 'IN_VOTER', shape: /^[A-Z]{3}\d{7}$/, length: [10, 10], named: /\bvoter?\b|\bepic\b|_voter/},
	{
		type: 'NZ_IRD',
		shape: /^\d{8,9}$/,
		length: [8, 9],
		check: digits => {
			const padded = digits.padStart(9, '0');
			const first = weighted(padded, [3, 2, 7, 6, 5, 4, 3, 2]) % 11;
			const rest = first === 1 ? weighted(padded, [7, 4, 3, 2, 5, 2, 7, 6]) % 11 : first;
			return (rest === 0 ? 0 : 11 - rest) === last(digits);
		},
		named: /\bird\b|inland revenue/,
	},
	{type: 'CA_BN', shape: /^\d{9}$/, length: [9, 9], check: luhn, named: /business number|\bbn\b|_bn\b/},
];
