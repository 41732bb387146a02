import {GatewayError} from '../errors.ts';
import {numberIn} from '../llm/exact.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {type Eras, type Greeting, greet, resultIn} from './greeting.ts';
import {stamp, statelessHeaders} from './hop.ts';
import type {Hub} from './hub.ts';
import type {Asking, Greeted, Link, Notice, ServerFacts} from './link.ts';
import {type Message, RpcError, rpcCodes} from './rpc.ts';
import {openStanding} from './standing.ts';
import {isLegacy} from './versions.ts';
import type {Answered, Wire} from './wire.ts';

type Options = {
	name: string;
	wire: Wire;
	eras: Eras;
	hub: Hub;
	prefers: ServerFacts['era'];
	/** What the client offers to this server. */
	capabilities: JsonObject;
	now?: () => number;
};

/** What belongs to a conversation itself. */
const brief: Greeted = {asker: undefined, timeoutMs: 5_000};
/** Of a server that asks and takes no answers, so many wait to be taken. */
const mostReplies = 100;

type Asked = {id: number; asking: Asking; questions: number};

const offersNothing: Asking['onAsk'] = async () => {
	throw new RpcError(rpcCodes.unknownMethod, 'This client does not offer that.');
};

/** A server that answers knows the session, whatever it answers. */
const passRefusal = (thrown: unknown): void => {
	if (!(thrown instanceof RpcError)) throw thrown;
};

