import {isDate, last, luhn, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

const primes = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];

const colombian = (digits: string): boolean => {
	let sum = 0;
	for (let index = digits.length - 2; index >= 0; index--) sum += Number(digits[index]) * primes[digits.length - 2 - index]!;
	const rest = sum % 11;
	return (rest > 1 ? 11 - rest : rest) === last(digits);
};

const uruguayan = (digits: string): boolean => (10 - (weighted(digits.padStart(8, '0'), [2, 9, 8, 7, 6, 3, 4]) % 10)) % 10 === last(digits);

const employer = /\bfein\b|\bein\b|_ein\b|employer id|tax[ _-]?id/;

/** Numbers of American states, besides those in `elsewhere.ts`. */
export const american: readonly Rule[] = [
	{type: 'US_EIN', shape: /^\d{9}$/, length: [9, 9], written: /^\d\d-\d{7}$/, named: employer},
	{type: 'MX_RFC', shape: /^[A-Z]{4}\d{6}[A-Z\d]{2}[\dA]$/, length: [13, 13], check: compact => isDate(compact, 6, 8)},
	{type: 'MX_RFC', shape: /^[A-Z]{3}\d{6}[A-Z\d]{2}[\dA]$/, length: [12, 12], check: compact => isDate(compact, 5, 7), named: /\brfc\b/},
	{type: 'AR_DNI', shape: /^\d{7,8}$/, length: [7, 8], named: /\bdni\b[^\d]{0,15}$/},
	{type: 'CO_NIT', shape: /^\d{8,10}$/, length: [8, 10], check: colombian, named: /\bnit\b|_nit\b/},
	{type: 'DO_CEDULA', shape: /^\d{11}$/, length: [11, 11], written: /^\d{3}-\d{7}-\d$/, check: luhn},
	{type: 'DO_CEDULA', shape: /^\d{11}$/, length: [11, 11], check: luhn, named: /c[ée]dula/},
	{type: 'UY_CI', shape: /^\d{7,8}$/, length: [7, 8], written: /^\d?\.?\d{3}\.\d{3}-\d$/, check: uruguayan},
	{type: 'UY_CI', shape: /^\d{7,8}$/, length: [7, 8], check: uruguayan, named: /c[ée]dula|\bci\b/},
	{
		type: 'MEDICAL_LICENSE',
		shape: /^[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}$/,
		length: [9, 9],
		check: compact => weighted(compact.slice(2), [1, 2, 1, 2, 1, 2]) % 10 === last(compact),
		named: /\bdea\b|_dea|medical|prescri|certificate/,
		alone: true,
	},
];
