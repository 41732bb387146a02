const LF = 10;

/** Cuts bytes into lines, without what ends them; answers false, and from then on, when a line is larger than `maxBytes`. */
export const openLines = (maxBytes: number, onLine: (line: Buffer) => void): ((chunk: Buffer) => boolean) => {
	let pieces: Buffer[] = [];
	let bytes = 0;
	let over = false;

	const keep = (piece: Buffer): void => {
		bytes += piece.length;
		over ||= bytes > maxBytes;
		if (!over && piece.length > 0) pieces.push(piece);
	};

	const take = (): Buffer => {
		const line = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes);
		pieces = [];
		bytes = 0;
		return line.at(-1) === 13 ? line.subarray(0, -1) : line;
	};

	return chunk => {
		let from = 0;
		for (let at = chunk.indexOf(LF); at !== -1 && !over; at = chunk.indexOf(LF, from)) {
			keep(chunk.subarray(from, at));
			from = at + 1;
			if (over) break;
			const line = take();
			if (line.length > 0) onLine(line);
		}
		if (!over) keep(chunk.subarray(from));
		return !over;
	};
};
