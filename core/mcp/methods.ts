import {asGatewayError, GatewayError} from '../errors.ts';
import {copyOf} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {keepRequest} from '../payload.ts';
import {atDoor} from './at-door.ts';
import {type Entry, type ListMethod, lists} from './catalogue.ts';
import {askList, askRequest, askResult, askToolCall} from './guard.ts';
import {differingParam} from './headers.ts';
import {isInSight, serversInSight} from './in-sight.ts';
import {isMarked, prefixed, prefixedIn, prefixedUri, serverIn, uriIn} from './names.ts';
import {takeState, withApproval} from './pending.ts';
import {askingOf, channelTo, onward, reaching} from './reach.ts';
import {call, continued} from './rounds.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';

const invalid = (message: string): RpcError => new RpcError(rpcCodes.invalidParams, message);

/**
 * How a list's entries are called at a door: their own names, or those with a prefix. `all` is everything that their servers have: what
 * somebody may not see has a name too, and a call is looked up among all of them.
 */
const shownAs = (door: string | undefined, method: ListMethod, entries: readonly Entry[], all: readonly Entry[]): JsonObject[] => {
	const {key} = lists[method];
	if (door !== undefined) return entries.map(({definition}) => definition);
	if (key !== 'name') return entries.map(({server, name, definition}) => ({...definition, [key]: prefixedUri(server, name)}));
	const servers = [...new Set(entries.map(({server}) => server))];
	const names = new Map(
		servers.flatMap(server => {
			const own = all.filter(entry => entry.server === server).map(({name}) => name);
			return [...prefixed(server, own)].map(([shown, name]) => [`${server}\n${name}`, shown] as const);
		}),
	);
	return entries.map(({server, name, definition}) => ({...definition, name: names.get(`${server}\n${name}`)}));
};

const impatience = 10_000;
/** Of the names of the servers that were asked, on the record. */
const mostNoted = 500;

type Found = {server: string; entries: readonly Entry[]; error?: GatewayError};

/** One server's part; at the common door a server that is down does not take the others with it. */
const partOf = async (turn: Turn, server: string, method: ListMethod): Promise<Found> => {
	const channel = channelTo(turn, server);
	const asking = askingOf(turn, channel);
	if (turn.door !== undefined) return {server, entries: await channel.catalogue.list(method, asking)};
	try {
		// They run at once, and only one of them could hear that the client left.
		const own = {asker: asking.asker, timeoutMs: Math.min(channel.timeoutMs, impatience)};
		return {server, entries: await channel.catalogue.list(method, own)};
	} catch (thrown) {
		return {server, entries: [], error: asGatewayError(thrown)};
	}
};

const listing = async (turn: Turn, method: ListMethod): Promise<JsonObject> => {
	const {exchange, door} = turn;
	exchange.server = door;
	if ((turn.params.cursor ?? '') !== '') throw invalid('There is only one page, and no cursor for another.');
	const answer = await askRequest(turn);
	if (answer) return answer;
	const {field} = lists[method];
	const names = await serversInSight(turn);
	if (door !== undefined) channelTo(turn, door);
	else exchange.annotations['mcp.servers'] = names.join(' ').slice(0, mostNoted);
	const parts = await reaching(turn, door, () => Promise.all(names.map(name => partOf(turn, name, method))));
	exchange.outcome = 'ok';
	const all = parts.flatMap(({entries}) => entries);
	const {entries, servers} = await askList(turn, field, {entries: all, servers: names});
	const down = parts.flatMap(({server, error}) =>
		error && servers.includes(server) ? [{server, error: error.code, ...(error.link !== undefined && {link: error.link})}] : [],
	);
	return {[field]: shownAs(door, method, entries, all), ...(down.length > 0 && {_meta: {'sallyport/unavailable': down}})};
};

