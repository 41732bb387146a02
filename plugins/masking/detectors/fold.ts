/** Zero-width characters, soft hyphens and direction marks: one between two characters of a value does not hide it. */
const invisible = /[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/;

/** Foreign digits, full-width forms, and the spaces and dashes that stand in for ASCII ones. */
const disguised =
	/[\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u2007\u2009\u2010-\u2013\u202f\u2212\uff0b\uff0d\uff0e\uff10-\uff19\uff20-\uff3a\uff3f\uff41-\uff5a]/;

// Without characters below U+0100 this costs nothing on a one-byte string: the engine knows that it cannot match.
const wide = new RegExp(`${invisible.source}|${disguised.source}`);
const softHyphen = '\u00ad';
const noBreakSpace = '\u00a0';

/** Whether `text` has to be folded before it is scanned. */
export const isFoldable = (text: string): boolean => wide.test(text) || text.includes(noBreakSpace) || text.includes(softHyphen);

const isInvisible = (code: number): boolean =>
	code === 0xad ||
	(code >= 0x200b && code <= 0x200f) ||
	(code >= 0x202a && code <= 0x202e) ||
	(code >= 0x2060 && code <= 0x206f) ||
	code === 0xfeff;

/** The ASCII character that is meant by `code`, or `code` itself. */
const plain = (code: number): number => {
	if (code < 0x660) {
		return code === 0xa0 ? 0x20 : code;
	}

	if (code >= 0xff01 && code <= 0xff5e) {
		return disguised.test(String.fromCharCode(code)) ? code - 0xfee0 : code;
	}

	if (code >= 0x2007 && code <= 0x2212) {
		const dashes = (code >= 0x2010 && code <= 0x2013) || code === 0x2212;
		return dashes ? 0x2d : code === 0x2007 || code === 0x2009 || code === 0x202f ? 0x20 : code;
	}

	for (const zero of code < 0x970 ? [0x660, 0x6f0, 0x966] : []) {
		if (code >= zero && code <= zero + 9) {
			return 0x30 + code - zero;
		}
	}

	return code;
};

/** A text as detectors read it, and where its characters stand in the original. */
export type Folded = {readonly text: string; readonly removed: readonly number[]};

const each = new RegExp(`${wide.source}|[${softHyphen}${noBreakSpace}]`, 'g');

/** Replaces what only looks different and takes out invisible characters, the first of each row: a whole row of them separates. */
export const fold = (raw: string): Folded => {
	const removed: number[] = [];
	const pieces: string[] = [];
	let at = 0;
	let last = -2;
	each.lastIndex = 0;
	while (each.test(raw)) {
		const index = each.lastIndex - 1;
		const code = raw.charCodeAt(index);
		const hides = isInvisible(code);
		const follows = hides && last === index - 1;
		if (hides) last = index;
		if (follows) continue;
		pieces.push(raw.slice(at, index));
		if (hides) removed.push(index);
		else pieces.push(String.fromCharCode(plain(code)));
		at = index + 1;
	}
	pieces.push(raw.slice(at));
	return {text: pieces.join(''), removed};
};

/** How many removed characters stand before the original position `index`. */
export const removedBefore = ({removed}: Folded, index: number): number => {
	const count = removed.findIndex(at => at >= index);
	return count === -1 ? removed.length : count;
};

/** Turns ascending positions in the folded text into positions in the original. */
export const unfolder = ({removed}: Folded): ((index: number) => number) => {
	let count = 0;
	return index => {
		while (count < removed.length && removed[count]! - count <= index) {
			count++;
		}

		return index + count;
	};
};
