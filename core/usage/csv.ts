/** Where a spreadsheet begins to calculate (OWASP, "CSV Injection"): such a text is made one again by an apostrophe before it. */
const formula = /^[=+\-@\t\r\n|%]/;

const cell = (value: unknown): string => {
	if (value === null || value === undefined) return '';
	if (typeof value === 'number') return String(value);
	const text = String(value);
	const shown = formula.test(text) ? `'${text}` : text;
	return /[",\r\n]/.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown;
};

/** RFC 4180, with a line of names first; no cell of it is a formula. */
export const csv = (columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string =>
	[columns, ...rows.map(row => columns.map(name => row[name]))].map(cells => `${cells.map(cell).join(',')}\r\n`).join('');
