import type {Finding} from '../../plugin-sdk/index.ts';

export type Channel = Finding['channel'];

/** What one question is about: texts of one channel that fit into it, or a part of one that is longer. */
export type Piece = {channel: Channel; text: string; span?: {text: number; start: number; end: number}};

/** What stands between two texts in one question. */
const between = '\n\n';

/** What a provider calls the figures it bills by: they stand in each of its answers, and say nothing. */
const figure = /^[a-z0-9_]{1,40}_tokens(?:_details)?$/;

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Parts of a text that overlap, so that what stands across a seam is seen whole in one of them. */
const partsOf = (text: string, chars: number): {start: number; end: number}[] => {
	const overlap = Math.floor(chars / 20);
	const parts: {start: number; end: number}[] = [];
	for (let start = 0; ; ) {
		let end = Math.min(text.length, start + chars);
		if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--;
		parts.push({start, end});
		if (end === text.length) return parts;
		start = end - overlap;
		if (isHighSurrogate(text.charCodeAt(start - 1))) start--;
	}
};

/**
 * The texts in pieces of at most `chars` characters, channel by channel. What comes first is cut up the same whatever follows: a conversation
 * that grows has only its end judged anew.
 */
export const piecesOf = (texts: readonly string[], channelOf: (index: number) => Channel | undefined, chars: number): Piece[] => {
	const open = new Map<Channel, Piece>();
	const pieces: Piece[] = [];
	for (const [index, text] of texts.entries()) {
		const channel = channelOf(index);
		if (channel === undefined || text.trim() === '' || figure.test(text)) continue;
		const last = open.get(channel);
		if (last && last.text.length + between.length + text.length <= chars) {
			last.text += between + text;
			delete last.span;
			continue;
		}
		for (const {start, end} of partsOf(text, chars)) {
			const piece: Piece = {channel, text: text.slice(start, end), span: {text: index, start, end}};
			pieces.push(piece);
			open.set(channel, piece);
		}
	}
	return pieces;
};
