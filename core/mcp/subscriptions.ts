import {GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import type {Watched} from './changes.ts';
import {askRequest, askResult} from './guard.ts';
import {uriIn} from './names.ts';
import {askingOf, channelTo, reaching} from './reach.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Turn} from './turn.ts';

/** What a session's client wants to hear of; whichever process holds its stream listens for it. */
export const watchedBy = ({mcp}: Gateway, owner: string): Watched[] => {
	const text = mcp.shared.get('watch', owner);
	return text === undefined ? [] : (JSON.parse(text) as Watched[]);
};

const mostWatched = 200;
/** Of the row that says so, which every process on the store keeps. */
const mostChars = 65_536;
const keptMs = 7 * 86_400_000;

const change = async (turn: Turn, isOn: boolean): Promise<JsonObject> => {
	const {gateway, exchange, owner, door, params, method} = turn;
	const {uri: shown} = params;
	if (typeof shown !== 'string' || shown === '' || shown.length > 4_000)
		throw new RpcError(rpcCodes.invalidParams, 'params.uri is missing.');
	const place = door === undefined ? uriIn(shown) : {server: door, uri: shown};
	exchange.server = place?.server;
	params.uri = place?.uri ?? shown;
	const answer = await askRequest(turn);
	if (answer) return answer;
	// As the rules left it.
	const found = place && {server: place.server, uri: String(params.uri)};
	if (!found || !gateway.mcp.servers.get(found.server)) throw new RpcError(rpcCodes.notFound, 'Resource not found', {data: {uri: shown}});
	/** Of what it hears of by then: others may be subscribed to meanwhile. */
	const watchedThen = (): string => {
		const others = watchedBy(gateway, owner).filter(({server, uri}) => server !== found.server || uri !== found.uri);
		const watched = JSON.stringify(isOn ? [...others, found] : others);
		if (isOn && (others.length >= mostWatched || watched.length > mostChars))
			throw new GatewayError('denied', `A session hears of ${mostWatched} resources at most, in ${mostChars} characters.`);
		return watched;
	};
	// Its server hears of nothing that is refused here.
	watchedThen();
	const channel = channelTo(turn, found.server);
	const asking = askingOf(turn, channel);
	const result = await reaching(turn, found.server, async () => {
		const {era, capabilities} = await channel.link.facts(asking);
		if (!isObject(capabilities.resources) || capabilities.resources.subscribe !== true)
			throw new RpcError(rpcCodes.unknownMethod, 'This server tells of no changes of its resources.');
		// What is everybody's is not one client's to end.
		return era === 'legacy' && (isOn || channel.isOwn) ? channel.link.request(method, {uri: found.uri}, asking) : {};
	});
	exchange.outcome = 'ok';
	gateway.mcp.shared.put('watch', owner, watchedThen(), keptMs);
	return askResult(turn, result);
};

/** The methods by which a session's client says what it wants to hear of. */
export const subscriptions: Readonly<Record<string, (turn: Turn) => Promise<JsonObject>>> = {
	'resources/subscribe': turn => change(turn, true),
	'resources/unsubscribe': turn => change(turn, false),
};
