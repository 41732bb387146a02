import {GatewayError} from '../errors.ts';
import {type Exchange, openExchange} from '../exchange.ts';
import {failWith, finish} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import {copyOf} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {askRequest, askResult} from './guard.ts';
import {type AskMethod, capabilitiesOf, covers, isAsk, neededFor, type Offer} from './offer.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import {asksForSecret, isWordy} from './secret-forms.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';

/** Rounds, or questions, that a server may need for one request. */
export const mostRounds = 10;

const isPage = (url: unknown): boolean => typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);

/** The client lacks what a server needs: in the stateless era a code of its own says what that is. */
export const lacking = (turn: Turn, method: AskMethod, params: JsonObject): RpcError => {
	const needed = capabilitiesOf(neededFor(method, params));
	const names = Object.keys(needed).join(', ');
	if (turn.era === 'legacy') return new RpcError(rpcCodes.unknownMethod, `This client does not offer ${names}.`);
	return new RpcError(rpcCodes.missingCapability, `This needs a client that offers ${names}.`, {
		data: {requiredCapabilities: needed},
		status: 400,
	});
};

/** What a server asks, when it may: throws RpcError or GatewayError `denied` where not. */
export const questionOf = (
	turn: Turn,
	{server, may}: Channel,
	method: unknown,
	given: unknown,
): {method: AskMethod; params: JsonObject} => {
	const params = isObject(given) ? given : {};
	if (!isAsk(method)) throw new RpcError(rpcCodes.unknownMethod, 'This client does not offer that.');
	const needed = neededFor(method, params);
	const refusal = refusalOf(server, may, method, params);
	if (refusal === undefined && !covers(turn.offer, needed)) throw lacking(turn, method, params);
	if (refusal === undefined) return {method, params};
	turn.exchange.annotations['mcp.refused'] = method;
	throw new GatewayError('denied', refusal);
};

const refusalOf = (server: string, may: Offer, method: AskMethod, params: JsonObject): string | undefined => {
	if (!covers(may, neededFor(method, params)))
		return `The MCP server "${server}" may not ask its callers for this; see servers.${server}.asks.`;
	if (params.mode === 'url') return isPage(params.url) ? undefined : `The MCP server "${server}" sends its callers to what is no web page.`;
	if (method !== 'elicitation/create') return undefined;
	if (isWordy(params)) return `A form of the MCP server "${server}" has more than 20,000 characters to read.`;
	return asksForSecret(params) ? `A form of the MCP server "${server}" asks for a password or the like, which no form may.` : undefined;
};

/** The exchange of a question: its caller's, and on the record by itself. */
const partOf = ({exchange}: Turn, operation: AskMethod, server: string): Exchange => {
	const {method, path, ip, surface, principal, identifiedBy, tags, session, owner} = exchange;
	const part = openExchange({method, path, ip, surface});
	Object.assign(part, {principal, identifiedBy, tags: [...tags], session, owner, operation, server});
	part.annotations['mcp.for'] = exchange.id;
	return part;
};

/**
 * Lets every rule judge a server's question as a request and, where it is put here and now, the client's answer as a result. Resolves with
 * that answer; or with what is left of the question, when somebody else puts it.
 */
export const judged = async (
	turn: Turn,
	channel: Channel,
	{method, params}: {method: AskMethod; params: JsonObject},
	put?: (params: JsonObject) => Promise<JsonObject>,
): Promise<JsonObject> => {
	const {gateway} = turn;
	const part = partOf(turn, method, channel.server);
	const own: Turn = {...turn, exchange: part, method, params: copyOf(params)};
	gateway.running.add(part);
	try {
		const instead = await askRequest(own);
		let answer = instead ?? own.params;
		if (put && !instead) {
			answer = await put(own.params);
			part.outcome = 'ok';
			answer = await askResult(own, answer);
		}
		part.outcome = 'ok';
		part.status = 200;
		if (!put || instead) await afterResponse(gateway, part);
		return answer;
	} catch (thrown) {
		part.outcome = undefined;
		if (thrown instanceof RpcError) {
			part.outcome = 'failed';
			part.annotations['mcp.error'] = thrown.code;
		} else failWith(gateway, part, thrown);
		await afterResponse(gateway, part);
		throw thrown;
	} finally {
		await finish(gateway, part).finally(() => gateway.running.delete(part));
	}
};
