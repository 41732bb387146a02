import type {Host, Json} from '../../plugin-sdk/index.ts';

/** What a text may be about, shown by examples of it. */
export type Topic = {
	rule: number;
	examples: readonly string[];
	/** How near a text has to come to an example: the cosine of their vectors. */
	threshold: number;
};

/** A piece of a text that is about a topic. */
export type About = {start: number; end: number; rule: number; score: number};

/** A topic that a piece comes near. */
type Near = {rule: number; score: number};

export type MeaningOptions = {model: string; topics: readonly Topic[]; timeMs: number};

/** What somebody asks about in one call; `undefined` where the model could not be asked, or there is more than it is asked about. */
export type Meaning = (text: readonly string[], models: Host<unknown>['models']) => Promise<About[][] | undefined>;

/** A long text is about many things: it is looked at in pieces of a few sentences. */
const pieceOf = /\S[\s\S]{0,499}(?=\s|$)|\S[\s\S]{0,499}/gu;
const longestPiece = 500;
const fewestLetters = 8;
const atATime = 16;
const mostAsked = 200;
const mostKnown = 5_000;

type Vector = Float64Array;

const isNumbers = (value: Json | undefined): value is number[] =>
	Array.isArray(value) && value.length > 0 && value.every(each => typeof each === 'number' && Number.isFinite(each));

const unit = (numbers: readonly number[]): Vector => {
	const length = Math.hypot(...numbers) || 1;
	return Float64Array.from(numbers, each => each / length);
};

/** Words that are asked about at once, and where they stand in which text; of several texts, the first. */
type Piece = {words: string; text: number; start: number; end: number};

const piecesOf = (texts: readonly string[]): Piece[] =>
	texts.flatMap((given, text) =>
		[...given.matchAll(pieceOf)]
			.filter(([words]) => words.length >= fewestLetters)
			.map(({0: words, index: start}) => ({words, text, start, end: start + words.length})),
	);

/** Many short pieces in fewer, as the strings of a long result are. */
const together = (pieces: readonly Piece[], isKnown: (words: string) => boolean): Piece[] => {
	const joined: Piece[] = [];
	let open: Piece | undefined;
	for (const piece of pieces) {
		if (isKnown(piece.words)) joined.push(piece);
		else if (open && open.words.length + 1 + piece.words.length <= longestPiece) open.words += `\n${piece.words}`;
		else {
			open = {...piece};
			joined.push(open);
		}
	}
	return joined;
};

/** The vectors of an answer, in the order of the texts; undefined where it is not what was asked for. */
const vectorsIn = (body: Json, count: number): Vector[] | undefined => {
	const data = typeof body === 'object' && body !== null && !Array.isArray(body) ? body.data : undefined;
	if (!Array.isArray(data) || data.length !== count) return undefined;
	const vectors: Vector[] = [];
	for (const [place, item] of data.entries()) {
		if (typeof item !== 'object' || item === null || Array.isArray(item) || !isNumbers(item.embedding)) return undefined;
		const index = item.index ?? place;
		if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count || vectors[index]) return undefined;
		vectors[index] = unit(item.embedding);
	}
	return vectors.length === count ? vectors : undefined;
};

/** The cosine of two vectors of the same length, which are one unit long. */
const nearness = (one: Vector, other: Vector): number => {
	let sum = 0;
	for (let at = 0; at < one.length; at++) sum += one[at]! * other[at]!;
	return sum;
};

/** Asks an embedding model what texts are about. What it has answered is remembered, so that a conversation is asked about once. */
export const openMeaning = ({model, topics, timeMs}: MeaningOptions): Meaning => {
	const examples = new Map<string, Vector>();
	/** By piece: the rules it comes near, and how near. */
	const known = new Map<string, Near[]>();

	const ask = async (texts: readonly string[], models: Host<unknown>['models']): Promise<Vector[] | undefined> => {
		const parts = Array.from({length: Math.ceil(texts.length / atATime)}, (_, at) => texts.slice(at * atATime, (at + 1) * atATime));
		const answers = await Promise.all(
			parts.map(async part => {
				const body = {input: part, encoding_format: 'float'};
				const {value} = await models.ask({model, operation: 'embeddings', body, timeoutMs: timeMs});
				return value && value.status < 300 ? vectorsIn(value.body, part.length) : undefined;
			}),
		);
		return answers.every(each => each !== undefined) ? answers.flat() : undefined;
	};

	const judge = (vector: Vector): Near[] =>
		topics.flatMap(({rule, examples: shown, threshold}) => {
			const score = Math.max(...shown.map(example => nearness(vector, examples.get(example)!)));
			return score >= threshold ? [{rule, score: Math.min(1, score)}] : [];
		});

	return async (texts, models) => {
		if (known.size > mostKnown) known.clear();
		const missing = new Set(topics.flatMap(topic => topic.examples).filter(example => !examples.has(example)));
		const isKnown = (words: string) => known.has(words);
		const freshOf = (pieces: readonly Piece[]) => new Set(pieces.map(({words}) => words).filter(words => !isKnown(words)));
		let pieces = piecesOf(texts);
		let fresh = freshOf(pieces);
		if (missing.size + fresh.size > mostAsked) {
			pieces = together(pieces, isKnown);
			fresh = freshOf(pieces);
		}
		if (missing.size + fresh.size > mostAsked) return undefined;
		/** What becomes of these, whatever others ask, and have forgotten, until the model has answered. */
		const here = new Map(pieces.map(({words}) => [words, known.get(words) ?? []]));
		const asked = [...missing, ...[...fresh].filter(piece => !missing.has(piece))];
		if (fresh.size > 0) {
			const vectors = await ask(asked, models);
			if (!vectors) return undefined;
			const [first = vectors[0]!] = examples.values();
			// Vectors of another length come from another model: nothing can be said about them.
			if (vectors.some(({length}) => length !== first.length)) return undefined;
			const byText = new Map(asked.map((text, index) => [text, vectors[index]!]));
			for (const example of missing) examples.set(example, byText.get(example)!);
			for (const piece of fresh) {
				const near = judge(byText.get(piece)!);
				here.set(piece, near);
				known.set(piece, near);
			}
		}
		const about: About[][] = texts.map(() => []);
		for (const {words, text, start, end} of pieces) about[text]!.push(...here.get(words)!.map(near => ({...near, start, end})));
		return about;
	};
};
