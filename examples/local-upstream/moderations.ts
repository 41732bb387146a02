import {Refusal} from './dialect.ts';
import type {Fields} from './json.ts';

const categories = [
	...['harassment', 'harassment/threatening', 'hate', 'hate/threatening', 'illicit', 'illicit/violent', 'self-harm', 'self-harm/intent'],
	...['self-harm/instructions', 'sexual', 'sexual/minors', 'violence', 'violence/graphic'],
];

const [low, high] = [0.001, 0.95];

const resultOf = (text: string): Fields => {
	const scores = Object.fromEntries(categories.map(name => [name, text.toLowerCase().includes(name) ? high : low]));
	const flags = Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score === high]));
	return {flagged: Object.values(flags).includes(true), categories: flags, category_scores: scores};
};

/** The answer to `POST /v1/moderations`: a text is of a category when it has the name of it in it. */
export const moderations = ({input, model}: Fields): Fields => {
	const texts: unknown[] = Array.isArray(input) ? input : [input];
	if (texts.length === 0 || !texts.every(text => typeof text === 'string')) throw new Refusal(400, 'invalid', "'$.input' is invalid.");
	return {id: 'modr-local', model, results: texts.map(resultOf)};
};
