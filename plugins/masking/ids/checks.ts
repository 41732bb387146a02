/** Check digits of numbers that states and banks give out. Every function takes digits without separators. */

const at = (digits: string, index: number): number => digits.charCodeAt(index) - 0x30;

/** The sum of the digits, each times its weight. */
export const weighted = (digits: string, weights: readonly number[]): number =>
	weights.reduce((sum, weight, index) => sum + weight * at(digits, index), 0);

/** ISO/IEC 7812, as on cards. */
export const luhn = (digits: string): boolean => {
	let sum = 0;
	for (let index = 0; index < digits.length; index++) {
		const digit = at(digits, digits.length - 1 - index) * (index % 2 === 0 ? 1 : 2);
		sum += digit > 9 ? digit - 9 : digit;
	}
	return sum % 10 === 0;
};

/** ISO/IEC 7064, MOD 11,10. */
export const mod1110 = (digits: string): boolean => {
	let check = 10;
	for (let index = 0; index < digits.length - 1; index++) {
		const sum = (check + at(digits, index)) % 10;
		check = ((sum === 0 ? 10 : sum) * 2) % 11;
	}
	return (11 - check) % 10 === at(digits, digits.length - 1);
};

const product = [
	'0123456789',
	'1234067895',
	'2340178956',
	'3401289567',
	'4012395678',
	'5987604321',
	'6598710432',
	'7659821043',
	'8765932104',
	'9876543210',
];
const permuted = ['0123456789', '1576283094', '5803796142', '8916043527', '9453126870', '4286573901', '2793806415', '7046913258'];

/** Verhoeff's scheme, as Aadhaar uses it. */
export const verhoeff = (digits: string): boolean => {
	let check = 0;
	for (let index = 0; index < digits.length; index++) {
		check = at(product[check]!, at(permuted[index % 8]!, at(digits, digits.length - 1 - index)));
	}
	return check === 0;
};

/** The remainder of a number too long for arithmetic. */
export const remainder = (digits: string, divisor: number): number => {
	let rest = 0;
	for (let index = 0; index < digits.length; index++) rest = (rest * 10 + at(digits, index)) % divisor;
	return rest;
};

export const last = (digits: string): number => at(digits, digits.length - 1);

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the month exists, and has such a day in some year. */
export const isDay = (month: number, day: number): boolean => day >= 1 && day <= (longestMonths[month - 1] ?? 0);

/** Whether two digits from `index` on are a month or a day, in either order. */
export const isDate = (digits: string, month: number, day: number): boolean =>
	isDay(Number(digits.slice(month, month + 2)), Number(digits.slice(day, day + 2)));

/** ICAO Doc 9303: weights 7, 3 and 1, letters as 10 to 35. */
export const icao = (compact: string): boolean => {
	let sum = 0;
	for (let index = 0; index < compact.length - 1; index++) sum += Number.parseInt(compact.charAt(index), 36) * [7, 3, 1][index % 3]!;
	return sum % 10 === last(compact);
};

/** Whether all digits are the same. */
export const isOneDigit = (digits: string): boolean => {
	for (let index = 1; index < digits.length; index++) if (digits.charCodeAt(index) !== digits.charCodeAt(0)) return false;
	return true;
};

/** Two check digits modulo 11, as Brazil's numbers have them. */
export const brazilian = (digits: string, longest: number): boolean => {
	if (/^(\d)\1+$/.test(digits)) return false;
	for (const size of [digits.length - 2, digits.length - 1]) {
		let sum = 0;
		for (let index = 0; index < size; index++) sum += at(digits, index) * (((size - 1 - index) % longest) + 2);
		const rest = sum % 11;
		if ((rest < 2 ? 0 : 11 - rest) !== at(digits, size)) return false;
	}
	return true;
};
