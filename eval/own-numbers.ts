export type Random = (below: number) => number;

/** Numbers that look random and are the same for the same seed. */
export const seeded = (seed: number): Random => {
	let state = seed >>> 0;
	return below => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 4_294_967_296) * below);
	};
};

export const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)]!;

const from = (random: Random, letters: string, length: number): string =>
	Array.from({length}, () => letters.charAt(random(letters.length))).join('');

export const digits = (random: Random, length: number): string => from(random, '0123456789', length);
export const capitals = (random: Random, length: number): string => from(random, 'ABCDEFGHJKLMNPRSTUVWXYZ', length);
export const hex = (random: Random, length: number): string => from(random, '0123456789abcdef', length);
export const mixed = (random: Random, length: number): string =>
	from(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', length);

/** The first way to end `head` with `size` characters of which `check` says that they are right. */
const ended = (head: string, size: number, check: (whole: string) => boolean): string | undefined => {
	for (let end = 0; end < 10 ** size; end++) {
		const whole = head + String(end).padStart(size, '0');
		if (check(whole)) return whole;
	}
};

/** A number that ends with its check digits; some heads have none, and another is drawn. */
const checked = (head: () => string, size: number, check: (whole: string) => boolean): string => {
	for (let tries = 0; tries < 1_000; tries++) {
		const whole = ended(head(), size, check);
		if (whole !== undefined) return whole;
	}
	throw new Error('No number passes this check.');
};

/** ISO/IEC 7812. Written apart from the plugin's, so that one mistake is not made twice. */
const luhnRest = (whole: string): number =>
	[...whole].reverse().reduce((sum, digit, index) => {
		const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
		return sum + Math.floor(value / 10) + (value % 10);
	}, 0) % 10;

const dot = (whole: string, weights: readonly number[]): number =>
	weights.reduce((sum, weight, index) => sum + weight * Number(whole.charAt(index)), 0);

const date = (random: Random, order: string): string =>
	order
		.replace('YY', String(30 + random(69)))
		.replace('MM', String(1 + random(12)).padStart(2, '0'))
		.replace('DD', String(1 + random(28)).padStart(2, '0'));

const luhn = (whole: string): boolean => luhnRest(whole) === 0;

const iban = (random: Random, country: string, body: string): string => {
	const moved = `${body}${country}00`.replace(/[A-Z]/g, letter => String(letter.charCodeAt(0) - 55));
	return `${country}${String(98n - (BigInt(moved) % 97n)).padStart(2, '0')}${body}`.replace(/(.{4})(?=.)/g, random(2) === 0 ? '$1 ' : '$1');
};

const grouped = (random: Random, whole: string): string => whole.replace(/(\d{4})(?=\d)/g, `$1${pick(random, ['', ' ', '-'])}`);

const isCpf = (whole: string): boolean =>
	[9, 10].every(size => {
		const rest =
			(dot(
				whole,
				Array.from({length: size}, (_, index) => size + 1 - index),
			) *
				10) %
			11;
		return rest % 10 === Number(whole.charAt(size));
	});

const cpf = (random: Random): string => checked(() => digits(random, 9), 2, isCpf).replace(/^(...)(...)(...)(..)$/, '$1.$2.$3-$4');

const nif = (random: Random): string => {
	const number = digits(random, 8);
	return number + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number(number) % 23);
};

const hetu = (random: Random): string => {
	const born = date(random, 'DDMMYY');
	const serial = `${1 + random(8)}${digits(random, 2)}`;
	return `${born}-${serial}${'0123456789ABCDEFHJKLMNPRSTUVWXY'.charAt(Number(born + serial) % 31)}`;
};

const nir = (random: Random): string => {
	const body = `${1 + random(2)}${date(random, 'YYMM')}${String(10 + random(80))}${digits(random, 6)}`;
	return `${body}${String(97n - (BigInt(body) % 97n)).padStart(2, '0')}`;
};

const seventh = (random: Random): string => pick(random, ['4', '5', '6', '7']);

