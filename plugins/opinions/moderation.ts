import {categoryOf, isObject, type Opinion, type Shape, scoreIn} from './shapes.ts';

const mostCategories = 64;

/** OpenAI's moderation: https://platform.openai.com/docs/api-reference/moderations */
export const moderationShape: Shape = {
	question: text => ({operation: 'moderations', body: {input: text}}),
	opinionIn(answer) {
		const results = isObject(answer) ? answer.results : undefined;
		const [result, ...others] = Array.isArray(results) ? results : [];
		if (!isObject(result) || others.length > 0) return undefined;
		const {categories = {}, category_scores: scores = {}, flagged} = result;
		if (!isObject(categories) || !isObject(scores)) return undefined;
		const names = [...new Set([...Object.keys(categories), ...Object.keys(scores)])];
		if (names.length > mostCategories) return undefined;
		const opinion: Opinion = {};
		for (const name of names) {
			const score = Object.hasOwn(scores, name) ? scoreIn(scores[name]) : Number(categories[name] === true);
			if (score === undefined) return undefined;
			const category = categoryOf(name);
			opinion[category] = Math.max(opinion[category] ?? 0, score);
		}
		// It flags what it has no name for, or says nothing at all.
		if (names.length === 0 && typeof flagged !== 'boolean') return undefined;
		return names.length === 0 && flagged === true ? {other: 1} : opinion;
	},
};