/** Whose a name is at this door, and what its server calls it. */
const namedAt = async (
	turn: Turn,
	method: ListMethod,
	name: string,
): Promise<{server: string | undefined; name: string; entry?: Entry}> => {
	const server = turn.door ?? serverIn(name);
	if (server === undefined || !turn.gateway.mcp.servers.get(server)) return {server, name};
	const channel = channelTo(turn, server);
	const known = await channel.catalogue.known(method, askingOf({...turn, onProgress: undefined}, channel));
	const own = turn.door === undefined ? prefixedIn(server, known).get(name) : name;
	const entry = own === undefined ? undefined : known.get(own);
	// A name that nobody has is judged as it would be called there.
	return {server, name: own ?? name.slice(server.length + 2), ...(entry && {entry})};
};

const textIn = (params: JsonObject, field: string): string => {
	const value = params[field];
	if (typeof value === 'string' && value !== '' && value.length <= 4_000) return value;
	throw invalid(`params.${field} is missing, or is not text.`);
};

/** What was decided about is a tool as it was then; its server is asked again what it is now. */
const asDecided = async (turn: Turn, channel: Channel, {name, digest}: Entry): Promise<void> => {
	const tools = await reaching(turn, undefined, () => channel.catalogue.list('tools/list', askingOf(turn, channel)));
	if (tools.find(entry => entry.name === name)?.digest !== digest)
		throw new GatewayError('approval_required', 'The server has changed this tool since it was decided about: ask again.');
};

const toolCall = async (turn: Turn): Promise<JsonObject> => {
	const {exchange, headers, era, params, door} = turn;
	const asked = textIn(params, 'name');
	if (params.arguments !== undefined && !isObject(params.arguments)) throw invalid('params.arguments is not an object.');
	params.arguments ??= {};
	const said = era === 'stateless' ? copyOf(params.arguments as JsonObject) : undefined;
	if (said) turn.said = {name: asked, arguments: said};
	if (turn.said) {
		takeState(turn, turn.said);
		turn.continues = continued(turn, 'tools/call', turn.said);
	}
	exchange.server = door ?? serverIn(asked);
	exchange.tool = door === undefined && exchange.server ? asked.slice(exchange.server.length + 2) : asked;
	params.name = exchange.tool;
	// The server has to be granted before it is asked for anything, its list of tools too.
	const answer = await askRequest(turn);
	if (answer) return answer;
	const {server, name, entry} = await reaching(turn, undefined, () => namedAt(turn, 'tools/list', asked));
	exchange.tool = name;
	exchange.definitionDigest = entry?.digest;
	const differs = said && entry && differingParam(entry.definition, said, headers);
	if (differs !== undefined)
		throw new RpcError(rpcCodes.headerMismatch, `The header ${differs} says something else than the arguments.`, {status: 400});
	const instead = await askToolCall(turn, name, entry);
	if (instead) return instead;
	if (!entry || server === undefined) throw invalid(`Unknown tool: ${asked.slice(0, 200)}`);
	const channel = channelTo(turn, server);
	if (exchange.approval || exchange.waited) await asDecided(turn, channel, entry);
	// Whatever a plugin wrote into the name: what was asked about is what is called.
	const sent = onward({...params, name});
	keepRequest(turn.gateway, exchange, () => JSON.stringify({name, arguments: params.arguments}));
	const asking = askingOf(turn, channel, entry.definition);
	return turn.gateway.mcp.prices.charged(exchange, () =>
		reaching(turn, server, () => call(turn, channel, 'tools/call', sent, asking, {name: asked, arguments: said})),
	);
};

/** What a request is about, in its client's words. */
const spoken = ({name, uri, arguments: args}: JsonObject): JsonObject => ({name, uri, arguments: args});

type Directed = {
	server: string | undefined;
	unknown: RpcError /** Before it is sent, and after it was granted. */;
	check?: (() => Promise<void>) | undefined;
};

const directed = async (turn: Turn, method: string, {server, unknown, check}: Directed): Promise<JsonObject> => {
	const said = turn.era === 'stateless' ? spoken(copyOf(turn.params)) : undefined;
	turn.exchange.server = server;
	const answer = await askRequest(turn);
	if (answer) return answer;
	if (server === undefined || (turn.door === undefined && !turn.gateway.mcp.servers.get(server))) throw unknown;
	await check?.();
	const channel = channelTo(turn, server);
	keepRequest(turn.gateway, turn.exchange, () => JSON.stringify(spoken(turn.params)));
	return reaching(turn, server, () => call(turn, channel, method, onward(turn.params), askingOf(turn, channel), said));
};

