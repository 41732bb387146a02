/** Where the reading of a JSON text has got to; plain data, and no part of the text. */
export type JsonPlace = {
	/** `{` and `[` that are open. */
	readonly open: string;
	/** What may come next. */
	readonly wants:
		| 'value'
		| 'value or end'
		| 'key'
		| 'key or end'
		| 'colon'
		| 'comma'
		| 'nothing'
		| 'string'
		| 'escape'
		| 'hex'
		| 'number'
		| 'word';
	/** Of a string: whether it is a key; of a number or a word: what has come of it, and of `\u` its digits. */
	readonly part: string;
	readonly isKey: boolean;
};

export const jsonStart: JsonPlace = {open: '', wants: 'value', part: '', isKey: false};

const deepest = 200;
const longestNumber = 400;
const words = ['true', 'false', 'null'];
const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const openNumber = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:(?<=\d)[eE][+-]?\d*)?)?$/;
const blank = /[ \t\n\r]/;

/** After a value: what may stand behind it. */
const after = (open: string): Pick<JsonPlace, 'wants' | 'part' | 'isKey'> => ({
	wants: open === '' ? 'nothing' : 'comma',
	part: '',
	isKey: false,
});

const opening = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	if (place.open.length >= deepest) return undefined;
	return {open: place.open + sign, wants: sign === '{' ? 'key or end' : 'value or end', part: '', isKey: false};
};

const closing = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	if (place.open.at(-1) !== (sign === '}' ? '{' : '[')) return undefined;
	const open = place.open.slice(0, -1);
	return {open, ...after(open)};
};

const value = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	if (sign === '{' || sign === '[') return opening(place, sign);
	if (sign === ']' && place.wants === 'value or end') return closing(place, sign);
	if (sign === '"') return {...place, wants: 'string', isKey: false};
	if (sign === '-' || (sign >= '0' && sign <= '9')) return {...place, wants: 'number', part: sign};
	return words.some(word => word.startsWith(sign)) ? {...place, wants: 'word', part: sign} : undefined;
};

const inString = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	if (place.wants === 'escape') {
		if (sign === 'u') return {...place, wants: 'hex', part: ''};
		return '"\\/bfnrt'.includes(sign) ? {...place, wants: 'string'} : undefined;
	}
	if (place.wants === 'hex') {
		if (!/[\dA-Fa-f]/.test(sign)) return undefined;
		return place.part.length === 3 ? {...place, wants: 'string', part: ''} : {...place, part: place.part + sign};
	}
	if (sign === '\\') return {...place, wants: 'escape'};
	if (sign < ' ') return undefined;
	if (sign !== '"') return place;
	return place.isKey ? {...place, wants: 'colon', isKey: false} : {...place, ...after(place.open)};
};

const between = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	if (blank.test(sign)) return place;
	if (place.wants === 'value' || place.wants === 'value or end') return value(place, sign);
	if (place.wants === 'colon') return sign === ':' ? {...place, wants: 'value'} : undefined;
	if (place.wants === 'comma') {
		if (sign === ',') return {...place, wants: place.open.at(-1) === '{' ? 'key' : 'value'};
		return sign === '}' || sign === ']' ? closing(place, sign) : undefined;
	}
	if (sign === '}' && place.wants === 'key or end') return closing(place, sign);
	return sign === '"' && place.wants !== 'nothing' ? {...place, wants: 'string', isKey: true} : undefined;
};

const step = (place: JsonPlace, sign: string): JsonPlace | undefined => {
	const {wants, part} = place;
	if (wants === 'string' || wants === 'escape' || wants === 'hex') return inString(place, sign);
	if (wants === 'word') {
		const so = part + sign;
		if (!words.some(word => word.startsWith(so))) return undefined;
		return words.includes(so) ? {...place, ...after(place.open)} : {...place, part: so};
	}
	if (wants === 'number') {
		if (/[\d.eE+-]/.test(sign))
			return part.length < longestNumber && openNumber.test(part + sign) ? {...place, part: part + sign} : undefined;
		return number.test(part) ? between({...place, ...after(place.open)}, sign) : undefined;
	}
	return between(place, sign);
};

/** Reads on in a JSON text (RFC 8259); undefined at the first character with which it is none any more. */
export const readOn = (from: JsonPlace, text: string): JsonPlace | undefined => {
	let place: JsonPlace | undefined = from;
	for (let at = 0; at < text.length && place; at++) {
		// Most of a text is inside of strings.
		if (place.wants === 'string' && text[at]! >= ' ' && text[at] !== '"' && text[at] !== '\\') continue;
		place = step(place, text[at]!);
	}
	return place;
};

/** Whether a text that has been read so far may end here. */
export const isWhole = ({open, wants, part}: JsonPlace): boolean =>
	wants === 'nothing' || (wants === 'number' && open === '' && number.test(part));
