import {GatewayError} from '../errors.ts';

/** One event of a stream (WHATWG HTML, section 9.2). */
export type SseEvent = {
	/** The bytes it came as, the blank line included; all `raw` and skipped bytes together are the stream. */
	raw: Buffer;
	/** Missing when the stream names none, which means `message`. */
	event?: string;
	/** Lines of data joined by `\n`. */
	data: string;
};

/** What ends a stream of either dialect. */
export const isLastEvent = ({data, event}: SseEvent): boolean => data.trim() === '[DONE]' || event === 'message_stop';

export type SseOptions = {
	/** Bytes of one event; beyond, `push` throws `upstream_too_large`. */
	maxEventBytes?: number;
	/** Gets blocks that are no event: comments (keep-alives), ids, retry times. */
	onSkipped?: (raw: Buffer) => void;
};

export type SseParser = {
	/** Bytes in any cut. Calls back before it returns, and keeps no reference to a chunk that ended with an event. */
	push(chunk: Buffer): void;
	/** The event that the stream broke off in; the standard says to discard it. */
	end(): SseEvent | undefined;
};

const LF = 10;
const CR = 13;
const defaultMaxEventBytes = 8 * 1_048_576;

type Blocks = {push(chunk: Buffer): void; rest(): Buffer /** The next byte begins a block. */; atStart(): boolean};

/** Cuts a stream after each blank line; a line ends with LF, CR or CRLF. An LF that comes apart from its CR begins the next block. */
const blocks = (onBlock: (raw: Buffer) => void, maxBytes: number): Blocks => {
	let pieces: Buffer[] = [];
	let bytes = 0;
	let lineIsEmpty = true;
	let afterCr = false;

	const keep = (piece: Buffer) => {
		bytes += piece.length;
		if (bytes > maxBytes) throw new GatewayError('upstream_too_large', `An event of the stream is larger than ${maxBytes} bytes.`);
		pieces.push(piece);
	};

	const takeAll = (): Buffer => {
		const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, bytes);
		pieces = [];
		bytes = 0;
		return whole;
	};

	const push = (chunk: Buffer) => {
		const end = chunk.length;
		let from = 0;
		let at = 0;
		let lf = -1;
		let cr = -1;
		if (afterCr && end > 0) {
			if (chunk[0] === LF) at = 1;
			afterCr = false;
		}
		while (at < end) {
			if (lf < at) lf = chunk.indexOf(LF, at);
			if (cr < at) cr = chunk.indexOf(CR, at);
			if (lf === -1) lf = end;
			if (cr === -1) cr = end;
			const lineEnd = Math.min(lf, cr);
			if (lineEnd > at) lineIsEmpty = false;
			if (lineEnd === end) break;
			at = lineEnd + 1;
			if (lineEnd === cr) {
				if (at === end) afterCr = true;
				else if (chunk[at] === LF) at++;
			}
			if (lineIsEmpty) {
				const block = from === 0 && at === end ? chunk : chunk.subarray(from, at);
				from = at;
				if (pieces.length === 0 && block.length <= maxBytes) onBlock(block);
				else {
					keep(block);
					onBlock(takeAll());
				}
			}
			lineIsEmpty = true;
		}
		if (from < end) keep(from === 0 ? chunk : chunk.subarray(from));
	};

	return {push, rest: takeAll, atStart: () => pieces.length === 0 && lineIsEmpty && !afterCr};
};

const lineEnds = /\r\n|\r|\n/;

/** The fields of one block, or undefined when it has no data. */
const fieldsOf = (text: string): {event?: string; data: string} | undefined => {
	// What nearly every provider sends: one line of data, perhaps under one that names the event.
	if (text.startsWith('data: ') && text.indexOf('\n') === text.length - 2 && !text.includes('\r')) return {data: text.slice(6, -2)};

	let data: string | undefined;
	let event: string | undefined;
	for (const line of text.split(text.includes('\r') ? lineEnds : '\n')) {
		const colon = line.indexOf(':');
		if (line === '' || colon === 0) continue;
		const field = colon === -1 ? line : line.slice(0, colon);
		if (field !== 'data' && field !== 'event') continue;
		const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
		if (field === 'event') event = value === '' ? undefined : value;
		else data = data === undefined ? value : `${data}\n${value}`;
	}
	return data === undefined ? undefined : {event, data};
};

/** Reads blocks as text; a byte order mark before the first is not part of it. */
const decoder = () => {
	let first = true;
	return (raw: Buffer): string => {
		const marked = first && raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf;
		first = false;
		return marked ? raw.toString('utf8', 3) : raw.toString('utf8');
	};
};

/** Calls `onEvent` for every event, in order, however the stream is cut into chunks. Throws `upstream_too_large`, and what `onEvent` throws. */
export const sseParser = (
	onEvent: (event: SseEvent) => void,
	{maxEventBytes = defaultMaxEventBytes, onSkipped}: SseOptions = {},
): SseParser => {
	const decode = decoder();
	const {push, rest} = blocks(raw => {
		const fields = fieldsOf(decode(raw));
		if (fields === undefined) onSkipped?.(raw);
		else onEvent({raw, event: fields.event, data: fields.data});
	}, maxEventBytes);
	return {
		push,
		end: () => {
			const raw = rest();
			const fields = fieldsOf(decode(raw));
			return fields && {raw, ...fields};
		},
	};
};

const endsWithBlankLine = (chunk: Buffer): boolean => {
	const end = chunk.length;
	return end > 1 && chunk[end - 1] === LF && (chunk[end - 2] === LF || (chunk[end - 2] === CR && chunk[end - 3] === LF));
};

/**
 * For a stream whose bytes go on untouched: calls `onEvent` only for events whose bytes contain one of `marks`. Costs little for chunks
 * that hold whole events and no mark, which are hardly looked at. `end` answers like the parser's, marks or not.
 */
export const sseTap = (
	marks: readonly string[],
	onEvent: (event: SseEvent) => void,
	{maxEventBytes = defaultMaxEventBytes}: Omit<SseOptions, 'onSkipped'> = {},
): SseParser => {
	// One expression over bytes as Latin-1 takes a third of what a search per mark does.
	const anyMark = new RegExp(marks.map(mark => RegExp.escape(Buffer.from(mark).toString('latin1'))).join('|'));
	const isMarked = (bytes: Buffer): boolean => anyMark.test(bytes.toString('latin1'));
	const decode = decoder();
	const {push, rest, atStart} = blocks(raw => {
		if (!isMarked(raw)) return;
		const fields = fieldsOf(decode(raw));
		if (fields !== undefined) onEvent({raw, event: fields.event, data: fields.data});
	}, maxEventBytes);
	return {
		push: chunk => {
			if (!atStart() || !endsWithBlankLine(chunk) || isMarked(chunk)) push(chunk);
		},
		end: () => {
			const raw = rest();
			const fields = fieldsOf(decode(raw));
			return fields && {raw, ...fields};
		},
	};
};
