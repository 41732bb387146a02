import {hash} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Fields} from '../hooks.ts';
import {principalField} from './asked.ts';
import type {Dialect} from './dialects/dialect.ts';
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
export const askToolCall = async (
	{hooks}: Gateway,
	exchange: Exchange,
	name: string,
	argumentsText: string,
): Promise<JsonObject | undefined> => {
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

/** Has every call of a reply judged once more that was tainted after it was let pass. Throws GatewayError where one is refused. */
export const judgeTaintedCalls = async ({hooks}: Gateway, exchange: Exchange, dialect: Dialect, reply: JsonObject): Promise<void> => {
	for (const {name, argumentsText} of dialect.toolCallsOf(reply))
		await hooks.judgeTainted('on-tool-call', exchange, fieldsOf(exchange, name, argumentsOf(name, argumentsText)));
};

/** Asks about every call of a reply, and writes changed arguments into it; answers whether any were. */
export const askToolCalls = async (gateway: Gateway, exchange: Exchange, dialect: Dialect, reply: JsonObject): Promise<boolean> => {
	if (!gateway.hooks.listens('on-tool-call', exchange)) return false;
	let edited = false;
	for (const call of dialect.toolCallsOf(reply)) {
		const isHalf = call.cut === true && !isWhole(call.argumentsText);
		const args = await askToolCall(gateway, exchange, call.name, isHalf ? '' : call.argumentsText);
		if (!args && !isHalf) continue;
		dialect.patchToolCall(reply, call, args);
		edited = true;
	}
	return edited;
};
