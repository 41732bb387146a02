/** Of a line that nobody parses, so much is looked at. */
const mostLooked = 300;

const first = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d{1,15})\s*,/;
const last = /,\s*"id"\s*:\s*(\d{1,15})\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;

/**
 * Whose answer a line is that is too large to be parsed: its `id`, where that stands beside the first or the last bracket, as JSON-RPC's own
 * field does in all common writers; undefined otherwise. What stands deeper is never taken for it.
 */
export const idOfOversized = (line: Buffer): number | undefined => {
	const head = first.exec(line.toString('latin1', 0, mostLooked));
	const tail = head ?? last.exec(line.toString('latin1', Math.max(0, line.length - mostLooked)));
	return tail ? Number(tail[1]) : undefined;
};
