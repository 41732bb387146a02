import {GatewayError} from '../errors.ts';
import {openExchange} from '../exchange.ts';
import {failWith, finish} from '../gateway.ts';
import {afterResponse} from '../llm/after.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {follow, type Watched} from './changes.ts';
import {askRequest} from './guard.ts';
import {uriIn} from './names.ts';
import type {Offer} from './offer.ts';
import {resume} from './resuming.ts';
import type {RpcId} from './rpc.ts';
import {idleStream, openStream, type Stream} from './stream.ts';
import {watchedBy} from './subscriptions.ts';
import type {Turn} from './turn.ts';
import {metaKeys, ourselves} from './versions.ts';
import {sessionOf, type Visit} from './visit.ts';

export type Whose = {owner: string; offer: Offer; era: Turn['era']};

/** Keeps a stream open until its client leaves it; its record is written then. */
const stay = async ({gateway, exchange, waiting}: Visit, stream: Parameters<typeof idleStream>[0] & {close(): void}): Promise<void> => {
	gateway.mcp.streams.add(waiting);
	await idleStream(stream, waiting, () => exchange.revoked !== undefined);
	gateway.mcp.streams.delete(waiting);
	await afterResponse(gateway, exchange);
	await finish(gateway, exchange).catch(thrown => gateway.log.error({err: thrown}, 'the record could not be written'));
	stream.close();
};

/** Asks every rule whether something may be heard. Throws what refuses it, and what answers instead. */
const askToHear = async (asked: Parameters<typeof askRequest>[0]): Promise<void> => {
	const answer = await askRequest(asked);
	if (answer) throw new GatewayError('plugin_failed', 'A plugin cannot answer in the place of a stream.');
};

/** Asks every rule whether this client may listen here at all. Throws what refuses it. */
export const askToListen = async ({gateway, exchange, req, door}: Visit): Promise<void> => {
	exchange.operation = 'stream';
	exchange.server = door;
	await askToHear({gateway, exchange, headers: req.headers, params: {}, continues: undefined});
};

/** GET: the stream of a session, on which its servers tell of changes; or the rest of one that broke off. */
export const listen = async (visit: Visit): Promise<undefined> => {
	const {exchange, req, res} = visit;
	exchange.operation = 'stream';
	const {owner, offer} = sessionOf(visit);
	await askToListen(visit);
	exchange.stream = true;
	exchange.status = 200;
	exchange.outcome = 'ok';
	const lastId = req.headers['last-event-id'];
	if (typeof lastId === 'string') {
		await resume(visit, owner, lastId);
		return undefined;
	}
	await tell(visit, openStream(res, exchange.id), {owner, offer, era: 'legacy'});
	return undefined;
};

/** Tells a session's client of changes, as soon as it is known what it offers, until it leaves. */
export const tell = async (visit: Visit, stream: Stream, whose: Whose | Promise<Whose>): Promise<void> => {
	const {gateway, exchange, req, door} = visit;
	stream.begin();
	let stop: Promise<() => void> = Promise.resolve(() => undefined);
	let forget = (): void => undefined;
	let isOver = false;
	const begin = ({owner, offer, era}: Whose): void => {
		if (isOver) return;
		const again = (): void => {
			const before = stop;
			stop = follow({gateway, exchange, headers: req.headers, door, owner, offer, era}, watchedBy(gateway, owner), stream.send);
			stop.finally(() => before.then(end => end()));
		};
		again();
		forget = gateway.mcp.onWatch(owner, again);
	};
	if (whose instanceof Promise) void whose.then(begin);
	else begin(whose);
	await stay(visit, stream);
	isOver = true;
	forget();
	(await stop)();
};

/** Whether somebody may hear of a resource: judged as an exchange of its own. */
const mayHear = async (visit: Visit, {owner, offer, era}: Whose, {server, uri}: Watched): Promise<boolean> => {
	const {gateway, exchange, req, door, waiting} = visit;
	const {method, path, ip, surface, principal, identifiedBy, session} = exchange;
	const part = openExchange({method, path, ip, surface});
	Object.assign(part, {principal, identifiedBy, session, owner, operation: 'resources/subscribe', server});
	part.annotations['mcp.for'] = exchange.id;
	const turn: Turn = {
		gateway,
		exchange: part,
		headers: req.headers,
		door,
		era,
		owner,
		offer,
		id: 0,
		method: 'resources/subscribe',
		params: {uri},
		waiting,
	};
	gateway.running.add(part);
	try {
		await askToHear(turn);
		part.outcome = 'ok';
		part.status = 200;
		// Of an address that a rule has changed it hears nothing.
		return turn.params.uri === uri;
	} catch (thrown) {
		failWith(gateway, part, thrown);
		return false;
	} finally {
		await afterResponse(gateway, part);
		await finish(gateway, part).finally(() => gateway.running.delete(part));
	}
};

const mostUris = 200;
const lists = {tools: 'toolsListChanged', prompts: 'promptsListChanged', resources: 'resourcesListChanged'} as const;

/** `subscriptions/listen` of the stateless era: one stream that says first what it will tell of, and tells of nothing else. */
export const listenTo = async (visit: Visit, id: RpcId, params: JsonObject, whose: Whose): Promise<undefined> => {
	const {gateway, exchange, req, res, door} = visit;
	exchange.operation = 'subscriptions/listen';
	exchange.server = door;
	const {owner, offer, era} = whose;
	const wanted = isObject(params.notifications) ? params.notifications : {};
	const given = Array.isArray(wanted.resourceSubscriptions) ? wanted.resourceSubscriptions.slice(0, mostUris) : [];
	await askToHear({gateway, exchange, headers: req.headers, params, continues: undefined});
	const found: (Watched & {shown: string})[] = [];
	for (const shown of given) {
		if (typeof shown !== 'string') continue;
		const own = door === undefined ? uriIn(shown) : {server: door, uri: shown};
		if (own && gateway.mcp.servers.get(own.server) && (await mayHear(visit, whose, own))) found.push({...own, shown});
	}
	const honoured = {
		...Object.fromEntries(Object.values(lists).flatMap(name => (wanted[name] === true ? [[name, true]] : []))),
		...(found.length > 0 && {resourceSubscriptions: found.map(({shown}) => shown)}),
	};
	exchange.stream = true;
	exchange.status = 200;
	exchange.outcome = 'ok';
	const stream = openStream(res, exchange.id);
	let acknowledged = false;
	const tagged = {_meta: {[metaKeys.subscriptionId]: id}};
	const stop = await follow({gateway, exchange, headers: req.headers, door, owner, offer, era}, found, ({method, params: said}) => {
		const [, kind = ''] = /^notifications\/(\w+)\/list_changed$/.exec(String(method)) ?? [];
		const isList = kind !== '';
		if (isList ? wanted[lists[kind as keyof typeof lists]] !== true : method !== 'notifications/resources/updated') return;
		if (acknowledged) stream.send({method, params: {...(said as JsonObject | undefined), ...tagged}});
	});
	stream.send({method: 'notifications/subscriptions/acknowledged', params: {notifications: honoured, ...tagged}});
	acknowledged = true;
	// It ends as it is told to where the gateway stops; a client that left does not hear of it.
	const close = (): void => {
		if (res.destroyed) return;
		stream.end(
			JSON.stringify({jsonrpc: '2.0', id, result: {resultType: 'complete', _meta: {...tagged._meta, [metaKeys.serverInfo]: ourselves}}}),
		);
	};
	await stay(visit, {begin: stream.begin, comment: stream.comment, close});
	stop();
	return undefined;
};
