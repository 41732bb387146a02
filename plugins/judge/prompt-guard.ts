import type {Json} from '../../plugin-sdk/index.ts';
import {isObject, jsonIn, type Opinion, type Shape, scoreIn, tame, wordsOf} from '../opinions/shapes.ts';

const attacks = /^(?:malicious|injection|jailbreak|unsafe|label_[12])$/i;
const harmless = /^(?:benign|safe|label_0)$/i;

const ofLabel = (label: string, score: number): number | undefined => {
	if (attacks.test(label)) return score;
	return harmless.test(label) ? 1 - score : undefined;
};

/** One label with its score, or all of them: then the surest attack counts. */
const ofLabels = (said: Json): number | undefined => {
	const [inner] = Array.isArray(said) && said.length === 1 ? said : [said];
	const labels = Array.isArray(inner) ? inner : [inner];
	if (labels.length === 0 || labels.length > 20) return undefined;
	const scores = labels.map(one => {
		const score = isObject(one) ? scoreIn(one.score) : undefined;
		return isObject(one) && typeof one.label === 'string' && score !== undefined ? ofLabel(one.label, score) : undefined;
	});
	const known = scores.filter(score => score !== undefined);
	return known.length === scores.length ? Math.max(...known) : undefined;
};

const scoreOf = (words: string): number | undefined => {
	if (attacks.test(words) || harmless.test(words)) return ofLabel(words, 1);
	const json = jsonIn(words);
	return typeof json === 'number' ? scoreIn(json) : json === undefined ? undefined : ofLabels(json);
};

/** Prompt Guard and other classifiers behind a chat API: a score, a label, or labels with their scores. */
export const promptGuardShape = (category: string, params: Record<string, string | number | boolean>): Shape => ({
	question: text => ({operation: 'chat', body: {...params, messages: [{role: 'user', content: tame(text)}]}}),
	opinionIn(answer): Opinion | undefined {
		const words = wordsOf(answer);
		const score = words === undefined ? undefined : scoreOf(words);
		return score === undefined ? undefined : {[category]: score};
	},
});
