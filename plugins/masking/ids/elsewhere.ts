import {brazilian, isDate, isOneDigit, last, luhn, verhoeff, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

const states = 'AS BC BS CC CL CM CS CH DF CX DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE'.split(' ');

const curp = (compact: string): boolean => {
	let sum = 0;
	for (let index = 0; index < 17; index++) sum += '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'.indexOf(compact.charAt(index)) * (18 - index);
	return (10 - (sum % 10)) % 10 === last(compact) && isDate(compact, 6, 8) && states.includes(compact.slice(11, 13));
};

const chinese = (compact: string): boolean =>
	'10X98765432'[weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]) % 11] === compact.at(-1) &&
	isDate(compact, 10, 12);

const routing = (digits: string): boolean =>
	weighted(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0 && /^(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits);

const turkish = (digits: string): boolean => {
	const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
	const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
	const tenth = (((odd * 7 - even) % 10) + 10) % 10;
	return tenth === Number(digits[9]) && (odd + even + tenth) % 10 === last(digits);
};

const thai = (digits: string): boolean => (11 - (weighted(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === last(digits);

const rut = (compact: string): boolean => {
	const digits = compact.slice(0, -1).padStart(8, '0');
	return '0K987654321'[weighted(digits, [3, 2, 7, 6, 5, 4, 3, 2]) % 11] === compact.at(-1);
};

const cuit = (digits: string): boolean => (11 - (weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === last(digits);

const abn = (digits: string): boolean => (weighted(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0;

const acn = (digits: string): boolean => (10 - (weighted(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === last(digits);

const ecuadorian = (digits: string): boolean =>
	luhn(digits) && Number(digits.slice(0, 2)) >= 1 && Number(digits.slice(0, 2)) <= 24 && Number(digits[2]) < 6;

const mbi = '[AC-HJKMNP-RT-Y]';
const mbiShape = new RegExp(`^[1-9]${mbi}(?:\\d|${mbi})\\d${mbi}(?:\\d|${mbi})\\d${mbi}${mbi}\\d\\d$`);

const resident = (digits: string): boolean => isDate(digits, 2, 4);

const medicare = (digits: string): boolean => weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8]);

/** Numbers of devices and banks, and of states outside Europe. */
export const elsewhere: readonly Rule[] = [
	{type: 'IMEI', shape: /^\d{15}$/, length: [15, 15], check: luhn, named: /imei/},
	{type: 'IMEI', shape: /^(?:01|35|44|45|49|5[0-4]|86|9[189])\d{13}$/, length: [15, 15], check: luhn, alone: true, named: /device|handset/},
	{type: 'IMEI', shape: /^(?:\d{14}|\d{16})$/, length: [14, 16], written: /^\d\d-\d{6}-\d{6}(?:-\d\d)?$|^\d{8}-\d{6}-\d\d$/, named: /imei/},
	{type: 'ABA_ROUTING', shape: /^\d{9}$/, length: [9, 9], check: routing, named: /routing|\baba\b|_aba|\brtn\b/, alone: true},
	{type: 'US_ITIN', shape: /^9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/, length: [9, 9], written: /^9\d\d[- ][5-9]\d[- ]\d{4}$/},
	{type: 'US_MBI', shape: mbiShape, length: [11, 11]},
	{
		type: 'US_NPI',
		shape: /^[12]\d{9}$/,
		length: [10, 10],
		check: digits => luhn(`80840${digits}`) && !isOneDigit(digits.slice(0, 9)),
		named: /\bnpi\b|_npi|provider/,
		alone: true,
	},
	{
		type: 'CA_SIN',
		shape: /^[1-79]\d{8}$/,
		length: [9, 9],
		check: luhn,
		named: /\bsin\b|_sin\b|social insurance|\bnas\b|assurance sociale/,
		alone: true,
	},
	{type: 'MX_CURP', shape: /^[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-ZX]{3}[A-Z\d]\d$/, length: [18, 18], check: curp},
	{type: 'BR_CPF', shape: /^\d{11}$/, length: [11, 11], written: /^\d{3}\.\d{3}\.\d{3}-\d\d$/, check: digits => brazilian(digits, 10)},
	{type: 'BR_CPF', shape: /^\d{11}$/, length: [11, 11], check: digits => brazilian(digits, 10), named: /\bcpf\b|_cpf/, alone: true},
	{
		type: 'BR_CNPJ',
		shape: /^\d{14}$/,
		length: [14, 14],
		written: /^\d\d\.\d{3}\.\d{3}\/\d{4}-\d\d$/,
		check: digits => brazilian(digits, 8),
	},
	{type: 'BR_CNPJ', shape: /^\d{14}$/, length: [14, 14], check: digits => brazilian(digits, 8), named: /cnpj/},
	{type: 'AR_CUIT', shape: /^(?:2[0347]|3[034])\d{9}$/, length: [11, 11], written: /^\d\d-\d{8}-\d$/, check: cuit},
	{type: 'AR_CUIT', shape: /^(?:2[0347]|3[034])\d{9}$/, length: [11, 11], check: cuit, named: /cui[tl]/},
	{type: 'CL_RUT', shape: /^\d{7,8}[\dK]$/, length: [8, 9], written: /^\d{1,2}\.\d{3}\.\d{3}-[\dK]$/i, check: rut},
	{type: 'CL_RUT', shape: /^\d{7,8}[\dK]$/, length: [8, 9], check: rut, named: /\brut\b|_rut\b/},
	{type: 'EC_CI', shape: /^\d{10}$/, length: [10, 10], check: ecuadorian, named: /\bci\b|_ci\b|c[ée]dula/},
	{type: 'IN_AADHAAR', shape: /^[2-9]\d{11}$/, length: [12, 12], check: verhoeff, named: /aadhaa?r|\buidai/, alone: true},
	{type: 'IN_PAN', shape: /^[A-Z]{3}[ABCFGHJLPT][A-Z](?!0000)\d{4}[A-Z]$/, length: [10, 10]},
	{type: 'IN_GSTIN', shape: /^(?:0[1-9]|[12]\d|3[0-7])[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[\dA-Z]$/, length: [15, 15]},
	{type: 'CN_RIC', shape: /^[1-8]\d{16}[\dX]$/, length: [18, 18], check: chinese},
	{type: 'KR_RRN', shape: /^\d{6}[1-4]\d{6}$/, length: [13, 13], written: /^\d{6}-\d{7}$/, check: resident},
	{type: 'KR_FRN', shape: /^\d{6}[5-8]\d{6}$/, length: [13, 13], written: /^\d{6}-\d{7}$/, check: resident},
	{type: 'KR_RRN', shape: /^\d{6}[1-4]\d{6}$/, length: [13, 13], check: resident, named: /\brrn\b|_rrn|주민등록/, alone: true},
	{type: 'KR_FRN', shape: /^\d{6}[5-8]\d{6}$/, length: [13, 13], check: resident, named: /\bfrn\b|_frn|외국인등록/, alone: true},
	{
		type: 'KR_PASSPORT',
		shape: /^[MSRODG](?:\d{8}|\d{3}[A-Z]\d{4})$/,
		length: [9, 9],
		written: /^[A-Z\d]+$/,
		named: /korean? passport|kr_passport|여권/,
		alone: true,
	},
	{
		type: 'TH_TNIN',
		shape: /^[1-8](?:[1-8]\d|9[0-6])\d{10}$/,
		length: [13, 13],
		check: thai,
		named: /\bthai|tnin|\bth_|เลขประจำตัว|เลขบัตร/,
		alone: true,
	},
	{
		type: 'TR_NATIONAL_ID',
		shape: /^[1-9]\d{10}$/,
		length: [11, 11],
		check: turkish,
		named: /tckn|t\.?c\.? ?kimlik|\btr id|tr_id|kimlik|turkish|vatandaş/,
		alone: true,
	},
	{
		type: 'ZA_ID_NUMBER',
		shape: /^\d{10}[012]\d\d$/,
		length: [13, 13],
		check: digits => luhn(digits) && isDate(digits, 2, 4),
		named: /\bza\b|south africa|\bid\b|identity|resident|za_id/,
		alone: true,
	},
	{type: 'IL_ID', shape: /^\d{8,9}$/, length: [8, 9], check: digits => luhn(digits.padStart(9, '0')), named: /\bil id|il_id|teudat|israel/},
	{
		type: 'AU_TFN',
		shape: /^\d{9}$/,
		length: [9, 9],
		check: digits => weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
		named: /\btfn\b|_tfn|tax file/,
		alone: true,
	},
	{type: 'AU_ACN', shape: /^\d{9}$/, length: [9, 9], check: acn, named: /\bacn\b|_acn|company number/, alone: true},
	{type: 'AU_ABN', shape: /^[1-9]\d{10}$/, length: [11, 11], check: abn, named: /\babn\b|_abn|business number/, alone: true},
	{type: 'AU_MEDICARE', shape: /^[2-6]\d{9}$/, length: [10, 10], written: /^\d{4} \d{5} \d$/, check: medicare},
	{
		type: 'AU_MEDICARE',
		shape: /^[2-6]\d{9}$/,
		length: [10, 10],
		check: medicare,
		named: /medicare/,
		alone: true,
	},
];
