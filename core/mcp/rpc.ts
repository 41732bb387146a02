import type {ErrorCode, GatewayError} from '../errors.ts';
import {numberIn} from '../llm/exact.ts';
import {type ExactNumber, isObject, type JsonObject} from '../llm/json.ts';

/** What a request is named by. One that says `1.0` or has more digits than a double is told so again. */
export type RpcId = string | number | ExactNumber;

/** One JSON-RPC 2.0 message, as its sender meant it: what it holds beside these fields is left behind. */
export type Message =
	| {kind: 'request'; id: RpcId; method: string; params: JsonObject}
	| {kind: 'notification'; method: string; params: JsonObject}
	| {kind: 'answer'; id: string | number | undefined; result?: JsonObject; error?: {code: number; message: string; data?: unknown}};

/** JSON-RPC's own codes, and those that MCP adds. */
export const rpcCodes = {
	/** The body is no JSON, or names a key twice. */
	parse: -32700,
	/** No JSON-RPC message, or none that fits here: no session, a batch where there are none. */
	invalidRequest: -32600,
	/** The server, or the client, does not know the method. */
	unknownMethod: -32601,
	/** Params that the method does not take; in 2026-07-28 also a resource that is not there. */
	invalidParams: -32602,
	/** The gateway failed. */
	internal: -32603,
	/** The resource is not there; up to 2025-11-25. */
	notFound: -32002,
	/** A header says something else than the body, or is missing (2026-07-28). */
	headerMismatch: -32020,
	/** The client does not offer what the server asks it for. */
	missingCapability: -32021,
	/** A version of the protocol that is not spoken here. */
	unsupportedVersion: -32022,
	/** Pages have to be visited first (2025-11-25). */
	urlRequired: -32042,
	/** Refused by a rule; `data.code` says which of the gateway's own it is. */
	denied: -32010,
	/** The server behind the gateway could not answer. */
	upstream: -32011,
} as const;

type Facts = {data?: unknown; status?: number; isTheirs?: boolean};

/** An error of the protocol: a server's own (`isTheirs`), whose words are not to be passed on unread, or the gateway's. `status` is that of HTTP. */
export class RpcError extends Error {
	readonly code: number;
	readonly data: unknown;
	readonly status: number;
	readonly isTheirs: boolean;

	constructor(code: number, message: string, {data, status = 200, isTheirs = false}: Facts = {}) {
		super(message);
		this.name = 'RpcError';
		this.code = code;
		this.data = data;
		this.status = status;
		this.isTheirs = isTheirs;
	}
}

/** What some parsers take a letter for: without its case or compatibility form, the long s as an s. */
const folded = (letter: string): string => (letter < '\x80' ? letter : letter.normalize('NFKC').toUpperCase()).toLowerCase();

/** Names by what is compared of them. */
type Names = ReadonlyMap<string, string>;
const namesOf = (names: string): Names => new Map(names.split(' ').map(name => [name.toLowerCase(), name]));
const reserved = namesOf('jsonrpc id method params result error');
const reservedParams = namesOf('name arguments uri cursor ref argument context _meta inputResponses requestState');
const longestReserved = 'inputResponses'.length;

/** The name that a key reads like, letter by letter and no further than the longest name: one letter may unfold to eighteen. */
const likeOf = (key: string, names: Names): string | undefined => {
	let read = '';
	for (const letter of key) {
		read += folded(letter);
		if (read.length > longestReserved) return undefined;
	}
	return names.get(read);
};

const refuseLookalikes = (object: JsonObject, names: Names, where: string): void => {
	for (const key of Object.keys(object)) {
		if (names.get(key.toLowerCase()) === key) continue;
		const meant = likeOf(key, names);
		if (meant !== undefined) throw new RpcError(rpcCodes.invalidRequest, `${where} has a key that reads like "${meant}".`, {status: 400});
	}
};

/** Whether a value can name a request. */
export const isId = (id: unknown): id is RpcId => typeof id === 'string' || Number.isInteger(numberIn(id));
const charsOf = (id: RpcId): number => (typeof id === 'string' ? id : JSON.stringify(id)).length;
const longestId = 1_000;

