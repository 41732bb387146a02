import {hash} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Fields} from '../hooks.ts';
import {principalField} from './asked.ts';
import {wordsForDenied} from './denied-calls.ts';
import type {DeniedCall, Dialect} from './dialects/dialect.ts';
import {isObject, type JsonObject} from './json.ts';

/** Whether the arguments of a call can be judged. */
export const isWhole = (text: string): boolean => {
	if (text.trim() === '') return true;
	try {
		return isObject(JSON.parse(text));
	} catch {
		// Whoever asked says what becomes of it.
		return false;
	}
};

const argumentsOf = (name: string, text: string): JsonObject => {
	if (text.trim() === '') return {};
	if (isWhole(text)) return JSON.parse(text) as JsonObject;
	// Arguments no plugin can read are not passed on.
	throw new GatewayError(
		'upstream_malformed',
		`The model asks for the tool "${name.slice(0, 100)}" with arguments that are not a JSON object.`,
	);
};

const fieldsOf = (exchange: Exchange, name: string, args: JsonObject): Fields => {
	const text = JSON.stringify(args);
	return path => {
		switch (path) {
			case 'tool.name':
				return name;
			case 'tool.arguments':
				return text;
			case 'tool.argumentsDigest':
				return hash('sha256', text, 'hex');
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
	let args = argumentsOf(name, argumentsText);
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
			args = structuredClone(verdict.patch.arguments) as JsonObject;
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

/**
 * Has every call of a reply judged once more that was tainted after it was let pass; answers whether one was denied and taken out of it. Throws
 * GatewayError where one is refused and the answer is not to go on.
 */
export const judgeTaintedCalls = async (gateway: Gateway, exchange: Exchange, dialect: Dialect, reply: JsonObject): Promise<boolean> => {
	const denied: DeniedCall[] = [];
	for (const call of dialect.toolCallsOf(reply)) {
		const {name, argumentsText} = call;
		try {
			await gateway.hooks.judgeTainted('on-tool-call', exchange, fieldsOf(exchange, name, argumentsOf(name, argumentsText)));
		} catch (thrown) {
			denied.push({call, words: wordsForDenied(gateway, exchange, name, thrown, {shown: false})});
		}
	}
	dialect.replaceToolCalls(reply, denied);
	return denied.length > 0;
};

/** Asks about every call of a reply, writes changed arguments into it, and takes denied ones out of it; answers whether it is another now. */
export const askToolCalls = async (gateway: Gateway, exchange: Exchange, dialect: Dialect, reply: JsonObject): Promise<boolean> => {
	if (!gateway.hooks.listens('on-tool-call', exchange)) return false;
	const denied: DeniedCall[] = [];
	let edited = false;
	for (const call of dialect.toolCallsOf(reply)) {
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
