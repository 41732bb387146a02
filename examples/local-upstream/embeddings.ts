import {createHash} from 'node:crypto';
import {tokensIn} from './answer.ts';
import type {Behaviour} from './behaviour.ts';
import {Refusal} from './dialect.ts';
import {countOf, type Fields, stringOf} from './json.ts';

const coordinatesPerWord = 4;

/** A unit vector in which texts that share words lie close to each other. */
const vectorOf = (words: string[], dimensions: number): Float32Array => {
	const vector = new Float32Array(dimensions);
	for (const word of words) {
		const hash = createHash('sha256').update(word).digest();
		for (let each = 0; each < coordinatesPerWord; each++) {
			const place = hash.readUInt32LE(each * 4) % dimensions;
			vector[place] = (vector[place] ?? 0) + ((hash[16 + each] ?? 0) < 128 ? 1 : -1);
		}
	}
	const length = Math.hypot(...vector);
	if (length === 0) vector[0] = 1;
	return length === 0 ? vector : vector.map(coordinate => coordinate / length);
};

type Input = {words: string[]; tokens: number};

const textInput = (text: string): Input => ({words: text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [text], tokens: tokensIn(text.length)});

const input = (value: unknown): Input => {
	if (typeof value === 'string' && value !== '') return textInput(value);
	if (Array.isArray(value) && value.length > 0 && value.every(Number.isInteger)) return {words: value.map(String), tokens: value.length};
	throw new Refusal(
		400,
		'invalid',
		"'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
	);
};

const inputs = (value: unknown): Input[] => {
	const many = Array.isArray(value) && value.length > 0 && !value.every(Number.isInteger);
	return many ? value.map(input) : [input(value)];
};

/** The answer to `POST /v1/embeddings`: the same vector for the same text, wherever and whenever it is asked. */
export const embeddings = (body: Fields, {reportsUsage}: Behaviour): Fields => {
	const asked = inputs(body.input);
	const dimensions = Math.min(4096, countOf(body.dimensions, 1536));
	const tokens = asked.reduce((sum, each) => sum + each.tokens, 0);
	return {
		object: 'list',
		model: stringOf(body.model),
		data: asked.map(({words}, index) => {
			const vector = vectorOf(words, dimensions);
			const embedding = body.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : Array.from(vector);
			return {object: 'embedding', index, embedding};
		}),
		...(reportsUsage && {usage: {prompt_tokens: tokens, total_tokens: tokens}}),
	};
};
