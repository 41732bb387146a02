import {isDate, isDay, last, luhn, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

/** Twenty is added to the months of one century, forty to those of another. */
const bulgarian = (digits: string): boolean =>
	(weighted(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === last(digits) &&
	isDay(Number(digits.slice(2, 4)) % 20, Number(digits.slice(4, 6)));

const latvian = (digits: string): boolean => ((1 + weighted(digits, [10, 5, 8, 4, 2, 1, 6, 3, 7, 9])) % 11) % 10 === last(digits);

/** The number of people of what was Yugoslavia. */
const jmbg = (digits: string): boolean =>
	((11 - (weighted(digits, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11) % 10 === last(digits) && isDate(digits, 2, 0);

const ukrainian = (digits: string): boolean => (((weighted(digits, [-1, 5, 7, 9, 4, 6, 10, 5, 7]) % 11) + 11) % 11) % 10 === last(digits);

const russian = (digits: string): boolean =>
	(weighted(digits, [7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === Number(digits[10]) &&
	(weighted(digits, [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8]) % 11) % 10 === last(digits);

const snils = (digits: string): boolean =>
	(weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101) % 100 === Number(digits.slice(9)) && !digits.startsWith('000');

const greekTax = (digits: string): boolean =>
	(weighted(digits, [256, 128, 64, 32, 16, 8, 4, 2]) % 11) % 10 === last(digits) && digits !== '000000000';

/** Numbers of states of the east and south-east of Europe, besides those in `europe.ts`. */
export const easternEuropean: readonly Rule[] = [
	{type: 'BG_EGN', shape: /^\d{10}$/, length: [10, 10], check: bulgarian, named: /\begn\b|_egn|егн/, alone: true},
	{type: 'LV_PK', shape: /^[0-3]\d{10}$/, length: [11, 11], written: /^\d{6}-\d{5}$/, check: latvian},
	{type: 'LV_PK', shape: /^[0-3]\d{10}$/, length: [11, 11], check: latvian, named: /\bpk\b|_pk\b|personas kod/},
	{
		type: 'BA_JMBG',
		shape: /^[0-3]\d{12}$/,
		length: [13, 13],
		written: /^\d+$/,
		check: jmbg,
		named: /jmbg|emšo|emso|embg|јмбг|ембг|mati[čc]ni broj/,
		alone: true,
	},
	{type: 'UA_RNTRC', shape: /^\d{10}$/, length: [10, 10], check: ukrainian, named: /rntrc|\bipn\b|рнокпп|іпн/},
	{type: 'RU_INN', shape: /^\d{12}$/, length: [12, 12], check: russian, named: /\binn\b|инн/},
	{type: 'RU_SNILS', shape: /^\d{11}$/, length: [11, 11], written: /^\d{3}-\d{3}-\d{3}[ -]\d\d$/, check: snils},
	{type: 'RU_SNILS', shape: /^\d{11}$/, length: [11, 11], check: snils, named: /snils|снилс/},
	{
		type: 'GR_AMKA',
		shape: /^[0-3]\d{10}$/,
		length: [11, 11],
		check: digits => luhn(digits) && isDate(digits, 2, 0),
		named: /\bamka\b|_amka|αμκα/,
		alone: true,
	},
	{type: 'GR_VAT', shape: /^\d{9}$/, length: [9, 9], check: greekTax, named: /\bafm\b|αφμ|\bgr vat/},
];