/** Makers of values, by what the data calls them. */
export const numbers: Readonly<Record<string, (random: Random) => string>> = {
	CREDIT_CARD: random =>
		grouped(
			random,
			checked(() => `4${digits(random, 14)}`, 1, luhn),
		),
	IBAN: random =>
		pick(random, [
			() => iban(random, 'DE', digits(random, 18)),
			() => iban(random, 'GB', capitals(random, 4) + digits(random, 14)),
			() => iban(random, 'FR', digits(random, 23)),
			() => iban(random, 'NL', capitals(random, 4) + digits(random, 10)),
		])(),
	US_SSN: random => `${1 + random(5)}${digits(random, 1)}${1 + random(9)}-${10 + random(89)}-${1_000 + random(8_999)}`,
	IMEI: random => checked(() => `35${digits(random, 12)}`, 1, luhn),
	ABA_ROUTING: random =>
		checked(
			() => `0${1 + random(9)}${digits(random, 6)}`,
			1,
			whole => dot(whole, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
		),
	CA_SIN: random => checked(() => `${seventh(random)}${digits(random, 7)}`, 1, luhn).replace(/^(...)(...)(...)$/, '$1 $2 $3'),
	BR_CPF: cpf,
	ES_NIF: nif,
	FI_PERSONAL_IDENTITY_CODE: hetu,
	FR_NIR: nir,
	PL_PESEL: random =>
		checked(
			() => date(random, 'YYMMDD') + digits(random, 4),
			1,
			whole => dot(whole, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
		),
	NL_BSN: random =>
		checked(
			() => `1${digits(random, 7)}`,
			1,
			whole => dot(whole, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
		),
	UK_NHS: random =>
		checked(
			() => `4${digits(random, 8)}`,
			1,
			whole => dot(whole, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
		).replace(/^(...)(...)(....)$/, '$1 $2 $3'),
	UK_NINO: random =>
		`${pick(random, ['AB', 'CE', 'HJ', 'PR', 'YZ'])} ${date(random, 'YY')} ${digits(random, 2)} ${digits(random, 2)} ${pick(random, ['A', 'B', 'C', 'D'])}`,
	SE_PERSONNUMMER: random => checked(() => date(random, 'YYMMDD') + digits(random, 3), 1, luhn).replace(/(....)$/, '-$1'),
	CH_AHV: random =>
		checked(
			() => `756${digits(random, 9)}`,
			1,
			whole => dot(whole, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
		).replace(/^(...)(....)(....)(..)$/, '$1.$2.$3.$4'),
	BG_EGN: random =>
		checked(
			() => date(random, 'YYMMDD') + digits(random, 3),
			1,
			whole => (dot(whole, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === Number(whole.charAt(9)),
		),
	AU_TFN: random =>
		checked(
			() => `1${digits(random, 7)}`,
			1,
			whole => dot(whole, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
		),
	PT_NIF: random =>
		checked(
			() => `2${digits(random, 7)}`,
			1,
			whole => {
				const rest = 11 - (dot(whole, [9, 8, 7, 6, 5, 4, 3, 2]) % 11);
				return (rest > 9 ? 0 : rest) === Number(whole.charAt(8));
			},
		),
	PASSPORT: random => `${capitals(random, 1)}${1 + random(8)}${digits(random, 7)}`,
	DRIVER_LICENSE: random => `${capitals(random, 1)}${digits(random, 7)}`,
	BANK_ACCOUNT: random => `${1 + random(9)}${digits(random, 9)}`,
	UK_VEHICLE_REGISTRATION: random => `${pick(random, ['LB', 'YK', 'SO'])}${pick(random, ['07', '19', '23', '68'])} ${capitals(random, 3)}`,
	UK_POSTCODE: random =>
		`${pick(random, ['SW', 'LS', 'EH', 'NE'])}${1 + random(9)} ${1 + random(9)}${pick(random, ['AB', 'DE', 'NL', 'XY'])}`,
	MAC: random =>
		hex(random, 12)
			.replace(/(..)(?=.)/g, `$1${pick(random, [':', '-'])}`)
			.replace(/^../, '4a'),
	IP: random =>
		pick(random, [
			`10.${random(200)}.${random(200)}.${1 + random(200)}`,
			`185.${1 + random(200)}.${random(200)}.${1 + random(200)}`,
			`2001:db8:${hex(random, 3).replace(/^0+/, 'a')}::${1 + random(9)}${hex(random, 2)}`,
		]),
};

/** The same with a wrong last digit, for kinds whose last digit checks the others. */
export const spoiled = (whole: string): string => whole.replace(/\d(?=\D*$)/, digit => String((Number(digit) + 1) % 10));
