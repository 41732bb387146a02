import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {encodeHeader, nameHeaderOf, paramHeaders} from './headers.ts';
import type {Answered, Wire} from './http.ts';
import {type Asking, factsOf, type Link, type ServerFacts} from './link.ts';
import {type Message, RpcError, rpcCodes} from './rpc.ts';
import {isLegacy, legacyVersions, metaKeys, ourselves, statelessVersion} from './versions.ts';

/** What is known of a server's era, shared by all its links: probed once, and again when it may have been replaced. */
export type Era = {kind?: ServerFacts['era']; probedAt: number};

type Options = {name: string; wire: Wire; era: Era; now?: () => number};

/** A server that was upgraded is found out within this time: a stale verdict never fails by itself. */
const eraMs = 600_000;
const probeMs = 5_000;

const stamp = (params: JsonObject): JsonObject => ({
	...params,
	_meta: {
		...(params._meta as JsonObject | undefined),
		[metaKeys.version]: statelessVersion,
		[metaKeys.capabilities]: {},
		[metaKeys.clientInfo]: ourselves,
	},
});

const withInfo = ({_meta, serverInfo, ...result}: JsonObject): JsonObject => ({
	...result,
	serverInfo: serverInfo ?? (isObject(_meta) ? _meta[metaKeys.serverInfo] : undefined),
});

