import {hash} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import type {HookAnswer} from '../../schemas/hooks.ts';
import type {Principal} from '../../schemas/principal.ts';
import {headerField} from '../auth.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Fields, Hooks, Member} from '../hooks.ts';
import type {Value} from '../sandbox/isolate.ts';
import {parseBody} from './body.ts';
import type {Catalogue, Deployment} from './catalogue.ts';
import {requestChannels} from './channels.ts';
import type {Dialect, DialectOperation, RequestFacts} from './dialects/dialect.ts';
import {encodeBody} from './encode.ts';
import {type Estimate, estimate} from './estimate.ts';
import type {JsonObject} from './json.ts';
import {type BodyText, patchText, textOf} from './text.ts';
import type {TokenBound} from './tokens.ts';

/** A request that was understood, as the plugins before left it. */
export type Asked = {
	readonly operation: DialectOperation;
	readonly dialect: Dialect;
	readonly bytes: Buffer;
	json: JsonObject;
	facts: RequestFacts;
	plan: readonly Deployment[];
	/** Whether `json` says something other than `bytes`. */
	edited: boolean;
	encoded?: Buffer;
	/** The client did not ask for the usage event that the gateway needs. */
	hidesUsage?: boolean;
	text?: BodyText;
	estimated?: Estimate;
	/** A plugin's answer in the upstream's place. */
	answer?: Extract<HookAnswer<'pre-request'>, {verdict: 'respond'}>['response'];
};

type Understanding = {operation: DialectOperation; dialect: Dialect; catalogue: Catalogue};

/** Reads a body: what it asks for, and who could serve it. Throws `invalid_json`, `invalid_request`, `model_not_found` or `dialect_mismatch`. */
export const understand = (bytes: Buffer, {operation, dialect, catalogue}: Understanding): Asked => {
	// The bytes alone are kept: whoever edits the body decodes them again, and few do.
	const {json} = parseBody(bytes);
	const facts = dialect.requestFacts(operation, json);
	return {operation, dialect, bytes, json, facts, plan: planFor(facts.model, dialect, catalogue), edited: false};
};

const planFor = (model: string, dialect: Dialect, catalogue: Catalogue): readonly Deployment[] => {
	const all = catalogue.plan(model);
	if (all.length === 0) throw new GatewayError('model_not_found', `There is no model "${model.slice(0, 200)}" here.`, {param: 'model'});
	return speaking(all, dialect, model);
};

const speaking = (all: readonly Deployment[], dialect: Dialect, model: string): readonly Deployment[] => {
	if (all.every(({speaks}) => speaks === dialect.name)) return all;
	const fitting = all.filter(({speaks}) => speaks === dialect.name);
	if (fitting.length > 0) return fitting;
	throw new GatewayError(
		'dialect_mismatch',
		`"${model}" is not served in the ${dialect.name} dialect; crossing dialects is not supported yet.`,
		{param: 'model'},
	);
};

const principalTexts = new WeakMap<Principal, Map<string, string>>();

/** `principal.*` and its structured parts, serialised once for each principal. */
export const principalField = (principal: Principal | undefined, path: string): Value => {
	if (!principal || !path.startsWith('principal.')) return undefined;
	const name = path.slice('principal.'.length) as keyof Principal | '*';
	if (name !== '*' && name !== 'tags' && name !== 'accounts' && name !== 'scopes') return principal[name];
	const texts = principalTexts.get(principal) ?? new Map<string, string>();
	principalTexts.set(principal, texts);
	const known = texts.get(name);
	if (known !== undefined) return known;
	const text = JSON.stringify(name === '*' ? principal : principal[name]);
	texts.set(name, text);
	return text;
};

/** All parts in one string behind their lengths: it crosses as one value, and is cut up again without a copy. */
export const packed = (parts: readonly string[]): string => {
	let lengths = '';
	for (const part of parts) lengths += lengths === '' ? part.length : `,${part.length}`;
	return `${lengths}\n${parts.join('')}`;
};

/** An upper bound over every deployment that may serve: without a cost when one of them has no price. */
export const estimateOf = (asked: Asked): Estimate => {
	if (asked.estimated) return asked.estimated;
	const body = encoded(asked);
	const tokens = new Map<TokenBound, number>();
	const tokensBy = (bound: TokenBound): number => {
		const known = tokens.get(bound) ?? bound.input(body, asked.facts.mediaBytes);
		tokens.set(bound, known);
		return known;
	};
	asked.estimated = dearest(asked.plan.map(({price, bound}) => estimate(tokensBy(bound), asked.facts, price)));
	return asked.estimated;
};

const estimates = ['estimate.inputTokens', 'estimate.maxOutputTokens', 'estimate.maxCostMicroUsd'] as const;

/** What to wait for before a request is estimated: once in a process's life, and only when a plugin will read it. */
export const readyToEstimate = (asked: Asked, hooks: Hooks, exchange: Exchange): Promise<unknown> | undefined => {
	if (asked.plan.every(({bound}) => bound.ready)) return undefined;
	if (!estimates.some(path => hooks.reads('pre-request', path, exchange))) return undefined;
	return Promise.all(asked.plan.map(({bound}) => bound.load()));
};