/** A conversation with an MCP server over HTTP, in the era that the server speaks. A session that it forgot is begun anew, once. */
export const openHttpLink = ({name, wire, eras, hub, prefers, capabilities, now = Date.now}: Options): Link => {
	const listeners = new Set<Notice>();
	/** Requests under way whose server may ask their client something. */
	const open = new Set<Asked>();
	let connecting: Promise<Greeting> | undefined;
	let session: string | undefined;
	let version: string | undefined;
	let ids = 0;
	let closed = false;

	const headersOf = (own = {session, version}): Record<string, string> => ({
		...(own.session !== undefined && {'mcp-session-id': own.session}),
		...(own.version !== undefined && {'mcp-protocol-version': own.version}),
	});

	const post = (message: JsonObject, asker: Asking['asker']): Promise<void> => {
		const posting = {...brief, asker, waiting: {left: false}, headers: headersOf()};
		// A server that cannot be told goes on without.
		return wire
			.post(message, undefined, posting, () => undefined)
			.then(
				() => undefined,
				() => undefined,
			);
	};

	let replies = 0;
	const reply = (message: JsonObject, asked: Asked | undefined): void => {
		if (replies >= mostReplies) return;
		replies += 1;
		void post(message, asked?.asking.asker).then(() => {
			replies -= 1;
		});
	};

	/** A question on the stream of a request is its client's to answer; one on the common stream is, when only one client could be meant. */
	const question = ({id, method, params}: Extract<Message, {kind: 'request'}>, asked: Asked | undefined): void => {
		if (method === 'ping') {
			reply({id, result: {}}, asked);
			return;
		}
		const [only] = open;
		const meant = asked ?? (open.size === 1 ? only : undefined);
		if (meant) meant.questions += 1;
		const answer = (meant?.asking.onAsk ?? offersNothing)(method, params);
		answer
			.then(
				result => reply({id, result}, meant),
				thrown => {
					const code = thrown instanceof RpcError ? thrown.code : rpcCodes.internal;
					const message = thrown instanceof RpcError ? thrown.message : 'The client does not answer this.';
					reply({id, error: {code, message}}, meant);
				},
			)
			.finally(() => {
				if (meant) meant.questions -= 1;
			});
	};

	const heard = (message: Message, asked?: Asked): void => {
		if (message.kind === 'request') question(message, asked);
		if (message.kind !== 'notification') return;
		const {method, params} = message;
		if (method === 'notifications/progress') {
			if (asked && numberIn(params.progressToken) === asked.id) asked.asking.onProgress?.(params);
		} else if (method === 'notifications/message' && asked) asked.asking.onLog?.(params);
		else for (const listener of listeners) listener(method, params);
	};

	type Sending = {method: string; params: JsonObject; asking: Asking; headers: Record<string, string>};

	const send = async ({method, params, asking, headers}: Sending): Promise<Answered> => {
		const {asker, waiting = {left: false}, timeoutMs, onProgress, onPolled} = asking;
		const asked: Asked = {id: ++ids, asking, questions: 0};
		const {id} = asked;
		const meta = onProgress && {_meta: {...(params._meta as JsonObject | undefined), progressToken: id}};
		const posting = {asker, waiting, headers, timeoutMs, isHeld: () => asked.questions > 0, onPolled};
		if (asking.onAsk) open.add(asked);
		try {
			return await wire.post({id, method, params: {...params, ...meta}}, id, posting, message => heard(message, asked));
		} catch (thrown) {
			// In the stateless era the end of the connection says so.
			const isOver = thrown instanceof GatewayError && (thrown.code === 'client_closed' || thrown.code === 'upstream_timeout');
			if (isOver && version !== undefined && isLegacy(version) && method !== 'initialize')
				void post({method: 'notifications/cancelled', params: {requestId: id, reason: thrown.code}}, asker);
			throw thrown;
		} finally {
			open.delete(asked);
		}
	};

	const standing = openStanding({
		now,
		open: async (waiting, onOpen) => {
			if (wire.isGone?.(headersOf())) {
				connecting = undefined;
				await connect(brief);
			}
			const own = session;
			if (own === undefined) return 'ended';
			const end = await wire.listen({waiting, headers: headersOf(), timeoutMs: 10_000, onOpen}, message => heard(message));
			if (end !== 'forgotten') return end;
			// Either the session, which is begun anew then, or the path: there are servers without a word for "no stream".
			if (session === own) await request('ping', {}, brief).catch(passRefusal);
			return session === own ? 'missing' : end;
		},
	});

	/** Nobody's in particular: whoever asked first may leave while others wait for it. */
	const begin = async ({asker, timeoutMs}: Greeted): Promise<Greeting> => {
		if (closed) throw new GatewayError('shutting_down', 'This conversation is over.');
		session = undefined;
		version = undefined;
		const hello = ({timeoutMs: ms, ...sending}: Omit<Sending, 'asking'> & {timeoutMs: number}) =>
			send({...sending, asking: {asker, timeoutMs: ms}});
		const greeting = await greet({name, eras, prefers, capabilities, now, send: hello}, timeoutMs);
		if (greeting.facts.era === 'stateless') return greeting;
		session = greeting.session;
		version = greeting.facts.version;
		await wire.post(
			{method: 'notifications/initialized'},
			undefined,
			{asker, waiting: {left: false}, headers: headersOf(), timeoutMs},
			() => undefined,
		);
		if (closed && session !== undefined) wire.drop(headersOf());
		// What an earlier session was asked to tell of, this one does not know.
		for (const uri of subscribed.keys()) void subscribe(uri);
		// Some servers ask on the common stream whatever a request makes them ask.
		if (session !== undefined && Object.keys(capabilities).length > 0 && !isListening) {
			isListening = true;
			void standing.want();
		}
		return greeting;
	};
	let isListening = false;
	/** Resources that watchers hear of, and how many of them. */
	const subscribed = new Map<string, number>();
	const subscribe = (uri: string): Promise<unknown> => request('resources/subscribe', {uri}, brief).catch(() => undefined);

	const connect = (asking: Greeted): Promise<Greeting> => {
		if (connecting) return connecting;
		const greeting = begin(asking);
		connecting = greeting;
		// The next one tries again.
		greeting.catch(() => {
			if (connecting === greeting) connecting = undefined;
		});
		return greeting;
	};

	const request = async (method: string, params: JsonObject, asking: Asking, isAgain = false): Promise<JsonObject> => {
		const begun = connect(asking);
		const {facts, session: own} = await begun;
		if (facts.era === 'stateless') {
			const stamped = stamp(params, asking);
			return resultIn(name, await send({method, params: stamped, asking, headers: statelessHeaders(method, stamped, asking.definition)}));
		}
		const answered = await send({method, params, asking, headers: headersOf({session: own, version: facts.version})});
		// It knows no such session, so it has done nothing; somebody else may have begun the next one since.
		if (answered.status !== 404 || own === undefined || isAgain) return resultIn(name, answered);
		if (connecting === begun) connecting = undefined;
		return request(method, params, asking, true);
	};

	return {
		facts: async asking => (await connect(asking)).facts,
		request: (method, params, asking) => request(method, params, asking),
		tell(method, params) {
			if (session !== undefined) void post({method, params}, undefined);
		},
		onNotice(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		async watch(uris, listener) {
			const {facts} = await connect(brief);
			if (facts.era === 'stateless') return hub.watch(uris, listener, facts.capabilities);
			const own: Notice = (method, params) => {
				if (method !== 'notifications/resources/updated' || uris.includes(String(params.uri))) listener(method, params);
			};
			listeners.add(own);
			await standing.want();
			const knows = isObject(facts.capabilities.resources) && facts.capabilities.resources.subscribe === true;
			// What it does not let itself be asked for, it does not tell either.
			const asked = knows ? uris : [];
			for (const uri of asked) {
				subscribed.set(uri, (subscribed.get(uri) ?? 0) + 1);
				await subscribe(uri);
			}
			return () => {
				if (!listeners.delete(own)) return;
				for (const uri of asked) {
					const left = subscribed.get(uri)! - 1;
					if (left > 0) subscribed.set(uri, left);
					else subscribed.delete(uri);
				}
				standing.leave();
			};
		},
		async close() {
			closed = true;
			standing.close();
			if (session !== undefined) wire.drop(headersOf());
			session = undefined;
		},
	};
};
