import type {Channel} from '../opinions/pieces.ts';
import {type Opinion, type Shape, tame, wordsOf} from '../opinions/shapes.ts';

/** The hazards of Llama Guard 3 and 4, S1 to S14: https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-3/ */
const hazards = [
	...['violent-crimes', 'non-violent-crimes', 'sex-crimes', 'child-exploitation', 'defamation', 'specialized-advice', 'privacy'],
	...['intellectual-property', 'indiscriminate-weapons', 'hate', 'self-harm', 'sexual-content', 'elections', 'code-interpreter-abuse'],
];

/** It judges what was said last: what a model has said as that, and everything else as a user's. */
const messages = (text: string, channel: Channel) => {
	const content = tame(text);
	if (channel !== 'assistant') return [{role: 'user', content}];
	return [
		{role: 'user', content: 'What is your answer?'},
		{role: 'assistant', content},
	];
};

/** Llama Guard: `safe`, or `unsafe` and on the next line the codes of what it is. */
export const llamaGuardShape = (params: Record<string, string | number | boolean>): Shape => ({
	question: (text, channel) => ({operation: 'chat', body: {...params, messages: messages(text, channel)}}),
	opinionIn(answer): Opinion | undefined {
		const [verdict, codes, ...more] = wordsOf(answer)?.split(/\s*\n\s*/) ?? [];
		if (more.length > 0) return undefined;
		if (verdict === 'safe' && codes === undefined) return {};
		if (verdict !== 'unsafe') return undefined;
		if (codes === undefined) return {other: 1};
		const named = codes.split(/\s*,\s*/);
		if (named.length > 20 || !named.every(code => /^S\d{1,2}$/.test(code))) return undefined;
		return Object.fromEntries(named.map(code => [hazards[Number(code.slice(1)) - 1] ?? 'other', 1]));
	},
});