/** A conversation with an MCP server over HTTP, in the era that the server speaks. A session that it forgot is begun anew, once. */
export const openHttpLink = ({name, wire, era, now = Date.now}: Options): Link => {
	const listeners = new Set<(method: string, params: JsonObject) => void>();
	let connecting: Promise<ServerFacts> | undefined;
	let session: string | undefined;
	let version: string | undefined;
	let ids = 0;
	let closed = false;

	const headersOf = (): Record<string, string> => ({
		...(session !== undefined && {'mcp-session-id': session}),
		...(version !== undefined && {'mcp-protocol-version': version}),
	});

	const notify = (method: string, params: JsonObject): void => {
		const posting = {waiting: {left: false}, headers: headersOf(), timeoutMs: probeMs};
		// A server that cannot be told goes on without.
		wire.post({method, params}, undefined, posting, () => undefined).catch(() => undefined);
	};

	const answerItself = ({id, method}: Extract<Message, {kind: 'request'}>): void => {
		const said = method === 'ping' ? {result: {}} : {error: {code: rpcCodes.unknownMethod, message: 'This client does not offer that.'}};
		const posting = {waiting: {left: false}, headers: headersOf(), timeoutMs: probeMs};
		wire.post({id, ...said}, undefined, posting, () => undefined).catch(() => undefined);
	};

	const heard = (message: Message, asked?: {id: number; onProgress?: Asking['onProgress']}): void => {
		if (message.kind === 'request') answerItself(message);
		if (message.kind !== 'notification') return;
		const {method, params} = message;
		if (method !== 'notifications/progress') for (const listener of listeners) listener(method, params);
		else if (asked && params.progressToken === asked.id) asked.onProgress?.(params);
	};

	const resultOf = ({answer, status}: Answered): JsonObject => {
		if (!answer) throw new GatewayError('upstream_failed', `The MCP server "${name}" answered with status ${status} and no message.`);
		if (answer.error) throw new RpcError(answer.error.code, answer.error.message, {data: answer.error.data, isTheirs: true});
		return answer.result ?? {};
	};

	type Sending = {method: string; params: JsonObject; asking: Asking; headers: Record<string, string>};

	const send = async ({method, params, asking, headers}: Sending): Promise<Answered> => {
		const {waiting = {left: false}, timeoutMs, onProgress} = asking;
		const id = ++ids;
		const meta = onProgress && {_meta: {...(params._meta as JsonObject | undefined), progressToken: id}};
		try {
			return await wire.post({id, method, params: {...params, ...meta}}, id, {waiting, headers, timeoutMs}, message =>
				heard(message, {id, ...(onProgress && {onProgress})}),
			);
		} catch (thrown) {
			// In the stateless era the end of the connection says so.
			const isOver = thrown instanceof GatewayError && (thrown.code === 'client_closed' || thrown.code === 'upstream_timeout');
			if (isOver && version !== undefined && isLegacy(version) && method !== 'initialize')
				notify('notifications/cancelled', {requestId: id, reason: thrown.code});
			throw thrown;
		}
	};

	const statelessHeaders = (method: string, params: JsonObject, definition?: JsonObject): Record<string, string> => {
		const named = nameHeaderOf(method, params);
		return {
			'mcp-protocol-version': statelessVersion,
			'mcp-method': method,
			...(named !== undefined && {'mcp-name': encodeHeader(named)}),
			...(definition && paramHeaders(definition, isObject(params.arguments) ? params.arguments : {})),
		};
	};

	const probe = async (): Promise<ServerFacts | undefined> => {
		const params = stamp({});
		const asking = {timeoutMs: probeMs};
		const answered = await send({method: 'server/discover', params, asking, headers: statelessHeaders('server/discover', params)});
		const {supportedVersions, ...result} = answered.answer?.result ?? {};
		if (!Array.isArray(supportedVersions) || !supportedVersions.includes(statelessVersion)) return undefined;
		return factsOf(name, {era: 'stateless', version: statelessVersion}, withInfo(result));
	};

	/** Anything but a good answer means that it is older; who cannot be reached at all is not asked a second time. */
	const discover = async (): Promise<ServerFacts | undefined> => {
		if (era.kind === 'legacy' && now() - era.probedAt < eraMs) return undefined;
		let found: ServerFacts | undefined;
		try {
			found = await probe();
		} catch (thrown) {
			const isAnswer = ['upstream_unreachable', 'upstream_refused', 'upstream_too_large', 'client_closed', 'connect_required', 'denied'];
			if (thrown instanceof GatewayError && isAnswer.includes(thrown.code)) throw thrown;
		}
		era.kind = found ? 'stateless' : 'legacy';
		era.probedAt = now();
		return found;
	};

	/** Nobody's in particular: whoever asked first may leave while others wait for it. */
	const greet = async (timeoutMs: number): Promise<ServerFacts> => {
		if (closed) throw new GatewayError('shutting_down', 'This conversation is over.');
		session = undefined;
		version = undefined;
		const found = await discover();
		if (found) return found;
		const params = {protocolVersion: legacyVersions[0], capabilities: {}, clientInfo: ourselves};
		const answered = await send({method: 'initialize', params, asking: {timeoutMs}, headers: {}});
		const result = resultOf(answered);
		if (!isLegacy(result.protocolVersion))
			throw new GatewayError('upstream_malformed', `The MCP server "${name}" speaks a version that is not known here.`);
		session = answered.sessionId;
		version = result.protocolVersion;
		await wire.post(
			{method: 'notifications/initialized'},
			undefined,
			{waiting: {left: false}, headers: headersOf(), timeoutMs},
			() => undefined,
		);
		return factsOf(name, {era: 'legacy', version}, result);
	};

	const facts = (asking: Pick<Asking, 'timeoutMs'>): Promise<ServerFacts> => {
		if (connecting) return connecting;
		const greeting = greet(asking.timeoutMs);
		connecting = greeting;
		// The next one tries again.
		greeting.catch(() => {
			if (connecting === greeting) connecting = undefined;
		});
		return greeting;
	};

	const request = async (method: string, params: JsonObject, asking: Asking, isAgain = false): Promise<JsonObject> => {
		const known = await facts(asking);
		if (known.era === 'stateless') {
			const stamped = stamp(params);
			return resultOf(await send({method, params: stamped, asking, headers: statelessHeaders(method, stamped, asking.definition)}));
		}
		const greeting = connecting;
		const answered = await send({method, params, asking, headers: headersOf()});
		// It knows no such session, so it has done nothing.
		if (answered.status !== 404 || session === undefined || isAgain) return resultOf(answered);
		if (connecting === greeting) connecting = undefined;
		return request(method, params, asking, true);
	};

	return {
		facts,
		request: (method, params, asking) => request(method, params, asking),
		onNotice(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		async close() {
			closed = true;
			if (session !== undefined) wire.drop(headersOf());
			session = undefined;
		},
	};
};
