import type {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import {anthropic} from './llm/dialects/anthropic.ts';
import {openai} from './llm/dialects/openai.ts';
import type {ReplyParts} from './llm/reply.ts';
import {errorBody} from './mcp/rpc.ts';

/** The same facts as RFC 9457 problem details. */
const problem = (error: GatewayError, exchangeId: string) => ({
	type: `urn:sallyport:error:${error.code}`,
	title: error.code.replaceAll('_', ' '),
	status: error.status,
	detail: error.message,
	instance: `urn:sallyport:exchange:${exchangeId}`,
	code: error.code,
	plugin: error.plugin,
	help: error.facts.help,
});

/** The store and the journal are tried again at every request that needs them, a connection to a server within two seconds. */
const triedAgainMs = 2_000;
const waitMs = ({code, retryAfterMs}: GatewayError): number | undefined =>
	retryAfterMs ?? (code === 'store_unavailable' || code === 'journal_unavailable' ? triedAgainMs : undefined);

/** What to log in with: RFC 6750, section 3; at an MCP door with an authorization server also RFC 9728, section 5.1. */
export const challengeOf = ({challenge}: Exchange, {code, status}: GatewayError): Record<string, string> => {
	if (challenge !== undefined) return status === 401 || code === 'insufficient_scope' ? {'www-authenticate': challenge} : {};
	return code === 'unauthenticated' ? {'www-authenticate': 'Bearer'} : {};
};

/** An error as a reply, in the shape that the client of this surface reads. */
export const refusal = (exchange: Exchange, error: GatewayError): ReplyParts => {
	const {surface, id} = exchange;
	const isAdmin = surface === 'admin' || surface === 'gateway';
	const retryAfterMs = waitMs(error);
	const body = isAdmin
		? problem(error, id)
		: surface === 'mcp'
			? errorBody(error, id)
			: (surface === 'anthropic' ? anthropic : openai).errorBody(error, id);
	return {
		status: error.status,
		headers: {
			'content-type': isAdmin ? 'application/problem+json' : 'application/json',
			// Clients repeat 408, 409, 429 and 5xx on their own unless this says otherwise.
			'x-should-retry': String(error.facts.retry),
			...(retryAfterMs !== undefined && {
				'retry-after': String(Math.ceil(retryAfterMs / 1_000)),
				'retry-after-ms': String(retryAfterMs),
			}),
			...challengeOf(exchange, error),
		},
		body: JSON.stringify(body),
	};
};
