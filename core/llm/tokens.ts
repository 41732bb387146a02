import {loadPieces, type Pieces, pieceKinds} from './token-pieces.ts';
import {type Encoding, loadTokenTable, longestPiece, type TokenTable} from './token-table.ts';

/** How many tokens texts are at most, for one family of models. */
export type TokenBound = {
	/** Of a request's body, in which `mediaBytes` bytes stand for pictures that are counted apart. At most its bytes. */
	input(body: Buffer, mediaBytes?: number): number;
	/** Of the inside of a JSON string, or a part of it, from `from` to `to`. At most its bytes. */
	text(bytes: Uint8Array, from: number, to: number): number;
	/** Whether texts can be counted; before, their bytes are. */
	readonly ready: boolean;
	/** Resolves when it is ready. Rejects when the vocabulary is not installed. */
	load(): Promise<unknown>;
};

export type Tokens = {
	/** `exact`: the model is what OpenAI names so, not somebody else's of the same name. */
	boundFor(model: string, exact: boolean): TokenBound;
};

/** What one body may take: so many bytes are read, and so much work is done on those that are slow; the rest counts by its bytes. */
export const countedBytes = 32_768;
/** A piece that is begun is ended: what is done can be a little more. */
export const countedWork = 200_000;

/** A longer string of base64 is not read: it would take the place of words. */
export const opaqueBytes = 4_096;
const opaqueLook = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const SLASH = 0x2f;
const LETTER_N = 0x6e;
const LETTER_R = 0x72;
const LETTER_T = 0x74;
const LETTER_F = 0x66;
const LETTER_U = 0x75;

/** https://github.com/openai/tiktoken/blob/main/tiktoken/model.py */
const encodings: readonly (readonly [names: RegExp, Encoding])[] = [
	[/^(ft:)?(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|o[134](-|$)|chatgpt-4o|codex-|gpt-oss|gpt-audio|gpt-realtime)/, 'o200k_base'],
	[/^(ft:)?(gpt-4|gpt-3\.5|gpt-35|text-embedding-(3|ada-002)|babbage-002|davinci-002)/, 'cl100k_base'],
];

/** Base64 and data: URIs, and the backslash that may stand before a slash. */
const opaqueChars = new Uint8Array(256);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_:;,.\\') opaqueChars[char.charCodeAt(0)] = 1;

/** Whether a string is passed over when it stands in a body. */
export const isOpaque = (text: string): boolean => {
	for (let at = 0; at < opaqueLook; at += 1) if (opaqueChars[text.charCodeAt(at)] !== 1) return false;
	return text.length > opaqueBytes;
};

/** Where the string that begins at `from` ends when it is passed over, else -1. */
const opaqueEnd = (body: Buffer, from: number): number => {
	for (let at = from; at < from + opaqueLook; at += 1) if (at >= body.length || opaqueChars[body[at]!] !== 1) return -1;
	const end = body.indexOf(QUOTE, from);
	return end - from > opaqueBytes ? end : -1;
};

type CountPiece = (bytes: Uint8Array, from: number, to: number) => number;

/** As many tokens as the encoding makes of a piece. */
const asEncoded = ({table}: Loaded): CountPiece => table.count;

/**
 * For tokenizers that are not public or not known: twice what o200k makes of a word, and never less than one token for
 * three bytes of a word, four blanks, or one byte of anything else. docs/prices.md says on what evidence.
 */
const asUnknown =
	({table, pieces}: Loaded): CountPiece =>
	(bytes, from, to) => {
		const length = to - from;
		if (pieces.kind === pieceKinds.words) return Math.min(length, Math.max(2 * table.count(bytes, from, to), Math.ceil(length / 3)));
		return pieces.kind === pieceKinds.blanks ? Math.ceil(length / 4) : length;
	};

const isWordByte = (byte: number | undefined): boolean => byte !== undefined && (byte >= 0x80 || (byte | 0x20) - 0x61 < 26) && byte > 0x40;

/** `\n`, `\r`, `\t` and `\f`, by their letter. */
const isBlank = (letter: number | undefined): boolean =>
	letter === LETTER_N || letter === LETTER_R || letter === LETTER_T || letter === LETTER_F;

const isInsideChar = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** Where to cut a piece that is too long to be merged: where a character ends. */
const cutOf = (bytes: Uint8Array, from: number, to: number): number => {
	if (to - from <= longestPiece) return to;
	let end = from + longestPiece;
	while (end > from + 1 && isInsideChar(bytes[end])) end -= 1;
	return end;
};

