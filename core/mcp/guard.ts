import {headerField} from '../auth.ts';
import {GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import type {Carry, Fields} from '../hooks.ts';
import {beforeReply, type Shown} from '../llm/after.ts';
import {packed, principalField} from '../llm/asked.ts';
import {rewritten} from '../llm/encode.ts';
import {copyOf, jsonForPlugins} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {type BodyText, patchText} from '../llm/text.ts';
import {keepReply} from '../payload.ts';
import type {Value} from '../sandbox/isolate.ts';
import {digestOf, type Entry, lists} from './catalogue.ts';
import {channelOfRequest, channelOfResult} from './channels.ts';
import {listLeaves, requestLeaves, resultLeaves} from './leaves.ts';
import type {Turn} from './turn.ts';

const json = (value: unknown): Value => (value === undefined ? undefined : jsonForPlugins(value));
const own = (value: unknown): JsonObject => structuredClone(value) as JsonObject;

const withoutMeta = ({_meta, ...params}: JsonObject): JsonObject => params;

/** What the hooks need of a request, and of its gateway. */
export type Governed = Pick<Turn, 'exchange' | 'headers' | 'params' | 'continues'> & {
	gateway: Pick<Gateway, 'hooks'> & {mcp: Pick<Gateway['mcp'], 'prices'>};
};

const answerFrom = (response: {text: string} | {body: object}, {exchange}: Pick<Turn, 'exchange'>, plugin: string): JsonObject => {
	if ('body' in response) return own(response.body);
	if (exchange.operation === 'tools/call') return {content: [{type: 'text', text: response.text}]};
	throw new GatewayError('plugin_failed', `The plugin ${plugin} answers ${exchange.operation} with words, which it has no place for.`, {
		plugin,
	});
};

/** What pre-request may read of a request; `words` are those of its params. */
export const requestFields =
	({exchange, headers, params}: Pick<Turn, 'exchange' | 'headers' | 'params'>, words: () => BodyText): Fields =>
	path => {
		switch (path) {
			case 'operation':
				return exchange.operation;
			case 'server':
				return exchange.server;
			case 'model':
				return '';
			case 'text[]':
				return packed(words().strings);
			case 'channels[]':
				return json(words().strings.map(() => channelOfRequest(exchange.operation)));
			case 'messages':
			case 'deployments':
				return '[]';
			case 'tags':
				return json(exchange.tags);
			case 'session':
				return exchange.session;
			case 'params.*':
				return json(withoutMeta(params));
			default:
				if (path.startsWith('estimate.')) return 0;
				if (path.startsWith('principal.')) return principalField(exchange.principal, path);
				if (path.startsWith('headers.')) return headerField(headers, path);
				if (path.startsWith('params.')) return json(params[path.slice('params.'.length)]);
				return path.startsWith('carried@') ? exchange.carried.get(path.slice('carried@'.length)) : undefined;
		}
	};

type Given = {fields: Fields; carry: Carry<'pre-request'>; answer: () => JsonObject | undefined};

/** What pre-request may read of a request, and how what it changes is written into `turn.params`; `answer` is a plugin's, in the server's place. */
const request = (turn: Governed): Given => {
	let answer: JsonObject | undefined;
	let leaves: BodyText | undefined;
	const words = (): BodyText => (leaves ??= requestLeaves(turn.params, turn.exchange.operation));
	const carry: Given['carry'] = (verdict, {plugin}) => {
		if (verdict.verdict === 'respond') {
			answer = answerFrom(verdict.response, turn, plugin.name);
			return 'end';
		}
		if (verdict.verdict === 'route' || (verdict.verdict === 'rewrite' && verdict.patch.model !== undefined))
			throw new GatewayError('plugin_failed', `The plugin ${plugin.name} chooses a model for a request that has none.`, {
				plugin: plugin.name,
			});
		if (verdict.verdict !== 'rewrite') return undefined;
		const {text, params} = verdict.patch;
		if (text) patchText(words(), text);
		for (const [key, value] of Object.entries(params ?? {})) {
			if (value === null) delete turn.params[key];
			else turn.params[key] = rewritten(value, turn.params[key]);
			leaves = undefined;
		}
		return undefined;
	};
	return {fields: requestFields(turn, words), carry, answer: () => answer};
};

/** Asks pre-request, and writes into `turn.params` what it changes. Answers a plugin's result in the server's place. */
export const askRequest = async (turn: Governed): Promise<JsonObject | undefined> => {
	const {fields, carry, answer} = request(turn);
	await turn.gateway.hooks.ask('pre-request', turn.exchange, fields, carry);
	return answer();
};

/** Asks on-tool-call, and writes into `turn.params` what it changes. Answers a plugin's result in the tool's place. */
export const askToolCall = async (turn: Governed, name: string, entry: Entry | undefined): Promise<JsonObject | undefined> => {
	const {gateway, exchange, params} = turn;
	const {server} = exchange;
	let answer: JsonObject | undefined;
	let args = isObject(params.arguments) ? params.arguments : {};
	let digest: string | undefined;
	const digestNow = (): string => (digest ??= digestOf(args));
	const field = (path: string): Value => {
		switch (path) {
			case 'tool.server':
				return server;
			case 'tool.name':
				return name;
			case 'tool.arguments':
				return json(args);
			case 'tool.argumentsDigest':
				return digestNow();
			case 'tool.definition':
				return json(entry?.definition);
			case 'tool.definitionDigest':
				return entry?.digest;
			case 'tool.annotations':
				return json(entry?.definition.annotations);
			case 'estimate.maxCostMicroUsd':
				return gateway.mcp.prices.most(server, name);
			case 'tags':
				return json(exchange.tags);
			case 'source':
				return 'mcp';
			case 'continues':
				return turn.continues;
			default:
				if (path.startsWith('principal.')) return principalField(exchange.principal, path);
				return path.startsWith('carried@') ? exchange.carried.get(path.slice('carried@'.length)) : undefined;
		}
	};
	const carry: Carry<'on-tool-call'> = verdict => {
		if (verdict.verdict === 'respond') {
			const {result} = verdict.response;
			answer = isObject(result) ? own(result) : {content: [{type: 'text', text: String(result)}]};
			return 'end';
		}
		if (verdict.verdict !== 'rewrite') return undefined;
		args = rewritten(verdict.patch.arguments, args) as JsonObject;
		digest = undefined;
		params.arguments = args;
		const {approval} = exchange;
		if (approval?.isEdited) approval.arguments ??= args;
		return undefined;
	};
	/** What an approver wrote passes pre-request as what the client wrote did. */
	const onEdited = async (): Promise<'end' | undefined> => {
		const again = request(turn);
		await gateway.hooks.again('pre-request', exchange, again.fields, again.carry);
		args = isObject(params.arguments) ? params.arguments : {};
		digest = undefined;
		if (exchange.approval?.isEdited) exchange.approval.arguments = args;
		answer = again.answer();
		return answer && 'end';
	};
	try {
		await gateway.hooks.ask('on-tool-call', exchange, field, carry, onEdited);
	} finally {
		exchange.argumentsDigest = digestNow();
	}
	return answer;
};

/** Asks post-response about a result; answers what is left of it. */
export const askResult = async (turn: Turn, given: JsonObject): Promise<JsonObject> => {
	const {gateway, exchange} = turn;
	let result = given;
	let leaves: BodyText | undefined;
	const words = (): BodyText => (leaves ??= resultLeaves(result));
	const {instructions} = given;
	const isList = exchange.operation !== undefined && Object.hasOwn(lists, exchange.operation);
	// Of those as the server wrote them, whatever a plugin makes of them.
	const greeting = typeof instructions === 'string' ? {instructionsDigest: digestOf(instructions)} : {};
	const shown: Shown = {
		text: () => words().strings,
		channels: () => words().strings.map(() => channelOfResult(exchange.operation)),
		// An error in the place of a list is no list to narrow.
		result: () => (isList ? undefined : {server: exchange.server, tool: exchange.tool, result, ...greeting}),
	};
	await beforeReply(gateway, exchange, shown, ({text, result: replaced}) => {
		if (text) patchText(words(), text);
		if (!isObject(replaced) || !isObject(replaced.result)) return;
		result = rewritten(replaced.result, result) as JsonObject;
		leaves = undefined;
	});
	keepReply(gateway, exchange, () => ({text: words().strings, channels: words().strings.map(() => channelOfResult(exchange.operation))}));
	return result;
};

export type Listed = {entries: Entry[]; servers: readonly string[]};

const isNamed = (value: unknown): value is {server: string; name: string} =>
	isObject(value) && typeof value.server === 'string' && typeof value.name === 'string';

const placeOf = ({server, name}: {server: string; name: string}): string => `${server}\n${name}`;

/** Asks post-response about a list, which it may narrow and never widen; and about the words in it. */
export const askList = async (turn: Turn, field: string, given: Listed): Promise<Listed> => {
	const {gateway, exchange} = turn;
	let {entries, servers} = given;
	let leaves: BodyText | undefined;
	const words = (): BodyText => {
		if (leaves) return leaves;
		// What is remembered of a server stays as it is.
		entries = entries.map(entry => ({...entry, definition: copyOf(entry.definition)}));
		leaves = listLeaves(entries.map(({definition}) => definition));
		return leaves;
	};
	const result = () => ({
		servers,
		[field]: entries.map(({server, name, definition, digest: definitionDigest}) => ({server, name, definition, definitionDigest})),
	});
	const channels = () => words().strings.map(() => channelOfResult(exchange.operation));
	await beforeReply(gateway, exchange, {text: () => words().strings, channels, result}, ({text, result: narrowed}) => {
		if (text) patchText(words(), text);
		if (narrowed === undefined) return;
		const left = isObject(narrowed) ? narrowed[field] : undefined;
		if (!Array.isArray(left) || !left.every(isNamed))
			throw new GatewayError('plugin_failed', `A plugin left no list of ${field}, so this was refused.`);
		const names = new Set(left.map(placeOf));
		entries = entries.filter(entry => names.has(placeOf(entry)));
		const serversLeft = isObject(narrowed) && Array.isArray(narrowed.servers) ? new Set<unknown>(narrowed.servers) : undefined;
		if (serversLeft) servers = servers.filter(server => serversLeft.has(server));
	});
	return {entries, servers};
};
