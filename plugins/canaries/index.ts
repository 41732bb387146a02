import {allow, type Channel, definePlugin, deny, type Finding, type Json, type Operation, rewrite} from '../../plugin-sdk/index.ts';
import {type Action, type Config, config} from './config.ts';
import {find, type Hit, openFrom, without} from './find.ts';
import {type Needles, needlesFor} from './needles.ts';
import {tokensFor} from './tokens.ts';

const severities = {answers: 'high', toolArguments: 'critical', toolResults: 'high', requests: 'medium'} as const;
type Place = keyof typeof severities;

const isOfModel = (operation: Operation): boolean => operation === 'chat' || operation === 'messages' || operation === 'count_tokens';

/** What a text of a request is, where it is looked at. Of a tool call, on-tool-call looks at the arguments. */
const placeInRequest = (operation: Operation, channel: Channel): Place | undefined => {
	if (channel === 'system' || channel === 'tool-description') return undefined;
	if (channel === 'tool-result') return 'toolResults';
	if (isOfModel(operation)) return 'requests';
	return operation === 'tools/call' ? undefined : 'toolArguments';
};

/** On-tool-call is not asked about tools that a provider runs itself: their arguments are looked at here. */
const placeInAnswer = (channel: Channel): Place => {
	if (channel === 'tool-arguments') return 'toolArguments';
	return channel === 'tool-result' || channel === 'tool-description' ? 'toolResults' : 'answers';
};

type Found = {findings: Finding[]; actions: Set<Action>; patch: Record<string, string>};

const openFound = (): Found => ({findings: [], actions: new Set(), patch: {}});

const mostFindings = 32;

/** Notes what was found at one place; `text` is its index, where there are several. */
const note = (
	found: Found,
	hits: readonly Hit[],
	{place, action, channel, text}: {place: Place; action: Action; channel: Channel; text?: number},
): void => {
	if (action === 'off') return;
	found.actions.add(action);
	for (const {start, end, encoded} of hits) {
		if (found.findings.length >= mostFindings) return;
		found.findings.push({
			detector: encoded ? 'canary-encoded' : 'canary',
			category: 'prompt-leak',
			severity: severities[place],
			score: 1,
			channel,
			...(end > start && {span: {...(text !== undefined && {text}), start, end}}),
			action,
		});
	}
};

const refusal = (findings: Finding[]) => {
	// What a verdict refuses it does not also strip.
	const told = findings.map(finding => (finding.action === 'strip' ? {...finding, action: 'deny' as const} : finding));
	return deny({code: 'content_blocked', message: 'This holds what is not to leave the system prompt.', rule: 'canary', findings: told});
};

/** Looks through all texts that came whole. */
const through = (
	texts: readonly string[],
	channels: readonly Channel[],
	placeOf: (channel: Channel) => Place | undefined,
	needles: Needles,
	config: Config,
): Found => {
	const found = openFound();
	for (const [index, text] of texts.entries()) {
		const channel = channels[index] ?? 'user';
		const place = placeOf(channel);
		if (place === undefined || config[place] === 'off') continue;
		const hits = find(text, needles);
		if (hits.length === 0) continue;
		const action = config[place];
		note(found, hits, {place, action, channel, text: index});
		if (action === 'strip') found.patch[index] = without(text, hits);
	}
	return found;
};

/** Where the token is put: behind the longest text of the system, which is the prompt and no name in it. */
const promptIn = (texts: readonly string[], channels: readonly Channel[]): number | undefined => {
	let longest: number | undefined;
	for (const [index, channel] of channels.entries())
		if (channel === 'system' && (longest === undefined || texts[index]!.length > texts[longest]!.length)) longest = index;
	return longest;
};

/** The strings among the values, in their order. */
const stringsIn = (value: Json): string[] => {
	if (typeof value === 'string') return [value];
	if (typeof value !== 'object' || value === null) return [];
	return (Array.isArray(value) ? value : Object.values(value)).flatMap(stringsIn);
};

