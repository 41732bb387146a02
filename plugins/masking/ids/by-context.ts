import {icao} from './checks.ts';
import type {Rule} from './rule.ts';

const passport =
	/(?:passport|pasaporte|passeport|passaport|reisepass|pass-?(?:nr|nummer)|paspoort|paszport|pasaport|travel document|паспорт|护照|護照|여권|パスポート)(?![\s\S]*(?:expir|valid|issue|date))/;

const licence =
	/(?:driv(?:er|ing)(?:['’]?s)?['’]?[ _-]?(?:licen[sc]e|permit)|dvla|\bdl[ _]?(?:no\b|num|#)|f[üu]hrerschein|permis de conduire|carn[eé]t? de conducir|patente|rijbewijs|prawo jazdy|k[øo]rekort|k[öo]rkort)[^\d\n]{0,25}$/;

const account =
	/(?:\baccount[ _-]?(?:number|num\b|no\b|nr\b|#)|\bacct\b|\bbank account|kontonummer|\bkonto\b|num[ée]ro de compte|n[úu]mero de cuenta|\bcuenta\b|rekeningnummer|numero di conto|口座番号|계좌번호)[^\d\n]{0,15}$/;

const plate =
	/\breg\b|registration|vehicle|plates?\b|\bcars?\b|\bdvla\b|kennzeichen|matr[íi]cula|immatriculation|\btarga\b|kenteken|plaka|ara[çc]/;

const german = /^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{7}\d$/;

const indian =
	/^(?:AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|O[DR]|PB|PY|RJ|SK|TN|TR|TS|UK|UP|WB)\d{2}[A-Z]{1,3}\d{4}$/;

const british =
	/^(?:[A-HJ-PR-Y]{2}(?:0[1-9]|[126]\d|5[1-9]|7[0-9])[A-HJ-PR-Z]{3}|[A-HJ-NPR-TV-Y]\d{1,3}[A-HJ-PR-Y]{3}|[A-HJ-PR-Y]{3}\d{1,3}[A-HJ-NPR-TV-Y])$/;

const areas = new Set(
	(
		'AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU GY HA HD HG HP ' +
		'HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG ' +
		'SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE'
	).split(' '),
);

/** What stands before the digits is a post town; `E5 2GB` is memory. */
const isPostcode = (compact: string): boolean => areas.has(/^[A-Z]+/.exec(compact)?.[0] ?? '') && !/[GT]B$/.test(compact);

const postcode = /^[A-Z]{1,2}\d[A-Z\d]?\d[ABD-HJLNP-UW-Z]{2}$/;

const vinWeights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
const vinValues = '0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ';

/** ISO 3779 with the check digit of North America. */
const vin = (compact: string): boolean => {
	let sum = 0;
	for (const [index, weight] of vinWeights.entries()) sum += (vinValues.indexOf(compact.charAt(index)) % 10) * weight;
	return '0123456789X'[sum % 11] === compact.charAt(8) && /[A-Z]/.test(compact);
};

/** What mostly the words before it tell: passports, licences, accounts, vehicles. */
export const byContext: readonly Rule[] = [
	{type: 'DE_ID_CARD', shape: german, length: [9, 9], check: icao, named: /ausweis|identity card|\bid[ -]card|personalausweis/},
	{
		type: 'DE_ID_CARD',
		shape: /^[LMNPRTVWXY][CFGHJKLMNPRTVWXYZ\d]{8}\d$/,
		length: [10, 10],
		check: icao,
		named: /ausweis/,
	},
	{type: 'DE_PASSPORT', shape: german, length: [9, 9], check: icao, named: /reisepass|pass-?nr|german passport|de_passport/, alone: true},
	{type: 'PASSPORT', shape: /^(?=(?:[A-Z]*\d){3})[A-Z\d]{7,9}$/, length: [7, 9], named: passport},
	{type: 'PASSPORT', shape: /^[A-Z]{0,3}\d{6,9}[A-Z]?$/, length: [6, 12], named: passport},
	{type: 'IT_DRIVER_LICENSE', shape: /^(?:[A-Z]{2}\d{7}|U1[A-Z\d]{7})[A-Z]$/, length: [10, 10], named: /patente|licen[sc]e/, alone: true},
	{type: 'IT_IDENTITY_CARD', shape: /^[A-Z]{2}\d{5}[A-Z]{2}$/, length: [9, 9], named: /identit|\bcie\b/, alone: true},
	{type: 'IT_IDENTITY_CARD', shape: /^(?:[A-Z]{2}\d{7}|\d{7}[A-Z]{2})$/, length: [9, 9], named: /carta d['’]identit|italian identity/},
	{type: 'DRIVER_LICENSE', shape: /^(?=(?:[A-Z]*\d){4})[A-Z\d]{6,18}$/, length: [6, 18], named: licence},
	{type: 'BANK_ACCOUNT', shape: /^\d{7,17}$/, length: [7, 17], named: account},
	{
		type: 'UK_SORT_CODE',
		shape: /^\d{6}$/,
		length: [6, 6],
		written: /^\d\d[- ]\d\d[- ]\d\d$|^\d{6}$/,
		named: /sort[ _-]?code[^\d\n]{0,10}$/,
	},
	{type: 'IN_VEHICLE_REGISTRATION', shape: indian, length: [9, 11]},
	{type: 'UK_VEHICLE_REGISTRATION', shape: british, length: [5, 7], named: plate, alone: true, small: true},
	{
		type: 'NG_VEHICLE_REGISTRATION',
		shape: /^[A-Z]{3}\d{3}[A-Z]{2}$/,
		length: [8, 8],
		written: /^[A-Z]{3}[- ]?\d{3}[- ]?[A-Z]{2}$/i,
		named: plate,
		alone: true,
		small: true,
	},
	{
		type: 'TR_LICENSE_PLATE',
		shape: /^(?:0[1-9]|[1-7]\d|8[01])[A-Z]{1,3}\d{2,5}$/,
		length: [5, 9],
		named: plate,
		alone: true,
		small: true,
	},
	{
		type: 'VEHICLE_REGISTRATION',
		shape: /^(?=[A-Z]*\d)(?=\d*[A-Z])[A-Z\d]{5,8}$/,
		length: [5, 8],
		named:
			/(?:(?:number|licen[sc]e) plate|plate (?:number|no)|kennzeichen|matr[íi]cula|immatriculation|\btarga\b|kenteken|plaka)[^\d\n]{0,15}$/,
	},
	{type: 'VIN', shape: /^[A-HJ-NPR-Z\d]{17}$/, length: [17, 17], written: /^[A-Z\d]+$/, check: vin},
	{type: 'VIN', shape: /^[A-HJ-NPR-Z\d]{17}$/, length: [17, 17], named: /\bvin\b|chassis|vehicle identification/},
	{type: 'UK_POSTCODE', shape: postcode, length: [5, 7], written: /^[A-Z\d]{2,4} \d[A-Z]{2}$/, check: isPostcode},
	{type: 'UK_POSTCODE', shape: postcode, length: [5, 7], check: isPostcode, named: /post ?code/, alone: true},
];
