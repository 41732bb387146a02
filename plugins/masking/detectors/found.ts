export const detectorTypes = ['EMAIL', 'CARD', 'IBAN', 'PHONE', 'US_SSN', 'IP', 'API_KEY'] as const;

export type DetectorType = (typeof detectorTypes)[number];

/** A secret that goes on past what may be held: which characters continue it. */
export type Inside = '' | 'key' | 'base64' | 'dotted' | 'url' | 'pem';

/** What a matcher saw at a candidate: a value, or, when `end` is `undecided`, the start of what may become one. */
export type Found = {
	readonly start: number;
	readonly end: number;
	readonly type: DetectorType;
	/** Set when the value is known to be too long to hold, so that its end need not be known. */
	readonly inside?: Inside;
	/** False for values that are masked for good: key blocks and whatever is `longest` or longer. */
	readonly reversible?: boolean;
};

export const undecided = -1;

/** Values shorter than this are held until their end is known. */
export const longest = 256;

/** How far before a value a detector looks for words that tell what it is. */
export const lookBehind = 40;

export const open = (start: number): Found => ({start, end: undecided, type: 'API_KEY'});

/** What stands before `index` on the same line, in lower case. */
export const wordsBefore = (text: string, index: number): string => {
	const before = text.slice(Math.max(0, index - lookBehind), index).toLowerCase();
	return before.slice(before.lastIndexOf('\n') + 1);
};
