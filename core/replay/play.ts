import type {Operation} from '../../schemas/hooks.ts';
import type {RecordedFinding} from '../../schemas/record.ts';
import {asGatewayError, type GatewayError} from '../errors.ts';
import {type Exchange, openExchange, type Surface} from '../exchange.ts';
import {principalOf} from '../explain/question.ts';
import {settleRest} from '../gateway.ts';
import type {Fields, Hooks} from '../hooks.ts';
import type {StoredRecord} from '../journal/journal.ts';
import {afterResponse, beforeReply} from '../llm/after.ts';
import {type Asked, carryRequest, requestFields, understand} from '../llm/asked.ts';
import {operations} from '../llm/call.ts';
import type {DialectOperation} from '../llm/dialects/dialect.ts';
import {exactly} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {askRequest, askToolCall} from '../mcp/guard.ts';
import type {Stage} from './stage.ts';

/** What the plugins make of an exchange that is over. */
export type Played = {
	/** Nothing was kept of what was said, so those that read it were not asked. */
	wordless: boolean;
	refused?: GatewayError;
	/** Whoever refused it then was not asked: what a plugin refuses is never kept. */
	refuserUnasked: boolean;
	/** Somebody wrote something else into the request or the answer. */
	rewritten: boolean;
	/** The plugins that could not answer. */
	failed: string[];
	findings: RecordedFinding[];
};

const isModelCall = (operation: Operation): operation is DialectOperation => Object.hasOwn(operations, operation);

const exchangeOf = (record: StoredRecord): Exchange => {
	const {exchange: id, surface, operation, method = 'POST', path = '', ip = '', principal, model, server, tool, session} = record;
	const begun = openExchange({method, path, ip, surface: surface as Surface});
	const who = typeof principal === 'object' ? principal : undefined;
	return {
		...begun,
		...(id !== undefined && {id}),
		at: Date.parse(record.at),
		operation: operation as Operation,
		...(who && {principal: principalOf(who)}),
		...(model !== undefined && {model}),
		...(server !== undefined && {server}),
		...(tool !== undefined && {tool}),
		...(session !== undefined && {session}),
		stream: record.stream === true,
		tags: [...(record.tags ?? [])],
	};
};

const noWords = (model: string, operation: DialectOperation): JsonObject =>
	operation === 'embeddings' ? {model, input: ' '} : {model, messages: [{role: 'user', content: ' '}], max_tokens: 1};

/** As it was asked, with what it really came to in the place of what it could have. */
const askedOf = ({payload, model = '', usage, costMicroUsd}: StoredRecord, operation: DialectOperation, {catalogue}: Stage): Asked => {
	const {dialect} = operations[operation];
	const body = payload?.request ?? JSON.stringify(noWords(model, operation));
	const asked = understand(Buffer.from(body), {operation, dialect, catalogue});
	asked.estimated = {
		inputTokens: usage?.inputTokens ?? 0,
		maxOutputTokens: usage?.outputTokens ?? 0,
		maxCostMicroUsd: costMicroUsd ?? 0,
	};
	return asked;
};

const askModelCall = async (
	record: StoredRecord,
	operation: DialectOperation,
	stage: Stage,
	hooks: Hooks,
	exchange: Exchange,
): Promise<void> => {
	const asked = askedOf(record, operation, stage);
	const {estimated} = asked;
	const fields = requestFields(asked, exchange, {});
	const recorded: Fields = path => {
		if (estimated && path.startsWith('estimate.')) asked.estimated = estimated;
		return fields(path);
	};
	await hooks.ask('pre-request', exchange, recorded, carryRequest(asked, exchange, stage.catalogue));
};

const paramsIn = (json: string | undefined): JsonObject => {
	const params: unknown = json === undefined ? {} : exactly(json);
	return isObject(params) ? params : {};
};

const askMcp = async (record: StoredRecord, {prices}: Stage, hooks: Hooks, exchange: Exchange): Promise<void> => {
	const {server, tool, operation, definitionDigest: digest, payload} = record;
	const turn = {gateway: {hooks, mcp: {prices}}, exchange, headers: {}, params: paramsIn(payload?.request)};
	if (await askRequest(turn)) return;
	if (operation !== 'tools/call' || tool === undefined) return;
	const entry = server !== undefined && digest !== undefined ? {server, name: tool, definition: {}, digest} : undefined;
	await askToolCall(turn, tool, entry);
};

/** Could whoever refused it not be asked again? What a model's answer asked for is not asked about here. */
const isRefuserUnasked = ({error, rulings = [], operation}: StoredRecord, wordless: boolean, {readers}: Stage): boolean => {
	const reading = error?.plugin === undefined ? undefined : readers.get(error.plugin);
	const hook = rulings.findLast(({plugin, mode}) => plugin === error?.plugin && mode !== 'observe')?.hook;
	if (hook === 'on-tool-call' && isModelCall(operation as Operation)) return true;
	return reading !== undefined && (wordless || reading.some(name => name === hook));
};

/** There is no log where nothing is served. */
const silent = {warn: () => undefined};

/** Asks the plugins about a recorded exchange, from pre-request to post-response. Rejects where the record cannot be asked about any more. */
export const play = async (record: StoredRecord, stage: Stage): Promise<Played> => {
	const wordless = record.payload?.request === undefined;
	const hooks = wordless ? stage.hooks.wordless : stage.hooks.all;
	const {ledger} = stage;
	const exchange = exchangeOf(record);
	stage.clock.now = exchange.at;
	const {operation} = exchange;
	const ask = (): Promise<void> =>
		operation && isModelCall(operation) ? askModelCall(record, operation, stage, hooks, exchange) : askMcp(record, stage, hooks, exchange);
	const reply = record.payload?.response;
	const shown = {text: () => reply?.map(({text}) => text) ?? [], channels: () => reply?.map(({channel}) => channel) ?? []};

	let refused: GatewayError | undefined;
	try {
		await ask();
		if (record.usage) exchange.usage = record.usage;
		if (record.costMicroUsd !== undefined) exchange.costMicroUsd = record.costMicroUsd;
		exchange.opened = (record.attempts?.length ?? 0) > 0 || record.outcome === 'ok';
		exchange.outcome = record.outcome ?? 'ok';
		exchange.status = record.status ?? 200;
		await beforeReply({hooks}, exchange, reply ? shown : {}, () => undefined);
	} catch (thrown) {
		const error = asGatewayError(thrown);
		if (error.plugin === undefined) throw error;
		refused = error;
		exchange.outcome = 'denied';
		exchange.status = error.status;
		await afterResponse({hooks, log: silent}, exchange);
	}
	settleRest({ledger}, exchange);
	return {
		wordless,
		...(refused && {refused}),
		refuserUnasked: isRefuserUnasked(record, wordless, stage),
		rewritten: exchange.rulings.some(({verdict}) => verdict === 'rewrite'),
		failed: exchange.rulings.filter(({verdict}) => verdict === 'failed').map(({plugin}) => plugin),
		findings: [...(exchange.findings?.values() ?? [])],
	};
};
