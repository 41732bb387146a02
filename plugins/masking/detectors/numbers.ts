import {DIGIT, isKind} from './classes.ts';

const mostGroups = 9;
const mostDigits = 20;

/**
 * Groups of digits with a separator or two between them, as cards, phone numbers and dotted addresses are written.
 * A row is read once; moving from one group of it to the next reads nothing again, so long rows stay linear.
 */
export type Groups = {
	readonly starts: number[];
	readonly ends: number[];
	/** The first separator character before each group, 0 for none. */
	readonly marks: number[];
	rowTouchesEnd: boolean;
	/** Which group of the row is looked at as the first. */
	at: number;
	count: number;
	digits: number;
	/** The text ended before the number did. */
	touchesEnd: boolean;
	/** There are more digits or groups than any value has. */
	overflows: boolean;
};

export const newGroups = (): Groups => ({
	starts: [],
	ends: [],
	marks: [],
	rowTouchesEnd: false,
	at: 0,
	count: 0,
	digits: 0,
	touchesEnd: false,
	overflows: false,
});

const space = 0x20;
const opening = 0x28;
const closing = 0x29;

const isDigitCode = (code: number) => code >= 0x30 && code <= 0x39;

const isSeparator = (code: number) => code === space || (code >= 0x2d && code <= 0x2f);

/** Where the next group starts when a separator stands at `index`, or -1; `index` itself is not a digit. */
const nextGroup = (text: string, index: number, mark: number): number => {
	const separates = isSeparator(mark);
	if (!separates && mark !== closing && mark !== opening) {
		return -1;
	}

	const second = text.charCodeAt(index + 1);
	if (isDigitCode(second)) {
		return index + 1;
	}

	if (mark === space ? second === opening : mark === closing && (isSeparator(second) || second === opening)) {
		const third = text.charCodeAt(index + 2);
		return isDigitCode(third) ? index + 2 : second === space && third === opening && isKind(text, index + 3, DIGIT) ? index + 3 : -1;
	}

	return -1;
};

/** Whether only separators stand between `index` and the end, so that digits may still follow them. */
const couldGoOn = (text: string, index: number): boolean => {
	for (let at = index; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (!isSeparator(code) && code !== opening && code !== closing) {
			return false;
		}
	}

	return true;
};

const readRow = (text: string, start: number, groups: Groups): void => {
	let size = 0;
	let mark = 0;
	let index = start;
	while (index >= 0) {
		groups.starts[size] = index;
		groups.marks[size] = mark;
		while (isDigitCode(text.charCodeAt(index))) {
			index++;
		}

		groups.ends[size] = index;
		size++;
		mark = text.charCodeAt(index);
		const next = nextGroup(text, index, mark);
		groups.rowTouchesEnd = next === -1 && index + 3 >= text.length && couldGoOn(text, index);
		index = next;
	}

	groups.starts.length = size;
	groups.ends.length = size;
	groups.marks.length = size;
	groups.at = 0;
};

/** Looks at the groups that begin at `start`. */
export const readGroups = (text: string, start: number, groups: Groups): void => {
	while (groups.starts[groups.at]! < start) {
		groups.at++;
	}

	if (groups.starts[groups.at] !== start) {
		readRow(text, start, groups);
	}

	groups.count = 0;
	groups.digits = 0;
	const size = groups.starts.length - groups.at;
	while (groups.count < size && groups.count < mostGroups && groups.digits <= mostDigits) {
		groups.digits += groupLength(groups, groups.count);
		groups.count++;
	}

	groups.overflows = groups.digits > mostDigits || groups.count < size;
	groups.touchesEnd = groups.rowTouchesEnd && !groups.overflows;
};

export const groupStart = (groups: Groups, index: number): number => groups.starts[groups.at + index]!;

export const groupEnd = (groups: Groups, index: number): number => groups.ends[groups.at + index]!;

export const groupMark = (groups: Groups, index: number): number => groups.marks[groups.at + index]!;

export const groupLength = (groups: Groups, index: number): number => groupEnd(groups, index) - groupStart(groups, index);
