import {isObject, type JsonObject} from './json.ts';

type Kept = {choice: JsonObject; logprobs: unknown /** The tokens that might have stood there instead, a line for each. */; others: string};

const listOf = (value: unknown): JsonObject[] | undefined => (Array.isArray(value) && value.every(isObject) ? value : undefined);

const isBytes = (value: unknown): value is number[] =>
	Array.isArray(value) && value.every(byte => Number.isInteger(byte) && byte >= 0 && byte < 256);

/** Whether tokens say `said` once more and nothing else, in characters and, where they are there, in bytes. */
const repeats = (tokens: readonly JsonObject[], said: unknown): boolean => {
	if (typeof said !== 'string' || tokens.map(({token}) => String(token)).join('') !== said) return false;
	const bytes = tokens.map(({bytes}) => bytes ?? null);
	return bytes.every(each => each === null) || (bytes.every(isBytes) && Buffer.from(bytes.flat()).toString() === said);
};

const othersIn = (tokens: readonly JsonObject[]): string => {
	const others = new Set<string>();
	for (const {top_logprobs: top} of tokens) for (const {token} of listOf(top) ?? []) others.add(String(token));
	return [...others].join('\n');
};

/** Takes the `logprobs` out of a reply's choices; answers those that only repeat what their choice says. */
export const takeLogprobs = ({choices}: JsonObject): Kept[] => {
	const kept: Kept[] = [];
	for (const choice of Array.isArray(choices) ? choices.filter(isObject) : []) {
		const {logprobs, message} = choice;
		if (!isObject(logprobs)) continue;
		choice.logprobs = null;
		const {content, refusal, ...more} = logprobs;
		const said = isObject(message) ? message : {};
		const lists = [
			[content, said.content],
			[refusal, said.refusal],
		].filter(([list]) => list !== undefined && list !== null);
		const isEcho = lists.every(([list, text]) => {
			const tokens = listOf(list);
			return tokens !== undefined && repeats(tokens, text) && tokens.every(hasNothingElse);
		});
		if (isEcho && Object.keys(more).length === 0)
			kept.push({
				choice,
				logprobs,
				others: lists
					.map(([list]) => othersIn(listOf(list)!))
					.filter(Boolean)
					.join('\n'),
			});
	}
	return kept;
};

const fields: ReadonlySet<string> = new Set(['token', 'logprob', 'bytes', 'top_logprobs']);

const hasNothingElse = (token: JsonObject): boolean =>
	Object.keys(token).every(key => fields.has(key)) &&
	(listOf(token.top_logprobs ?? []) ?? [{x: 1}]).every(other => Object.keys(other).every(key => fields.has(key) && key !== 'top_logprobs'));
