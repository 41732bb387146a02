import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {askRequest, askResult} from './guard.ts';
import {levelIn} from './levels.ts';
import {methods} from './methods.ts';
import {askingOf, channelTo, reaching} from './reach.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import {subscriptions} from './subscriptions.ts';
import type {Turn} from './turn.ts';
import {isLegacy, legacyVersions, metaKeys, ourselves, statelessVersion} from './versions.ts';

/** What this gateway carries between the eras, of all that a server may offer. */
const carried = ['tools', 'prompts', 'resources', 'completions', 'logging'] as const;

const offered = (capabilities: JsonObject): JsonObject =>
	Object.fromEntries(
		carried
			.filter(name => isObject(capabilities[name]))
			.map(name => {
				const {listChanged, subscribe} = capabilities[name] as JsonObject;
				return [name, {...(listChanged === true && {listChanged}), ...(subscribe === true && {subscribe})}];
			}),
	);

const everything = {
	tools: {listChanged: true},
	prompts: {listChanged: true},
	resources: {listChanged: true, subscribe: true},
	completions: {},
	logging: {},
};

/** What a door says of what is behind it. Many servers' instructions together would be instructions about each other: only one server's are passed on. */
const greeting = async (turn: Turn): Promise<{capabilities: JsonObject; instructions?: string}> => {
	const {exchange, door} = turn;
	exchange.server = door;
	const answer = await askRequest(turn);
	if (answer) throw new GatewayError('plugin_failed', 'A plugin cannot greet in the place of a server.');
	if (door === undefined) return {capabilities: everything};
	const channel = channelTo(turn, door);
	const {capabilities, instructions} = await reaching(turn, door, () => channel.link.facts(askingOf(turn, channel)));
	exchange.outcome = 'ok';
	const left = instructions === undefined ? {} : await askResult(turn, {instructions});
	return {capabilities: offered(capabilities), ...(typeof left.instructions === 'string' && {instructions: left.instructions})};
};

const initialize = async (turn: Turn): Promise<JsonObject> => {
	const {protocolVersion: asked} = turn.params;
	const hello = await greeting(turn);
	return {protocolVersion: isLegacy(asked) ? asked : legacyVersions[0], serverInfo: ourselves, ...hello};
};

const discover = async (turn: Turn): Promise<JsonObject> => {
	return {supportedVersions: [statelessVersion, ...legacyVersions], ...(await greeting(turn))};
};

const ping = async (): Promise<JsonObject> => ({});

/** As long as a session lives. */
const levelMs = 7 * 86_400_000;

/** Known to every process on the store; servers are told with the next request to them. */
const setLevel = async ({gateway, owner, params}: Turn): Promise<JsonObject> => {
	gateway.mcp.shared.put('level', owner, levelIn(params.level), levelMs);
	return {};
};

const legacyOnly: Readonly<Record<string, (turn: Turn) => Promise<JsonObject>>> = {
	initialize,
	ping,
	'logging/setLevel': setLevel,
	...subscriptions,
};
const statelessOnly: typeof legacyOnly = {'server/discover': discover};

/** Results that a stateless client may keep, and for how long: for a moment, and for itself alone, since each key sees its own. */
const cacheable = new Set([
	'tools/list',
	'prompts/list',
	'resources/list',
	'resources/templates/list',
	'resources/read',
	'server/discover',
]);

const inEra = ({era, method}: Turn, result: JsonObject): JsonObject => {
	const {resultType, ttlMs: _, cacheScope: __, ...own} = result;
	if (era === 'legacy') return own;
	const meta = isObject(own._meta) ? own._meta : {};
	return {
		...own,
		// Whatever else a server may call it.
		resultType: resultType === 'input_required' ? resultType : 'complete',
		...(cacheable.has(method) && resultType !== 'input_required' && {ttlMs: 0, cacheScope: 'private'}),
		_meta: {...meta, [metaKeys.serverInfo]: ourselves},
	};
};

/** What a method does in an era; undefined where it is none. */
const methodOf = ({era, method}: Pick<Turn, 'era' | 'method'>) => {
	const own = era === 'legacy' ? legacyOnly : statelessOnly;
	for (const table of [methods, own]) if (Object.hasOwn(table, method)) return table[method];
	return undefined;
};

/** The operation of a request: its method, where that is one. */
export const isKnown = (turn: Pick<Turn, 'era' | 'method'>): boolean => methodOf(turn) !== undefined;

/** What is not there has a code of its own in the older era, and none in the other. */
const codeIn = ({era, method}: Turn, code: number): number => {
	if (method !== 'resources/read') return code;
	if (era === 'stateless') return code === rpcCodes.notFound ? rpcCodes.invalidParams : code;
	return code === rpcCodes.invalidParams ? rpcCodes.notFound : code;
};

/** Errors about the hop between the gateway and a server say nothing that a client could act on. */
const ofTheHop = new Set<number>([rpcCodes.headerMismatch, rpcCodes.missingCapability, rpcCodes.unsupportedVersion]);

/** A server's error as its client may see it: its words pass post-response like those of a result. */
const theirError = async (turn: Turn, {code, message, data}: RpcError): Promise<RpcError> => {
	turn.exchange.outcome = 'failed';
	// Where a page may be asked for it was judged by now.
	if (code === rpcCodes.urlRequired)
		throw new GatewayError('denied', `The MCP server "${turn.exchange.server}" sends its callers to a page where none may be asked for.`);
	if (ofTheHop.has(code))
		throw new GatewayError('upstream_failed', `The MCP server "${turn.exchange.server}" asks for what this gateway does not offer.`);
	const left = await askResult(turn, {message, ...(data !== undefined && {data})});
	const words = typeof left.message === 'string' ? left.message : 'The server refused this.';
	return new RpcError(codeIn(turn, code), words, {...(left.data !== undefined && {data: left.data}), isTheirs: true});
};

/** The result of one request, as its client's era writes it. Throws RpcError, which post-response has seen where it is a server's, or GatewayError. */
export const answerTo = async (turn: Turn): Promise<JsonObject> => {
	const run = methodOf(turn);
	if (!run) {
		const status = turn.era === 'stateless' ? 404 : 200;
		throw new RpcError(rpcCodes.unknownMethod, `Method not found: ${turn.method.slice(0, 100)}`, {status});
	}
	let result: JsonObject;
	try {
		result = await run(turn);
	} catch (thrown) {
		throw thrown instanceof RpcError && thrown.isTheirs ? await theirError(turn, thrown) : thrown;
	}
	return inEra(turn, result);
};