const stripped = (value: Json, needles: Needles): Json => {
	if (typeof value === 'string') return without(value, find(value, needles));
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map(item => stripped(item, needles));
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, stripped(inner, needles)]));
};

const readTokens = (carried: string | undefined): Needles | undefined =>
	// Only this plugin's own `carry` comes back here.
	carried === undefined ? undefined : needlesFor(JSON.parse(carried) as string[]);

export default definePlugin({
	config,

	hooks: {
		/** Puts the token behind the system prompt, and looks for it in everything else that is said. */
		'pre-request'({principal: {tenant}, session, operation, text, channels}, host) {
			const {token, all, put} = tokensFor({tenant, session}, host);
			const found = through(text, channels, channel => placeInRequest(operation, channel), needlesFor(all), host.config);
			if (found.actions.has('deny')) return refusal(found.findings);
			const {patch} = found;
			const prompt = isOfModel(operation) ? promptIn(text, channels) : undefined;
			if (prompt !== undefined && !text[prompt]!.includes(token))
				patch[prompt] = `${text[prompt]}\n\n${host.config.line.replace('{token}', token)}`;
			const effects = {carry: JSON.stringify(all), ...(put && {put}), ...(found.findings.length > 0 && {findings: found.findings})};
			return Object.keys(patch).length > 0 ? rewrite({text: patch}, effects) : allow(effects);
		},

		/** Looks through what a tool is to be called with; also for a token that was cut up among several arguments. */
		'on-tool-call'({tool: {arguments: args}, carried}, {config: {toolArguments: action}}) {
			const needles = readTokens(carried);
			if (!needles || action === 'off') return undefined;
			const found = openFound();
			const strings = stringsIn(args);
			for (const [text, string] of strings.entries())
				note(found, find(string, needles), {place: 'toolArguments', action, channel: 'tool-arguments', text});
			const isWhole = found.findings.length > 0;
			// Its names, and what stands in several of its strings: that has no place, and cannot be taken out.
			if (!isWhole && [strings.join(''), JSON.stringify(args)].some(all => find(all, needles).length > 0))
				note(found, [{start: 0, end: 0, encoded: true}], {place: 'toolArguments', action, channel: 'tool-arguments'});
			if (found.findings.length === 0) return undefined;
			const {findings} = found;
			if (action === 'deny' || (action === 'strip' && !isWhole)) return refusal(findings);
			return action === 'strip' ? rewrite({arguments: stripped(args, needles) as Record<string, Json>}, {findings}) : allow({findings});
		},

		/** Looks through answers and results, streams piece by piece: what may be the beginning of a token waits for the rest. */
		'post-response'({text, channels, window, carried}, {config}) {
			const needles = readTokens(carried);
			if (!window) {
				if (!needles) return undefined;
				const {findings, actions, patch} = through(text, channels, placeInAnswer, needles, config);
				if (actions.has('deny')) return refusal(findings);
				if (findings.length === 0) return undefined;
				return Object.keys(patch).length > 0 ? rewrite({text: patch}, {findings}) : allow({findings});
			}
			const channel = channels[0] ?? 'assistant';
			const place = placeInAnswer(channel);
			const action = config[place];
			if (!needles || action === 'off') return allow({clear: window.text.length});
			const hits = find(window.text, needles);
			const open = window.final ? window.text.length : openFrom(window.text, needles);
			if (hits.length === 0) return allow({clear: open});
			const found = openFound();
			note(found, hits, {place, action, channel});
			const {findings} = found;
			if (action === 'deny') return refusal(findings);
			// What is told of here is not to be met again.
			const clear = Math.max(open, hits.at(-1)!.end);
			return action === 'strip'
				? rewrite({window: without(window.text.slice(0, clear), hits)}, {clear, findings})
				: allow({clear, findings});
		},
	},
});
