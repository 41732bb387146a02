/** More of them before an escape are nobody's JSON. */
const mostBackslashes = 63;
const escaped = /\\(?:[nrtbf]|u[\dA-Fa-f]{4})/y;

/** Where the escape of JSON ends whose letter is at `at`; 0 where that is none. */
export const afterEscape = (text: string, at: number): number => {
	if (text[at - 1] !== '\\') return 0;
	escaped.lastIndex = at - 1;
	return escaped.test(text) ? escaped.lastIndex : 0;
};

/** Where the backslashes begin that end at `at`, `from` at the earliest. */
export const beforeBackslashes = (text: string, at: number, from: number): number => {
	const least = Math.max(from, at - mostBackslashes);
	let start = at;
	while (start > least && text[start - 1] === '\\') start--;
	return start;
};
