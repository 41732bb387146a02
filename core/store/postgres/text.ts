/** PostgreSQL's text has no place for U+0000; it is written as two characters of which the first is itself doubled up. */
export const toText = (text: string): string =>
	/[\0\u0001]/.test(text) ? text.replaceAll('\u0001', '\u0001\u0002').replaceAll('\0', '\u0001\u0003') : text;

/** The text that `toText` was given. */
export const fromText = (text: string): string =>
	text.includes('\u0001') ? text.replaceAll('\u0001\u0003', '\0').replaceAll('\u0001\u0002', '\u0001') : text;
