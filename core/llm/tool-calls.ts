import {hash} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Fields} from '../hooks.ts';
import {principalField} from './asked.ts';
import {wordsForDenied} from './denied-calls.ts';
import type {DeniedCall, Dialect, ToolCall} from './dialects/dialect.ts';
import {encodeBody, rewritten} from './encode.ts';
import {exactly, inOddWords, jsonForPlugins} from './exact.ts';
import {isObject, type JsonObject} from './json.ts';
import {parseJson} from './parse.ts';

/** Whether the arguments of a call can be judged. */
export const isWhole = (text: string): boolean => {
	if (text.trim() === '') return true;
	try {
		return isObject(parseJson(text));
	} catch {
		// Whoever asked says what becomes of it.
		return false;
	}
};

const argumentsOf = (text: string): JsonObject => {
	if (text.trim() === '') return {};
	if (isWhole(text)) return exactly(text) as JsonObject;
	// Arguments no plugin can read are not passed on, nor is the name, which no guard has seen.
	throw new GatewayError('upstream_malformed', 'The model asks for a tool with arguments that are not a JSON object.');
};

const fieldsOf = (exchange: Exchange, name: string, args: JsonObject): Fields => {
	return path => {
		switch (path) {
			case 'tool.name':
				return name;
			case 'tool.arguments':
				return jsonForPlugins(args);
			case 'tool.argumentsDigest':
				return hash('sha256', JSON.stringify(args), 'hex');
			// Whoever asked makes it, and pays for it there.
			case 'estimate.maxCostMicroUsd':
				return 0;
			case 'tags':
				return JSON.stringify(exchange.tags);
			case 'source':
				return 'model';
			default:
				if (path.startsWith('principal.')) return principalField(exchange.principal, path);
				return path.startsWith('carried@') ? exchange.carried.get(path.slice('carried@'.length)) : undefined;
		}
	};
};

/** Asks on-tool-call about one call a model asks for; answers other arguments where a plugin changed them. Throws GatewayError where it is refused. */
const askToolCall = async ({hooks}: Gateway, exchange: Exchange, name: string, argumentsText: string): Promise<JsonObject | undefined> => {
	let args = argumentsOf(argumentsText);
	let changed = false;
	await hooks.ask(
		'on-tool-call',
		exchange,
		path => fieldsOf(exchange, name, args)(path),
		(verdict, {plugin}) => {
			if (verdict.verdict === 'respond') {
				throw new GatewayError('plugin_failed', `The plugin ${plugin.name} cannot answer a tool call that the client makes itself.`, {
					plugin: plugin.name,
				});
			}
			if (verdict.verdict !== 'rewrite') return undefined;
			// Verdicts are remembered: what is edited later must be this exchange's own copy.
			args = rewritten(verdict.patch.arguments, args) as JsonObject;
			changed = true;
			return undefined;
		},
	);
	return changed ? args : undefined;
};

/** What becomes of a call: other arguments, where a plugin changed them, or the words that stand for it, where it is denied. */
export type Judged = {args?: JsonObject | undefined; denied?: string};

/** Asks on-tool-call about one call that a model asks for. Throws GatewayError where it is refused and the answer is not to go on. */
export const judgeToolCall = async (gateway: Gateway, exchange: Exchange, name: string, argumentsText: string): Promise<Judged> => {
	try {
		return {args: await askToolCall(gateway, exchange, name, argumentsText)};
	} catch (thrown) {
		return {denied: wordsForDenied(gateway, exchange, name, thrown)};
	}
};

/** The calls of a reply that came as `text`, with the numbers of their arguments in the words that it has for them. */
const callsOf = (dialect: Dialect, reply: JsonObject, text: string): ToolCall[] => {
	const calls = dialect.toolCallsOf(reply);
	if (calls.length === 0 || inOddWords(text) === undefined) return calls;
	return dialect.toolCallsOf(exactly(encodeBody(text, reply).toString()) as JsonObject);
};

/**
 * Has every call of a reply judged once more that was tainted after it was let pass; answers whether one was denied and taken out of it. Throws
 * GatewayError where one is refused and the answer is not to go on.
 */
export const judgeTaintedCalls = async (
	gateway: Gateway,
	exchange: Exchange,
	dialect: Dialect,
	reply: JsonObject,
	text: string,
): Promise<boolean> => {
	const denied: DeniedCall[] = [];
	for (const call of callsOf(dialect, reply, text)) {
		const {name, argumentsText} = call;
		try {
			await gateway.hooks.judgeTainted('on-tool-call', exchange, fieldsOf(exchange, name, argumentsOf(argumentsText)));
		} catch (thrown) {
			denied.push({call, words: wordsForDenied(gateway, exchange, name, thrown, {shown: false})});
		}
	}
	dialect.replaceToolCalls(reply, denied);
	return denied.length > 0;
};

/** Asks about every call of a reply, writes changed arguments into it, and takes denied ones out of it; answers whether it is another now. */
export const askToolCalls = async (
	gateway: Gateway,
	exchange: Exchange,
	dialect: Dialect,
	reply: JsonObject,
	text: string,
): Promise<boolean> => {
	if (!gateway.hooks.listens('on-tool-call', exchange)) return false;
	const denied: DeniedCall[] = [];
	let edited = false;
	for (const call of callsOf(dialect, reply, text)) {
		const isHalf = call.cut === true && !isWhole(call.argumentsText);
		const judged = await judgeToolCall(gateway, exchange, call.name, isHalf ? '' : call.argumentsText);
		if (judged.denied !== undefined) denied.push({call, words: judged.denied});
		else if (judged.args || isHalf) {
			dialect.patchToolCall(reply, call, judged.args);
			edited = true;
		}
	}
	dialect.replaceToolCalls(reply, denied);
	return edited || denied.length > 0;
};
