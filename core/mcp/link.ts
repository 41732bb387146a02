import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import type {Asker} from '../oauth/credential.ts';
import type {Waiting} from '../upstream/reply.ts';

/** What a server says of itself. */
export type ServerFacts = {
	era: 'legacy' | 'stateless';
	version: string;
	capabilities: JsonObject;
	instructions?: string;
	serverInfo?: JsonObject;
};

/** It is kept as long as its conversation, of which there may be thousands. */
const mostGreetingChars = 65_536;

/** What a greeting says, without what it says beside. Throws `upstream_too_large`. */
export const factsOf = (
	name: string,
	{era, version}: Pick<ServerFacts, 'era' | 'version'>,
	{capabilities, instructions, serverInfo}: JsonObject,
): ServerFacts => {
	const said = {
		capabilities: isObject(capabilities) ? capabilities : {},
		...(typeof instructions === 'string' && {instructions}),
		...(isObject(serverInfo) && {serverInfo}),
	};
	if (JSON.stringify(said).length > mostGreetingChars)
		throw new GatewayError('upstream_too_large', `The MCP server "${name}" says too much of itself.`);
	return {era, version, ...said};
};

export type Asking = {
	/** On whose behalf; undefined for what belongs to the conversation and to no request in it. */
	asker: Asker | undefined;
	/** Ends it, and tells the server, when the client leaves. */
	waiting?: Waiting;
	/** Longest wait for the whole answer, however it drips; a question to the client stops the clock. */
	timeoutMs: number;
	/** Its progress, when the server tells any. */
	onProgress?: (params: JsonObject) => void;
	/** What the server logs while it works on this. */
	onLog?: (params: JsonObject) => void;
	/** What the server asks of the client while it works on this: resolves with the answer for it, or rejects. */
	onAsk?: (method: string, params: JsonObject) => Promise<JsonObject>;
	/** The server closed its stream in the middle, and is asked again for the rest. */
	onPolled?: () => void;
	/** The definition of the tool that is called, whose headers a stateless server reads. */
	definition?: JsonObject;
	/** What a stateless server hears of the client. */
	capabilities?: JsonObject;
	logLevel?: string;
};

/** Who waits for a conversation to begin, and how long. */
export type Greeted = Pick<Asking, 'asker' | 'timeoutMs'>;

export type Notice = (method: string, params: JsonObject) => void;

/** A conversation with one MCP server, on ids of its own. It begins with the first question. */
export type Link = {
	/** Rejects as `request` does. */
	facts(asking: Greeted): Promise<ServerFacts>;
	/**
	 * The result of one request. Rejects with the server's own RpcError, or with a GatewayError: `upstream_unreachable` (nothing was sent),
	 * `upstream_timeout`, `upstream_failed`, `upstream_refused`, `upstream_malformed`, `upstream_too_large`, `client_closed`. What may have
	 * been carried out is never sent twice.
	 */
	request(method: string, params: JsonObject, asking: Asking): Promise<JsonObject>;
	/** Tells the server something it need not answer; a server that keeps no sessions hears none of it. */
	tell(method: string, params: JsonObject): void;
	/** What the server says unasked. Answers how to stop listening. */
	onNotice(listener: Notice): () => void;
	/** Keeps whatever is needed open to hear of changes: of lists, and of these resources. Resolves, when it hears, with how to stop. */
	watch(uris: readonly string[], listener: Notice): Promise<() => void>;
	close(): Promise<void>;
};
