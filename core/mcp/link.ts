import type {JsonObject} from '../llm/json.ts';
import type {Waiting} from '../upstream/reply.ts';

/** What a server says of itself. */
export type ServerFacts = {
	era: 'legacy' | 'stateless';
	version: string;
	capabilities: JsonObject;
	instructions?: string;
	serverInfo?: JsonObject;
};

export type Asking = {
	/** Ends it, and tells the server, when the client leaves. */
	waiting?: Waiting;
	/** Longest wait for the whole answer, however it drips. */
	timeoutMs: number;
	/** Its progress, when the server tells any. */
	onProgress?: (params: JsonObject) => void;
	/** The definition of the tool that is called, whose headers a stateless server reads. */
	definition?: JsonObject;
};

/** A conversation with one MCP server, on ids of its own. It begins with the first question. */
export type Link = {
	/** Rejects as `request` does. */
	facts(asking: Pick<Asking, 'timeoutMs'>): Promise<ServerFacts>;
	/**
	 * The result of one request. Rejects with the server's own RpcError, or with a GatewayError: `upstream_unreachable` (nothing was sent),
	 * `upstream_timeout`, `upstream_failed`, `upstream_refused`, `upstream_malformed`, `upstream_too_large`, `client_closed`. What may have
	 * been carried out is never sent twice.
	 */
	request(method: string, params: JsonObject, asking: Asking): Promise<JsonObject>;
	/** What the server says unasked. Answers how to stop listening. */
	onNotice(listener: (method: string, params: JsonObject) => void): () => void;
	close(): Promise<void>;
};