const dearest = (estimates: Estimate[]): Estimate => {
	const costs = estimates.map(({maxCostMicroUsd}) => maxCostMicroUsd);
	return {
		inputTokens: Math.max(...estimates.map(({inputTokens}) => inputTokens)),
		maxOutputTokens: Math.max(...estimates.map(({maxOutputTokens}) => maxOutputTokens)),
		...(!costs.includes(undefined) && {maxCostMicroUsd: Math.max(...costs.map(cost => cost ?? 0))}),
	};
};

const json = (value: unknown): string | undefined => JSON.stringify(value);

const planTexts = new WeakMap<readonly Deployment[], string>();

/** The names of a plan, serialised once for each: an alias has the same plan every time. */
const planText = (plan: readonly Deployment[]): string => {
	const known = planTexts.get(plan);
	if (known !== undefined) return known;
	const text = JSON.stringify(plan.map(({name}) => name));
	planTexts.set(plan, text);
	return text;
};

const digestOf = (asked: Asked, {request}: Exchange): string =>
	asked.edited || !request ? hash('sha256', encoded(asked), 'hex') : request.sha256;

const wordsOf = (asked: Asked): BodyText => (asked.text ??= textOf(asked.json, () => asked.bytes.toString()));

/** The fields of pre-request. Each is worked out only when some plugin declared it. */
export const requestFields = (asked: Asked, exchange: Exchange, headers: IncomingHttpHeaders): Fields => {
	let text: string | undefined;
	let packedFrom: BodyText | undefined;
	return path => {
		switch (path) {
			case 'operation':
				return asked.operation;
			case 'model':
				return asked.facts.model;
			case 'text[]':
				if (packedFrom !== wordsOf(asked) || text === undefined) text = packed(wordsOf(asked).strings);
				packedFrom = asked.text;
				return text;
			case 'channels[]':
				return json(requestChannels(asked.json, wordsOf(asked)));
			case 'messages':
				return json(asked.facts.messages);
			case 'tools':
				return json(asked.facts.tools);
			case 'tags':
				return json(exchange.tags);
			case 'deployments':
				return planText(asked.plan);
			case 'session':
				return exchange.session;
			case 'requestDigest':
				return digestOf(asked, exchange);
			case 'params.*':
				return json(asked.facts.params);
			case 'estimate.inputTokens':
				return estimateOf(asked).inputTokens;
			case 'estimate.maxOutputTokens':
				return estimateOf(asked).maxOutputTokens;
			case 'estimate.maxCostMicroUsd':
				return estimateOf(asked).maxCostMicroUsd;
			default:
				if (path.startsWith('principal.')) return principalField(exchange.principal, path);
				if (path.startsWith('headers.')) return headerField(headers, path);
				if (path.startsWith('params.')) return json(asked.json[path.slice('params.'.length)]);
				return path.startsWith('carried@') ? exchange.carried.get(path.slice('carried@'.length)) : undefined;
		}
	};
};

/** Does to the request what a verdict of pre-request says; `'end'` when it is answered. Throws when what it leaves is no valid request. */
export const carryRequest =
	(asked: Asked, exchange: Exchange, catalogue: Catalogue) =>
	(verdict: HookAnswer<'pre-request'>, {plugin}: Member): 'end' | undefined => {
		if (verdict.verdict === 'respond') {
			asked.answer = verdict.response;
			return 'end';
		}
		if (verdict.verdict === 'route') {
			const plan = verdict.plan.map(name => {
				const found = catalogue.deployment(name);
				if (!found)
					throw new GatewayError('plugin_failed', `The plugin ${plugin.name} routes to a deployment that is not configured.`, {
						plugin: plugin.name,
					});
				return found;
			});
			asked.plan = speaking(plan, asked.dialect, asked.facts.model);
			asked.estimated = undefined;
		}
		if (verdict.verdict !== 'rewrite') return undefined;
		const {text, params, model} = verdict.patch;
		asked.encoded = undefined;
		asked.estimated = undefined;
		if (text) {
			if (patchText(wordsOf(asked), text) > 0) asked.edited = true;
			// A new object, so that what was packed from it is packed again.
			asked.text = {...wordsOf(asked)};
		}
		if (params) {
			// Verdicts are remembered: what is edited later must be this exchange's own copy.
			for (const [key, value] of Object.entries(params)) {
				if (value === null) delete asked.json[key];
				else asked.json[key] = structuredClone(value);
			}
			asked.text = undefined;
			asked.edited = true;
		}
		if (model) asked.json.model = model;
		if (params || model) {
			asked.facts = asked.dialect.requestFacts(asked.operation, asked.json);
			asked.plan = planFor(asked.facts.model, asked.dialect, catalogue);
			exchange.model = asked.facts.model;
			asked.edited = true;
		}
		return undefined;
	};

/** What goes upstream: the client's own bytes, unless somebody rewrote them. */
export const encoded = (asked: Asked): Buffer => {
	if (!asked.edited) return asked.bytes;
	asked.encoded ??= encodeBody(asked.bytes.toString(), asked.json);
	return asked.encoded;
};

/** To be called when nobody will read or edit the words any more: only their bytes are carried along until the upstream has answered. */
export const letGoOfWords = (asked: Asked): void => {
	encoded(asked);
	const {stream_options: options} = asked.json;
	asked.json = options === undefined ? {} : {stream_options: options};
	asked.facts.messages = undefined;
	asked.facts.tools = undefined;
	asked.text = undefined;
};