type Loaded = {table: TokenTable; pieces: Pieces};
type Reader = Loaded & {countPiece: CountPiece};

const openBound = (load: () => Promise<Loaded>, countPieceWith: (loaded: Loaded) => CountPiece): TokenBound => {
	let reader: Reader | undefined;
	let loading: Promise<unknown> | undefined;
	/** Where `countText` stopped. */
	let stopped = 0;

	/**
	 * Up to a quote that is not escaped, to `to`, or until the work is done that may be. An escape counts as what it may
	 * stand for, byte by byte; unless it is a line break, before a word as one more: the two together can be more tokens than apart.
	 * Signs behind an escape may belong to the same piece, and so may slashes behind a line break: they count byte by byte too.
	 */
	const countText = ({table, pieces, countPiece}: Reader, bytes: Uint8Array, from: number, to: number): number => {
		let tokens = 0;
		let at = from;
		while (at < to && table.work <= countedWork) {
			const byte = bytes[at];
			if (byte === QUOTE) break;
			if (byte === BACKSLASH) {
				const kind = bytes[at + 1];
				const behind = Math.min(to, at + (kind === LETTER_U ? 6 : 2));
				at = isBlank(kind) && bytes[behind] !== SLASH ? behind : pieces.others(bytes, behind, to);
				tokens += (kind === LETTER_U ? 3 : 1) + at - behind;
				if ((at > behind || kind !== LETTER_N) && isWordByte(bytes[at])) tokens += 1;
				continue;
			}
			const end = pieces.next(bytes, at, to);
			if (end - at <= longestPiece) {
				tokens += countPiece(bytes, at, end);
				at = end;
				continue;
			}
			for (let cut = 0; at < end && table.work <= countedWork; at = cut) {
				cut = cutOf(bytes, at, end);
				// One more, since a cut may part what would have been one token.
				tokens += countPiece(bytes, at, cut) + 1;
			}
		}
		stopped = Math.min(at, to);
		return tokens;
	};

	/** Outside strings every byte but blanks counts: more than what a provider puts around messages and tools. */
	const countBody = (known: Reader, body: Buffer): number => {
		known.table.work = 0;
		let tokens = 0;
		let passed = 0;
		let at = 0;
		let readTo = Math.min(countedBytes, body.length);
		while (at < readTo) {
			if (body[at] !== QUOTE) {
				if (body[at]! > SPACE) tokens += 1;
				at += 1;
				continue;
			}
			const opaque = opaqueEnd(body, at + 1);
			if (opaque >= 0) {
				passed += opaque - at - 1;
				at = opaque + 1;
				readTo = Math.min(countedBytes + passed, body.length);
				continue;
			}
			tokens += countText(known, body, at + 1, readTo);
			at = stopped;
			if (body[at] !== QUOTE) break;
			at += 1;
		}
		return Math.min(body.length, tokens + passed + body.length - at);
	};

	return {
		input: (body, mediaBytes = 0) => Math.max(0, (reader ? countBody(reader, body) : body.length) - mediaBytes),
		text(bytes, from, to) {
			if (!reader) return to - from;
			reader.table.work = 0;
			const tokens = countText(reader, bytes, from, to);
			return Math.min(to - from, tokens + to - stopped);
		},
		get ready() {
			return reader !== undefined;
		},
		load() {
			loading ??= load().then(all => {
				reader = {...all, countPiece: countPieceWith(all)};
			});
			return loading;
		},
	};
};

/** Loads nothing until it is asked to, and then only the vocabulary that was asked for. */
export const openTokens = (loadTable: (encoding: Encoding) => Promise<TokenTable> = loadTokenTable): Tokens => {
	const loaded = new Map<Encoding, Promise<Loaded>>();
	const loadBoth = async (encoding: Encoding): Promise<Loaded> => ({table: await loadTable(encoding), pieces: await loadPieces(encoding)});
	const load = (encoding: Encoding): Promise<Loaded> => {
		const known = loaded.get(encoding) ?? loadBoth(encoding);
		loaded.set(encoding, known);
		return known;
	};
	const bounds = {
		o200k_base: openBound(() => load('o200k_base'), asEncoded),
		cl100k_base: openBound(() => load('cl100k_base'), asEncoded),
		unknown: openBound(() => load('o200k_base'), asUnknown),
	};
	return {
		boundFor(model, exact) {
			const [, encoding = 'unknown'] = (exact && encodings.find(([names]) => names.test(model))) || [];
			return bounds[encoding];
		},
	};
};
