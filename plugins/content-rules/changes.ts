import type {Finding} from '../../plugin-sdk/index.ts';
import type {Action} from './fields.ts';
import type {Hit} from './hits.ts';
import type {LanguageRule, Rule} from './settings.ts';
import type {Foreign} from './spoken.ts';

type Range = {readonly start: number; readonly end: number};

/** As many findings as a verdict may tell of. */
const most = 64;

const removes = (action: Action): boolean => action === 'mask' || action === 'strip';

/** `text` with something else for all that is to be masked or stripped; what overlaps goes as one. */
export const written = (text: string, from: number, to: number, hits: readonly Hit[], rules: readonly Rule[]): string => {
	let out = '';
	let at = from;
	for (const {start, end, rule, as} of hits) {
		const {action, mark} = rules[rule]!;
		if (!removes(action) || end <= at) continue;
		if (start >= at) out += text.slice(at, start) + (as ?? mark);
		at = end;
	}
	return out + text.slice(at, Math.max(at, to));
};

/** What is told of a hit. `text` is the index of its text, and missing for a stream. */
export const findingOf = (
	{rule}: Hit,
	{start, end}: Range,
	rules: readonly Rule[],
	channel: Finding['channel'],
	text?: number,
): Finding => {
	const {detector, category, severity, action} = rules[rule]!;
	return {detector, category, severity, score: 1, channel, span: {...(text === undefined ? {} : {text}), start, end}, action};
};

/** A finding about the language of a text; one that cannot be told is of another category, and refused. */
export const findingOfLanguage = (
	{kind, ...range}: Foreign,
	{rule}: LanguageRule,
	rules: readonly Rule[],
	channel: Finding['channel'],
	text?: number,
): Finding => {
	const found = findingOf({...range, rule}, range, rules, channel, text);
	return kind === 'foreign' ? found : {...found, category: 'unknown-language', action: 'deny'};
};

/** A finding about an answer as a whole. */
export const findingOfAnswer = (detector: 'length' | 'json' | 'schema', action: 'flag' | 'strip' | 'deny', text?: number): Finding => ({
	detector,
	category: 'answer',
	severity: 'medium',
	score: 1,
	channel: 'assistant',
	...(text === undefined ? {} : {span: {text, start: 0, end: 0}}),
	action,
});

const weight: Readonly<Record<string, number>> = {deny: 0, mask: 1, strip: 1, taint: 2, flag: 3};

/** The findings of a verdict: what was done first, and no more than it may hold. */
export const told = (findings: readonly Finding[]): {findings?: Finding[]} =>
	findings.length === 0 ? {} : {findings: findings.toSorted((one, other) => weight[one.action]! - weight[other.action]!).slice(0, most)};
