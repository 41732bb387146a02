import * as z from 'zod';
import {allow, deny, type Finding} from '../../plugin-sdk/index.ts';
import type {Heard} from './ask.ts';
import type {Channel} from './pieces.ts';

const rule = z.strictObject({
	/** From which score on it is a finding. */
	from: z.number().min(0).max(1).default(0.5),
	action: z.enum(['flag', 'taint', 'deny']).default('deny'),
});

/** By category; `*` is every other one, and without it they are nothing. */
export const rules = z.record(z.union([z.literal('*'), z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/)]), rule);
export type Rules = z.output<typeof rules>;

export const channel = z.enum(['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments']);
/** Who runs this has written the system prompts; in answers they are ids and names. */
export const channels: readonly Channel[] = channel.options.filter(name => name !== 'system');

/** What both plugins that ask for opinions are told about asking. */
export const asking = {
	/** One of `grants.models`. */
	model: z.string().min(1).max(300),
	in: z
		.array(z.enum(['request', 'response']))
		.min(1)
		.default(['request', 'response']),
	/** What becomes of a text that nobody could judge: a model that is late, down or makes no sense, or too much to ask about. */
	onUncertain: z.enum(['deny', 'allow']).default('deny'),
	timeMs: z.int().min(10).max(20_000).default(3_000),
	questions: z.int().min(1).max(16).default(8),
	/** Longest text of one question. */
	chars: z.int().min(200).max(50_000).default(6_000),
	rememberMs: z.int().min(0).max(86_400_000).default(600_000),
};

/** What to do about what was heard of a text, by where it came from. */
export type Policy = {rulesFor(channel: Channel): Rules; onUncertain: 'deny' | 'allow'};

/** As many as a verdict may tell of. */
const most = 64;

const unjudged = 'not-judged';

const findingsIn = (heard: Heard, detector: string, {rulesFor, onUncertain}: Policy): Finding[] => {
	const {channel: from, span} = heard.piece;
	const by = rulesFor(from);
	const where = {detector, channel: from, ...(span && {span})};
	if (heard.failure !== undefined)
		return [{...where, category: unjudged, severity: 'medium', score: 1, action: onUncertain === 'deny' ? 'deny' : 'flag'}];
	return Object.entries(heard.opinion).flatMap(([category, score]): Finding[] => {
		const rule = Object.hasOwn(by, category) ? by[category] : by['*'];
		if (!rule || score < rule.from) return [];
		return [{...where, category, severity: rule.action === 'flag' ? 'medium' : 'high', score, action: rule.action}];
	});
};

const weight: Readonly<Partial<Record<Finding['action'], number>>> = {deny: 2, taint: 1};

/** What is to be done about what was heard; undefined where there is nothing to say. */
export const verdictOn = (heard: readonly Heard[], detector: string, policy: Policy) => {
	const found = heard.flatMap(one => findingsIn(one, detector, policy));
	if (found.length === 0) return undefined;
	const findings = found.sort((one, other) => (weight[other.action] ?? 0) - (weight[one.action] ?? 0)).slice(0, most);
	const failure = heard.find(one => one.failure !== undefined)?.failure;
	const effects = {findings, ...(failure !== undefined && {annotate: {notJudged: failure}})};
	const worst = findings.find(({action, category}) => action === 'deny' && category !== unjudged);
	if (worst)
		return deny({
			code: 'content_blocked',
			message: 'This was judged to be of a kind that is refused here.',
			rule: worst.category,
			...effects,
		});
	if (findings.some(({action}) => action === 'deny'))
		return deny({code: 'denied', message: 'This could not be judged, so it was refused.', rule: unjudged, ...effects});
	return allow(effects);
};
