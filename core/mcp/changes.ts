import {isObject, type JsonObject} from '../llm/json.ts';
import {isInSight} from './in-sight.ts';
import {isWanted} from './levels.ts';
import type {Notice} from './link.ts';
import {prefixedUri} from './names.ts';
import {openPaced} from './paced.ts';
import {askerOf} from './reach.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';
import {isGuarded} from './words.ts';

export type Watched = {server: string; uri: string};

type Place = Pick<Turn, 'gateway' | 'exchange' | 'headers' | 'door' | 'owner' | 'offer' | 'era'>;

/** A notification that a client may hear, as it stands at its door; undefined for any other. */
const asHeard = (
	{gateway, exchange, door, owner}: Place,
	{server, isOwn}: Channel,
	method: string,
	params: JsonObject,
): JsonObject | undefined => {
	// Which of them has changed is not said: what a key may see of it is decided when it asks.
	if (/^notifications\/(tools|prompts|resources)\/list_changed$/.test(method)) return {method};
	if (method === 'notifications/resources/updated' && typeof params.uri === 'string')
		return {method, params: {uri: door === undefined ? prefixedUri(server, params.uri) : params.uri}};
	if (method !== 'notifications/message' || !isOwn || !isObject(params)) return undefined;
	// What a server logs between requests is its own session's, and goes on where nobody guards the words of its results.
	if (isGuarded(gateway, {...exchange, operation: 'tools/call', server})) return undefined;
	if (!isWanted(params, gateway.mcp.shared.get('level', owner))) return undefined;
	const {level, logger, data} = params;
	return {method, params: {level, data, ...(typeof logger === 'string' && {logger})}};
};

const restMs = 100;

/**
 * Tells of what changes at a door's servers: of their lists, and of the resources in `watched`. At the common door nobody is connected to for
 * the sake of lists alone. Whom pre-request would not let reach a server by then hears nothing of it any more. Resolves, when it hears, with how to stop; a server that is down is left out.
 */
export const follow = async (place: Place, watched: readonly Watched[], tell: (message: JsonObject) => void): Promise<() => void> => {
	const {gateway, exchange, headers, door, owner, offer, era} = place;
	const {servers} = gateway.mcp;
	const asker = askerOf(gateway, exchange, headers);
	const stops = await Promise.all(
		(door === undefined ? servers.names : [door]).map(async name => {
			const channel = servers.get(name)?.channel({owner, offer, era}, asker);
			if (!channel) return undefined;
			const uris = watched.filter(({server}) => server === name).map(({uri}) => uri);
			let last = Promise.resolve();
			const passOn = openPaced<JsonObject>(message => {
				last = last.then(async () => {
					if (!exchange.revoked && (await isInSight(place, name))) tell(message);
				});
			}, restMs);
			const listener: Notice = (method, params) => {
				// The address would be words of the server's that nobody asked about.
				if (method === 'notifications/resources/updated' && !uris.includes(String(params.uri))) return;
				const message = asHeard(place, channel, method, params);
				if (message) passOn(message);
			};
			if (door === undefined && uris.length === 0) return channel.link.onNotice(listener);
			return channel.link.watch(uris, listener).catch(() => channel.link.onNotice(listener));
		}),
	);
	return () => {
		for (const stop of stops) stop?.();
	};
};
