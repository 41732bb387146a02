import {closingQuote} from './parse.ts';

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isNumberPart = (code: number): boolean => isDigit(code) || code === 0x2d || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65;

const eachNumber = (text: string, tell: (from: number, to: number) => void): void => {
	for (let at = 0; at < text.length; at += 1) {
		const code = text.charCodeAt(at);
		if (code === 0x22) {
			at = closingQuote(text, at);
			if (at === -1) return;
		} else if (code === 0x2d || isDigit(code)) {
			const from = at;
			while (isNumberPart(text.charCodeAt(at))) at += 1;
			tell(from, at);
			at -= 1;
		}
	}
};

/** Where the numbers of a JSON text stand: the beginning and the end of each. */
export const numbersIn = (text: string): number[] => {
	const found: number[] = [];
	eachNumber(text, (from, to) => found.push(from, to));
	return found;
};

/** So many digits fit into every double, and a whole number of them is written as it was. */
const longestPlain = 15;

const isPlain = (text: string, from: number, to: number): boolean => {
	if (to - from > longestPlain) return false;
	for (let at = from; at < to; at += 1) if (!isDigit(text.charCodeAt(at))) return false;
	return true;
};

/** Whether `JSON.stringify` would write it in other words: `1.0`, `1e3`, `-0`, or more digits than a double holds. */
export const isOdd = (words: string): boolean => String(Number(words)) !== words;

/** Where those stand that are odd. */
export const oddIn = (text: string): number[] => {
	const found: number[] = [];
	eachNumber(text, (from, to) => {
		if (!isPlain(text, from, to) && isOdd(text.slice(from, to))) found.push(from, to);
	});
	return found;
};

/** Powers of ten are counted in doubles: no number that means anything has a longer one. */
const longestPower = 15;

/** The digits of a number without the zeros around them, and the power of ten behind them. */
const decimalOf = (words: string): {digits: string; power: number} => {
	const [, sign = '', whole = '', fraction = '', power = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(words) ?? [];
	if (whole === '' || power.length > longestPower) return {digits: words, power: -1};
	const all = whole + fraction;
	let [first, end] = [0, all.length];
	while (all[first] === '0') first += 1;
	if (first === end) return {digits: '0', power: 0};
	while (all[end - 1] === '0') end -= 1;
	return {digits: sign + all.slice(first, end), power: Number(power) + whole.length - end};
};

/** Whether the double next to a number, as `JSON.stringify` writes it, is the same number. */
const isHeld = (words: string): boolean => {
	const [own, held] = [decimalOf(words), decimalOf(String(Number(words)))];
	return own.digits === held.digits && own.power === held.power;
};

/** A number in the one way that all ways of writing it share: that of RFC 8785 where a double holds it. */
export const canonicalNumber = (words: string): string => {
	if (isHeld(words)) return String(Number(words));
	const {digits, power} = decimalOf(words);
	return `${digits}e${power}`;
};

/** They say any double. */
const mostDigits = 17;

/**
 * Whether no double stands for it: a whole number that none holds, since the next one to it may be somebody else's account, or one with more
 * digits than it takes to write down any double.
 */
export const isBeyond = (words: string): boolean => {
	if (words.length <= longestPlain || isHeld(words)) return false;
	const {digits, power} = decimalOf(words);
	return power >= 0 || digits.replace('-', '').length > mostDigits;
};

/** The first number of a JSON text that no double stands for. */
export const firstBeyond = (text: string): string | undefined => {
	const odd = oddIn(text);
	for (let index = 0; index < odd.length; index += 2) {
		const words = text.slice(odd[index], odd[index + 1]);
		if (isBeyond(words)) return words;
	}
	return undefined;
};
