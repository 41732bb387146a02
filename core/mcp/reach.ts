import type {IncomingHttpHeaders} from 'node:http';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import {type Gateway, recordOpened} from '../gateway.ts';
import type {JsonObject} from '../llm/json.ts';
import type {Asker} from '../oauth/credential.ts';
import {originOf} from './hosts.ts';
import type {Asking} from './link.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';
import {ofTheHop} from './versions.ts';

/** On whose behalf servers are asked. */
export const askerOf = ({config}: Gateway, {principal}: Exchange, headers: IncomingHttpHeaders): Asker => ({
	principal: principal!,
	token: /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1],
	origin: () => originOf(config, headers),
});

/** The server's conversation for this client. Throws `not_found` where there is no such server. */
export const channelTo = ({gateway, owner, offer, era, exchange, headers}: Turn, server: string): Channel => {
	const found = gateway.mcp.servers.get(server);
	if (!found) throw new GatewayError('not_found', `There is no MCP server "${server.slice(0, 100)}" here.`);
	return found.channel({owner, offer, era}, askerOf(gateway, exchange, headers));
};

export const askingOf = (
	{gateway, exchange, headers, waiting, onProgress, onLog, onPolled, logLevel}: Turn,
	{timeoutMs}: Channel,
	definition?: JsonObject,
): Asking => ({
	asker: askerOf(gateway, exchange, headers),
	waiting,
	timeoutMs,
	...(onProgress && {onProgress}),
	...(onLog && {onLog}),
	...(onPolled && {onPolled}),
	...(logLevel !== undefined && {logLevel}),
	...(definition && {definition}),
});

/** Does what reaches servers: on the record before it begins, and its time is not ours. */
export const reaching = async <T>({gateway, exchange}: Turn, server: string | undefined, reach: () => Promise<T>): Promise<T> => {
	if (!exchange.opened) await recordOpened(gateway, exchange);
	const begun = performance.now();
	let error: string | undefined;
	try {
		return await reach();
	} catch (thrown) {
		error = thrown instanceof GatewayError ? thrown.code : 'rpc_error';
		throw thrown;
	} finally {
		const ms = performance.now() - begun;
		exchange.upstreamMs += ms;
		if (server !== undefined) {
			const {id, attempts} = exchange;
			attempts.push({id: `${id}.${attempts.length + 1}`, deployment: server, ms, ...(error !== undefined && {error})});
		}
	}
};

/** What goes on to a server: without what belongs to the hop from the client to this gateway. */
export const onward = (params: JsonObject): JsonObject => {
	const {_meta, ...rest} = params;
	const meta = Object.entries((_meta ?? {}) as JsonObject).filter(([key]) => !ofTheHop.has(key));
	return meta.length > 0 ? {...rest, _meta: Object.fromEntries(meta)} : rest;
};
