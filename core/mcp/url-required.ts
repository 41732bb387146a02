import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {judged, mostRounds, questionOf} from './asks.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';

const mostPages = mostRounds * 2;

/** The pages that somebody has to visit before a server does what it was asked (2025-11-25, -32042); undefined for any other error. */
const pagesIn = (thrown: unknown): JsonObject[] | undefined => {
	if (!(thrown instanceof RpcError) || !thrown.isTheirs || thrown.code !== rpcCodes.urlRequired) return undefined;
	const {elicitations} = isObject(thrown.data) ? thrown.data : {};
	return Array.isArray(elicitations) ? elicitations.map(page => (isObject(page) ? page : {})) : [];
};

const questionFor = (turn: Turn, channel: Channel, page: JsonObject): ReturnType<typeof questionOf> => {
	try {
		return questionOf(turn, channel, 'elicitation/create', page);
	} catch (thrown) {
		if (turn.era === 'stateless' || !(thrown instanceof RpcError)) throw thrown;
		throw new GatewayError('upstream_failed', `The MCP server "${channel.server}" needs a client whose user can be sent to a page.`);
	}
};

/**
 * What is left of these pages when every rule has judged them like any other question: for a client of 2025-11-25 in an error as its server's
 * was, for a stateless one as questions. Undefined where `thrown` is another error; throws what forbids a page.
 */
export const pagesRequired = async (turn: Turn, channel: Channel, thrown: unknown): Promise<JsonObject[] | undefined> => {
	const pages = pagesIn(thrown);
	if (!pages) return undefined;
	if (pages.length === 0 || pages.length > mostPages)
		throw new GatewayError('upstream_malformed', `The MCP server "${channel.server}" wants ${pages.length} pages to be visited first.`);
	const left: JsonObject[] = [];
	for (const page of pages) {
		left.push(await judged(turn, channel, questionFor(turn, channel, {...page, mode: 'url'})));
	}
	return left;
};

/** The error that tells a client with a session of them. */
export const pagesError = (elicitations: JsonObject[]): RpcError =>
	new RpcError(rpcCodes.urlRequired, 'A page has to be visited before this can be done.', {data: {elicitations}});

/** The same for a stateless client, whose era has an answer for it and no error; and no ids for pages. */
export const pagesAsked = (pages: JsonObject[]): JsonObject =>
	Object.fromEntries(
		pages.map(({elicitationId: _, ...params}, index) => [`page_${index + 1}`, {method: 'elicitation/create', params}] as const),
	);

/** Whether somebody would not visit a page that was asked for. */
export const isDeclined = (responses: unknown): boolean =>
	isObject(responses) &&
	Object.entries(responses).some(([key, answer]) => key.startsWith('page_') && isObject(answer) && answer.action !== 'accept');
