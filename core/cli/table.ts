/** Columns as wide as their widest cell, with two spaces between them; those of `right` end where their numbers do. */
export const table = (rows: readonly (readonly string[])[], right: readonly boolean[]): string => {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
	return rows
		.map(row => row.map((cell, column) => (right[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  '))
		.map(line => line.trimEnd())
		.join('\n');
};