/**
 * A prompt by its name at this door, without a word to its server before the key was granted it: what is not granted is not told from what
 * is not there, or down. Only of a name that ends in a digest the list has to say what it stands for.
 */
const promptAt = async (turn: Turn, asked: string, unknown: RpcError): Promise<Omit<Directed, 'unknown'> & {name: string}> => {
	const server = turn.door ?? serverIn(asked);
	if (turn.door !== undefined || server === undefined) return {server, name: asked};
	const look = () => reaching(turn, undefined, () => namedAt(turn, 'prompts/list', asked));
	const name = asked.slice(server.length + 2);
	// As for the list itself: a server that this key would not be shown hears nothing before it is granted.
	const list = {...turn, exchange: {...turn.exchange, operation: 'prompts/list' as const}, params: {}};
	if (!isMarked(asked) || !(await isInSight(list, server))) {
		const check = async (): Promise<void> => {
			const found = await look();
			if (!found.entry || found.name !== name) throw unknown;
		};
		return {server, name, check};
	}
	try {
		return await look();
	} catch (thrown) {
		const check = async (): Promise<void> => {
			throw thrown;
		};
		return {server, name, check};
	}
};

const promptGet = async (turn: Turn): Promise<JsonObject> => {
	const asked = textIn(turn.params, 'name');
	const unknown = invalid(`Unknown prompt: ${asked.slice(0, 200)}`);
	const {name, ...found} = await promptAt(turn, asked, unknown);
	turn.params.name = name;
	return directed(turn, 'prompts/get', {...found, unknown});
};

/** What is not there is -32602 in the stateless era, and a code of its own before. */
const noResource = (era: Turn['era'], uri: string): RpcError =>
	new RpcError(era === 'stateless' ? rpcCodes.invalidParams : rpcCodes.notFound, 'Resource not found', {data: {uri}});

const resourceRead = async (turn: Turn): Promise<JsonObject> => {
	const asked = textIn(turn.params, 'uri');
	const found = turn.door === undefined ? uriIn(asked) : {server: turn.door, uri: asked};
	turn.params.uri = found?.uri ?? asked;
	return directed(turn, 'resources/read', {server: found?.server, unknown: noResource(turn.era, asked)});
};

const complete = async (turn: Turn): Promise<JsonObject> => {
	const {ref} = turn.params;
	if (!isObject(ref)) throw invalid('params.ref is missing.');
	const unknown = invalid('Unknown reference.');
	if (turn.door !== undefined) return directed(turn, 'completion/complete', {server: turn.door, unknown});
	if (ref.type === 'ref/prompt') {
		const {name, ...found} = await promptAt(turn, textIn(ref, 'name'), unknown);
		turn.params.ref = {...ref, name};
		return directed(turn, 'completion/complete', {...found, unknown});
	}
	const found = uriIn(textIn(ref, 'uri'));
	turn.params.ref = {...ref, uri: found?.uri};
	return directed(turn, 'completion/complete', {server: found?.server, unknown});
};

const guarded = async (turn: Turn, result: Promise<JsonObject>): Promise<JsonObject> => {
	const came = await result;
	turn.exchange.outcome = 'ok';
	if (came.isError === true) turn.exchange.annotations['mcp.isError'] = true;
	return atDoor(turn, await askResult(turn, withApproval(turn.exchange, came)));
};

/** What each method does: the ones that reach servers, and pass every hook. */
export const methods: Readonly<Record<string, (turn: Turn) => Promise<JsonObject>>> = {
	'tools/list': turn => listing(turn, 'tools/list'),
	'prompts/list': turn => listing(turn, 'prompts/list'),
	'resources/list': turn => listing(turn, 'resources/list'),
	'resources/templates/list': turn => listing(turn, 'resources/templates/list'),
	'tools/call': turn => guarded(turn, toolCall(turn)),
	'prompts/get': turn => guarded(turn, promptGet(turn)),
	'resources/read': turn => guarded(turn, resourceRead(turn)),
	'completion/complete': turn => guarded(turn, complete(turn)),
};
