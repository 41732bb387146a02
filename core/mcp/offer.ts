import {isObject, type JsonObject} from '../llm/json.ts';

/** What a client offers to servers that work for it: some of `parts`, a bit each. */
export type Offer = number;

const parts = {form: 1, url: 2, sampling: 4, context: 8, tools: 16, roots: 32, rootsChange: 64} as const;

export const nothingOffered: Offer = 0;

/** What a client's capabilities offer (2025-11-25 and 2026-07-28); an elicitation without a mode is one of forms. */
export const offerOf = (capabilities: unknown): Offer => {
	if (!isObject(capabilities)) return nothingOffered;
	const {elicitation, sampling, roots} = capabilities;
	let offer = nothingOffered;
	if (isObject(elicitation)) {
		if (isObject(elicitation.url)) offer |= parts.url;
		if (isObject(elicitation.form) || !isObject(elicitation.url)) offer |= parts.form;
	}
	if (isObject(sampling)) {
		offer |= parts.sampling;
		if (isObject(sampling.context)) offer |= parts.context;
		if (isObject(sampling.tools)) offer |= parts.tools;
	}
	if (isObject(roots)) offer |= parts.roots | (roots.listChanged === true ? parts.rootsChange : 0);
	return offer;
};

/** An offer as a client's capabilities say it. */
export const capabilitiesOf = (offer: Offer): JsonObject => {
	const has = (part: keyof typeof parts): boolean => (offer & parts[part]) !== 0;
	return {
		...((has('form') || has('url')) && {elicitation: has('url') ? {...(has('form') && {form: {}}), url: {}} : {}}),
		...(has('sampling') && {sampling: {...(has('context') && {context: {}}), ...(has('tools') && {tools: {}})}}),
		...(has('roots') && {roots: has('rootsChange') ? {listChanged: true} : {}}),
	};
};

const asked = {
	elicitation: parts.form,
	'elicitation-url': parts.url,
	sampling: parts.sampling | parts.context | parts.tools,
	roots: parts.roots | parts.rootsChange,
} as const;
export type Ask = keyof typeof asked;

/** What is left of an offer to a server that may ask for `asks` alone. */
export const within = (offer: Offer, asks: readonly Ask[]): Offer => offer & asks.reduce((sum, ask) => sum | asked[ask], 0);

/** The methods by which servers ask something of a client. */
export const askMethods = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;
export type AskMethod = (typeof askMethods)[number];

export const isAsk = (method: unknown): method is AskMethod => (askMethods as readonly unknown[]).includes(method);

/** What a client has to offer to be asked this. */
export const neededFor = (method: AskMethod, {mode, tools}: JsonObject): Offer => {
	if (method === 'elicitation/create') return mode === 'url' ? parts.url : parts.form;
	if (method === 'roots/list') return parts.roots;
	return parts.sampling | (tools === undefined ? 0 : parts.tools);
};

/** Whether all of `needed` is offered. */
export const covers = (offer: Offer, needed: Offer): boolean => (offer & needed) === needed;
