import {isDate, isDay, isOneDigit, last, luhn, mod1110, remainder, weighted} from './checks.ts';
import type {Rule} from './rule.ts';

const nifLetters = 'TRWAGMYFPDXBNJZSQVHLCKE';

const nif = (compact: string): boolean => {
	const digits = compact.slice(0, -1).replace(/^[XYZ]/, letter => String('XYZ'.indexOf(letter)));
	return nifLetters[Number(digits) % 23] === compact.at(-1);
};

const pps = (compact: string): boolean => {
	const second = compact.length > 8 && compact.charAt(8) !== 'W' ? compact.charCodeAt(8) - 64 : 0;
	return 'WABCDEFGHIJKLMNOPQRSTUV'[(weighted(compact, [8, 7, 6, 5, 4, 3, 2]) + second * 9) % 23] === compact.charAt(7);
};

const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** The value of a letter or digit from 0 on, each kind by itself. */
const place = (character: string): number => (/\d/.test(character) ? Number(character) : character.charCodeAt(0) - 65);

const codiceFiscale = (compact: string): boolean => {
	let sum = 0;
	for (let index = 0; index < 15; index++) sum += index % 2 === 0 ? odd[place(compact.charAt(index))]! : place(compact.charAt(index));
	const day = Number(compact.slice(9, 11));
	return sum % 26 === place(compact.charAt(15)) && day % 40 >= 1 && day % 40 <= 31;
};

/** Corsica's departments are 2A and 2B; the key counts them as 19 and 18. */
const nir = (compact: string): boolean => {
	const digits = compact.slice(0, 13).replace('2A', '19').replace('2B', '18');
	return 97 - remainder(digits, 97) === Number(compact.slice(13));
};

const estonian = (digits: string): boolean => {
	let rest = weighted(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
	if (rest === 10) rest = weighted(digits, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11;
	return rest % 10 === last(digits) && isDate(digits, 3, 5);
};

/** Forty is added to the day of who lives there for a while, and to the month in tests and emergencies. */
const norwegian = (digits: string): boolean =>
	isDay(Number(digits.slice(2, 4)) % 40, Number(digits.slice(0, 2)) % 40) &&
	(weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2]) + Number(digits[9])) % 11 === 0 &&
	weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0;

const belgian = (digits: string): boolean => {
	const key = Number(digits.slice(9));
	if (!isDay(Number(digits.slice(2, 4)) % 20, Number(digits.slice(4, 6)))) return false;
	return 97 - remainder(digits.slice(0, 9), 97) === key || 97 - remainder(`2${digits.slice(0, 9)}`, 97) === key;
};

const healthInsurance = (compact: string): boolean => {
	const digits = String(compact.charCodeAt(0) - 64).padStart(2, '0') + compact.slice(1);
	let sum = 0;
	for (let index = 0; index < 10; index++) {
		const product = Number(digits[index]) * ((index % 2) + 1);
		sum += Math.floor(product / 10) + (product % 10);
	}
	return sum % 10 === last(compact);
};

/** The letter counts as its place in the alphabet, with two digits. */
const germanPension = (compact: string): boolean => {
	const digits = compact.slice(0, 8) + String(compact.charCodeAt(8) - 64).padStart(2, '0') + compact.slice(9, 11);
	let sum = 0;
	for (const [index, weight] of [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].entries()) {
		const product = weight * Number(digits[index]);
		sum += Math.floor(product / 10) + (product % 10);
	}
	return sum % 10 === last(compact);
};

/** Digits may occur twice or three times in the first ten, and no digit but one more than once. */
const germanTax = (digits: string): boolean => {
	const counts = Array.from('0123456789', digit => digits.slice(0, 10).split(digit).length - 1);
	return mod1110(digits) && !digits.startsWith('0') && counts.filter(count => count > 1).length === 1 && Math.max(...counts) <= 3;
};

const hetu = (compact: string): boolean => {
	const digits = compact.slice(0, 6) + compact.slice(-4, -1);
	return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(digits) % 31] === compact.at(-1) && isDate(digits, 2, 0) && Number(digits.slice(6)) > 1;
};

const swedish = (digits: string): boolean => {
	const ten = digits.slice(-10);
	return luhn(ten) && isDay(Number(ten.slice(2, 4)), Number(ten.slice(4, 6)) % 60);
};

const nhs = (digits: string): boolean => weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && !isOneDigit(digits);

const bsn = (digits: string): boolean => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !isOneDigit(digits);

const pesel = (digits: string): boolean =>
	weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0 &&
	isDate(`${digits.slice(0, 2)}${String(Number(digits.slice(2, 4)) % 20).padStart(2, '0')}${digits.slice(4)}`, 2, 4);

/** Until 1953 there was no check digit; fifty is added to the months of women. */
const czech = (digits: string): boolean => {
	if (!isDay((Number(digits.slice(2, 4)) % 50) % 20, Number(digits.slice(4, 6)))) return false;
	if (digits.length === 9) return Number(digits.slice(0, 2)) < 54;
	return remainder(digits, 11) === 0 || (remainder(digits.slice(0, 9), 11) === 10 && last(digits) === 0);
};

