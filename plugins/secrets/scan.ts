import {matchAddress} from './addresses.ts';
import {matchAssignment} from './assignments.ts';
import {ALNUM, DIGIT, isKind, kindOf, SYMBOL, TOKEN} from './characters.ts';
import type {Found} from './found.ts';
import {matchInfix} from './infix.ts';
import {matchKey, matchToken} from './keys.ts';
import {blockEnd, blockStart} from './private-key.ts';

/** A token of this length or longer is read piece by piece. */
const longestPiece = 512;
/** Room for fewer characters is none: no key is that short. */
const leastPiece = 16;

/** What is open where a scan stopped: a token that is a secret to its end, or a private key. */
export type Inside = '' | 'token' | 'block';

/** What a scan saw; nothing that follows can change it before `open`. */
export type Scan = {
	readonly found: readonly Found[];
	readonly open: number;
	readonly inside: Inside /** Where what was open before ended. */;
	readonly resumed: number;
};

const tokenEnd = (text: string, from: number, limit: number): number => {
	let end = from;
	while (end < limit && isKind(text, end, TOKEN)) end++;
	return end;
};

/** Where a piece of a token ends, and whether anything could be secret about it: most words are short and of letters only. */
type Piece = {end: number; plain: boolean};

const longestWord = 20;

const readPiece = (text: string, from: number, limit: number, piece: Piece): void => {
	let end = from;
	let seen = 0;
	while (end < limit) {
		const kind = kindOf(text.charCodeAt(end));
		if ((kind & TOKEN) === 0) break;
		seen |= kind;
		end++;
	}
	piece.end = end;
	piece.plain = (seen & (DIGIT | SYMBOL)) === 0 && end - from < longestWord;
};

const matchKeys = (text: string, start: number, end: number): Found[] => {
	const found: Found[] = [];
	let index = start;
	while (index < end - 7) {
		const match = matchKey(text, index, end) ?? matchToken(text, index, end);
		if (match !== undefined) {
			found.push(match);
			index = match.end;
			continue;
		}
		// Only the first letter of a word begins a key.
		while (index < end && isKind(text, index, ALNUM)) index++;
		index++;
	}
	return found;
};

const secretsIn = (text: string, start: number, end: number): Found[] => {
	if (end - start < 6) return [];
	const found = end - start < 8 ? [] : matchKeys(text, start, end);
	const token = text.slice(start, end);
	const address = token.length > 12 && token.includes('/') ? matchAddress(token, start) : undefined;
	if (address !== undefined)
		return [...found.filter(each => each.end <= address.start || each.start >= address.end), address].sort(
			(one, other) => one.start - other.start,
		);
	if (found.length > 0) return found;
	const other = (token.length > 36 ? matchInfix(token, start) : undefined) ?? matchAssignment(token, start, text);
	return other === undefined ? [] : [other];
};

/** Where the secret that is open at `from` ends, or how far it surely goes when the text ends before it. */
const close = (text: string, from: number, inside: Inside, final: boolean): {end: number; open: boolean} => {
	if (inside === 'block') return blockEnd(text, from, final);
	const end = tokenEnd(text, from, text.length);
	return {end, open: end === text.length && !final};
};

/** Reads `text` from `from` on; what stands before is only looked back at, `inside` is open at `from`, and `room` characters may be left open. */
export const scan = (text: string, from: number, inside: Inside, final: boolean, room = Number.POSITIVE_INFINITY): Scan => {
	const longest = Math.max(leastPiece, Math.min(room, longestPiece));
	const found: Found[] = [];
	let index = from;
	let resumed = from;
	const piece: Piece = {end: from, plain: true};
	if (inside !== '') {
		const closed = close(text, from, inside, final);
		if (closed.open) return {found, open: closed.end, inside, resumed: closed.end};
		index = closed.end;
		resumed = closed.end;
	}
	/** A secret that may go on: where the scan goes on, or that the text ended. */
	const through = (secret: Found, inside: Inside): boolean => {
		const closed = close(text, secret.end, inside, final);
		found.push({...secret, end: closed.end});
		index = closed.end;
		return closed.open;
	};
	while (index < text.length) {
		if (!isKind(text, index, TOKEN)) {
			index++;
			continue;
		}
		readPiece(text, index, Math.min(text.length, index + longest), piece);
		const {end} = piece;
		if (piece.plain && end < text.length) {
			index = end;
			continue;
		}
		const block = blockStart(text, index, end, final || text.length - index > room);
		if (block === 'undecided') return {found, open: index, inside: '', resumed};
		if (block !== undefined) {
			if (through(block, 'block')) return {found, open: index, inside: 'block', resumed};
			continue;
		}
		const full = end - index === longest;
		if (end === text.length && !final && !full) return {found, open: index, inside: '', resumed};
		const seen = piece.plain ? [] : secretsIn(text, index, end);
		const last = seen.at(-1);
		if (full && last?.end === end) {
			found.push(...seen.slice(0, -1));
			if (through(last, 'token')) return {found, open: index, inside: 'token', resumed};
			continue;
		}
		if (!full) {
			found.push(...seen);
			index = end;
			continue;
		}
		// What begins in the second half of a piece is read again, with what follows it.
		const half = index + (longest >> 1);
		const sure = seen.filter(each => each.start < half);
		found.push(...sure);
		index = Math.max(half, sure.at(-1)?.end ?? 0);
	}
	return {found, open: Math.min(index, text.length), inside: '', resumed};
};

/** Every secret of a text, in order, none overlapping. */
export const detect = (text: string): readonly Found[] => scan(text, 0, '', true).found;
