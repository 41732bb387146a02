/** Finds texts that stand for others, wherever they are: each begins and ends where a word does. */
export type Marks = {
	/** `text` with what `means` says of each mark in it. */
	replace(text: string, means: (mark: string) => string): string;
	/** Where the end of a text begins that may become a mark when more comes; its length, if nothing can. */
	openAt(text: string): number;
};

const isInWord = (code: number): boolean =>
	(code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

/** The marks that are looked for, at most 256 characters long. */
export const createMarks = (marks: readonly string[]): Marks => {
	const known = new Set(marks);
	const sorted = [...known].sort();
	const lengths = [...new Set(sorted.map(({length}) => length))].sort((one, other) => other - one);
	const firsts = new Set(sorted.map(mark => mark.charCodeAt(0)));

	const begins = (text: string, at: number): boolean =>
		firsts.has(text.charCodeAt(at)) && !(isInWord(text.charCodeAt(at)) && isInWord(text.charCodeAt(at - 1)));

	const markAt = (text: string, at: number): string | undefined => {
		for (const length of lengths) {
			const mark = text.slice(at, at + length);
			if (known.has(mark) && !isInWord(text.charCodeAt(at + length))) return mark;
		}
	};

	/** Whether some mark goes on after `start`, or is `start` itself. */
	const mayBecome = (start: string): boolean => {
		let low = 0;
		let high = sorted.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (sorted[middle]! < start) low = middle + 1;
			else high = middle;
		}
		return sorted[low]?.startsWith(start) ?? false;
	};

	return {
		replace(text, means) {
			if (lengths.length === 0) return text;
			let out = '';
			let done = 0;
			for (let at = 0; at < text.length; at++) {
				const mark = begins(text, at) ? markAt(text, at) : undefined;
				if (mark === undefined) continue;
				out += text.slice(done, at) + means(mark);
				done = at + mark.length;
				at = done - 1;
			}
			return out + text.slice(done);
		},
		openAt(text) {
			for (let at = Math.max(0, text.length - (lengths[0] ?? 0)); at < text.length; at++) {
				if (begins(text, at) && mayBecome(text.slice(at))) return at;
			}
			return text.length;
		},
	};
};