const paramsOf = (params: unknown): JsonObject => {
	if (params === undefined) return {};
	if (!isObject(params)) throw new RpcError(rpcCodes.invalidRequest, 'params is not an object.', {status: 400});
	refuseLookalikes(params, reservedParams, 'params');
	if (params._meta !== undefined && !isObject(params._meta))
		throw new RpcError(rpcCodes.invalidParams, 'params._meta is not an object.', {status: 400});
	return params;
};

/**
 * What a parsed body says. Throws RpcError -32600 for a key that another parser could take for a reserved one (CVE-2026-27896), an id that
 * is neither text nor a whole number, and what is no message. The body must have been parsed without duplicate keys.
 */
export const readMessage = (json: JsonObject): Message => {
	refuseLookalikes(json, reserved, 'The message');
	if (json.jsonrpc !== '2.0') throw new RpcError(rpcCodes.invalidRequest, 'jsonrpc is not "2.0".', {status: 400});
	const {id, method, result, error} = json;
	if (typeof method === 'string') {
		if (result !== undefined || error !== undefined)
			throw new RpcError(rpcCodes.invalidRequest, 'A message cannot ask and answer at once.', {status: 400});
		const params = paramsOf(json.params);
		if (!Object.hasOwn(json, 'id')) return {kind: 'notification', method, params};
		if (!isId(id) || charsOf(id) > longestId)
			throw new RpcError(rpcCodes.invalidRequest, 'id is neither a string nor a whole number.', {status: 400});
		return {kind: 'request', id, method, params};
	}
	// What was asked from here has a short id, in whatever words it comes back.
	const known = typeof id === 'string' ? id : numberIn(id);
	if (isObject(result) && error === undefined) return {kind: 'answer', id: known, result};
	const code = isObject(error) && result === undefined ? numberIn(error.code) : undefined;
	if (isObject(error) && code !== undefined && typeof error.message === 'string') {
		const {message, data} = error;
		return {kind: 'answer', id: known, error: {code, message, ...(data !== undefined && {data})}};
	}
	throw new RpcError(rpcCodes.invalidRequest, 'This is no JSON-RPC message.', {status: 400});
};

const codeOf = ({code, status, facts}: GatewayError): number => {
	if (code === 'invalid_json') return rpcCodes.parse;
	if (code === 'internal') return rpcCodes.internal;
	if (code.startsWith('upstream_')) return rpcCodes.upstream;
	return facts.type === 'invalid_request_error' && status === 400 ? rpcCodes.invalidRequest : rpcCodes.denied;
};

/** What helps where no model was asked, and no provider. */
const helps: Partial<Record<ErrorCode, string>> = {
	upstream_unreachable: 'The MCP server cannot be reached now.',
	upstream_failed: 'The MCP server failed; what it was asked may have been done.',
	upstream_refused: 'The MCP server, or whoever gives out its tokens, does not accept the gateway; its operator has to mend that.',
	upstream_rate_limited: 'The MCP server is limiting; wait as long as retryAfterMs says.',
	upstream_timeout: 'The MCP server took too long; what it was asked may have been done.',
	upstream_malformed: 'The MCP server answered with something that is not MCP.',
	upstream_too_large: 'Ask for less, or raise resultMb of this server in gateway.config.ts.',
	price_unknown: 'Give the tool a price in gateway.config.ts: toolPrices.',
	not_found: 'Look at the path, and at the lists of what is there.',
	rate_limited: 'Wait as long as retryAfterMs says.',
};

/** What a client is told of an error: the same facts as on any other surface. */
export const errorOf = (thrown: RpcError | GatewayError, exchangeId: string): {code: number; message: string; data?: unknown} => {
	if (thrown instanceof RpcError) {
		const {code, message, data} = thrown;
		return {code, message, ...(data !== undefined && {data})};
	}
	const {code, plugin, rule, facts, retryAfterMs, scopes, link} = thrown;
	const data = {
		code,
		type: facts.type,
		plugin,
		rule,
		help: helps[code] ?? facts.help,
		retry: facts.retry,
		retryAfterMs,
		scopes,
		link,
		exchange: exchangeId,
	};
	return {code: codeOf(thrown), message: thrown.message, data};
};

/** An error as the body of an HTTP reply. */
export const errorBody = (thrown: RpcError | GatewayError, exchangeId: string, id: RpcId | null = null) => ({
	jsonrpc: '2.0',
	id,
	error: errorOf(thrown, exchangeId),
});