/** Romania's counties are 1 to 46, and 51 and 52. */
const romanian = (digits: string): boolean =>
	(weighted(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11) % 10 === last(digits) &&
	isDay(Number(digits.slice(3, 5)), Number(digits.slice(5, 7))) &&
	Number(digits.slice(7, 9)) <= 52;

export const european: readonly Rule[] = [
	{
		type: 'UK_NINO',
		shape: /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/,
		length: [9, 9],
		named: /national insurance|\bnino\b|_nino|\bni (?:no|number)/,
		alone: true,
		small: true,
	},
	{type: 'UK_NINO', shape: /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/, length: [9, 9]},
	{
		type: 'UK_NHS',
		shape: /^\d{10}$/,
		length: [10, 10],
		written: /^\d{3} \d{3} \d{4}$/,
		check: nhs,
		named: /\bnhs\b|_nhs|health service|patient/,
	},
	{type: 'UK_NHS', shape: /^\d{10}$/, length: [10, 10], check: nhs, named: /\bnhs\b|_nhs|health service/, alone: true},
	{type: 'UK_DRIVING_LICENCE', shape: /^[A-Z]{2,5}9{0,3}\d[0156]\d(?:[0-2]\d|3[01])\d[A-Z][A-Z9]\d[A-Z]{2}$/, length: [16, 16]},
	{type: 'ES_NIF', shape: /^(?:\d{7,8}|[XYZ]\d{7})[A-Z]$/, length: [8, 9], check: nif},
	{type: 'ES_NIF', shape: /^(?:\d{7,8}|[XYZ]\d{7})[A-Z]$/, length: [8, 9], check: nif, named: /\b(?:nif|nie|dni)\b/, small: true},
	{type: 'ES_CIF', shape: /^[ABCDEFGHJNPQRSUVW]\d{7}[\dA-J]$/, length: [9, 9], named: /\bcif\b|_cif/},
	{type: 'DE_TAX_ID', shape: /^[1-9]\d{10}$/, length: [11, 11], check: mod1110, named: /steuer-?(?:id|nr|nummer)|\bidnr|de_tax/},
	{
		type: 'DE_TAX_ID',
		shape: /^\d{11}$/,
		length: [11, 11],
		check: germanTax,
		named: /steuer|tax[ _]?id|tax number|\bidnr|\btin\b|de_tax/,
		alone: true,
	},
	{
		type: 'DE_HEALTH_INSURANCE',
		shape: /^[A-Z]\d{9}$/,
		length: [10, 10],
		written: /^[A-Z](?:\d{9}| ?\d{3} \d{3} \d{3})$/i,
		check: healthInsurance,
	},
	{type: 'DE_SOCIAL_SECURITY', shape: /^\d{8}[A-Z]\d{3}$/, length: [12, 12], check: germanPension},
	{type: 'FR_NIR', shape: /^[1-478]\d{4}(?:\d\d|2[AB])\d{8}$/, length: [15, 15], check: nir},
	{type: 'NL_BSN', shape: /^\d{9}$/, length: [9, 9], check: bsn, named: /\bbsn\b|_bsn|sofi|burgerservice/, alone: true},
	{type: 'PL_PESEL', shape: /^\d{11}$/, length: [11, 11], check: pesel, named: /pesel/, alone: true},
	{type: 'IT_FISCAL_CODE', shape: /^[A-Z]{6}\d\d[A-EHLMPR-T]\d\d[A-Z]\d{3}[A-Z]$/, length: [16, 16], check: codiceFiscale},
	{type: 'IE_PPS', shape: /^\d{7}[A-W][A-IW]?$/, length: [8, 9], check: pps},
	{
		type: 'FI_PERSONAL_IDENTITY_CODE',
		shape: /^\d{6}[A-FU-Y]?\d{3}[\dA-FHJ-NPR-Y]$/,
		length: [10, 11],
		written: /^\d{6}[-+A-FU-Y]\d{3}[\dA-Y]$/i,
		check: hetu,
	},
	{type: 'SE_PERSONNUMMER', shape: /^(?:19|20|18)?\d{10}$/, length: [10, 12], written: /^\d{6,8}[-+]\d{4}$/, check: swedish},
	{
		type: 'SE_PERSONNUMMER',
		shape: /^(?:19|20|18)?\d{10}$/,
		length: [10, 12],
		check: swedish,
		named: /personnummer|\bpnr\b|_pnr|personal identity|swedish id/,
		alone: true,
	},
	{type: 'SE_ORGANISATIONSNUMMER', shape: /^\d\d[2-9]\d{7}$/, length: [10, 10], written: /^\d{6}-\d{4}$/, check: luhn},
	{type: 'NO_FNR', shape: /^\d{11}$/, length: [11, 11], check: norwegian, named: /\bfnr\b|_fnr|fødsels|fodsels/, alone: true},
	{type: 'DK_CPR', shape: /^\d{10}$/, length: [10, 10], check: digits => isDate(digits, 2, 0), named: /\bcpr\b|_cpr/},
	{
		type: 'BE_NN',
		shape: /^\d{11}$/,
		length: [11, 11],
		check: belgian,
		named: /\bnn\b|_nn\b|rijksregister|registre national|national number/,
		alone: true,
	},
	{type: 'HR_OIB', shape: /^(?:HR)?\d{11}$/, length: [11, 13], check: compact => mod1110(compact.replace('HR', '')), named: /\boib\b|_oib/},
	{type: 'LT_AK', shape: /^[3-6]\d{10}$/, length: [11, 11], check: estonian, named: /\blt ak\b|lt_ak|asmens kod/},
	{type: 'EE_IK', shape: /^[1-6]\d{10}$/, length: [11, 11], check: estonian, named: /\bik\b|_ik\b|isikukood/, alone: true},
	{
		type: 'RO_CNP',
		shape: /^[1-8]\d{12}$/,
		length: [13, 13],
		check: romanian,
		named: /\bcnp\b|_cnp/,
	},
	{
		type: 'CZ_RC',
		shape: /^\d{9,10}$/,
		length: [9, 10],
		written: /^\d{6}\/\d{3,4}$/,
		check: czech,
	},
	{
		type: 'CH_AHV',
		shape: /^756\d{10}$/,
		length: [13, 13],
		check: digits => weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
	},
];
