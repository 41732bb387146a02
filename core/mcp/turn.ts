import type {IncomingHttpHeaders} from 'node:http';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {JsonObject} from '../llm/json.ts';
import type {Waiting} from '../upstream/reply.ts';
import type {Offer} from './offer.ts';
import type {Said} from './pending.ts';
import type {RpcId} from './rpc.ts';

/** One request of a client's, on its way. */
export type Turn = {
	readonly gateway: Gateway;
	readonly exchange: Exchange;
	readonly headers: IncomingHttpHeaders;
	/** The server of `/mcp/<server>`; undefined at `/mcp`, where names say whose they are. */
	readonly door: string | undefined;
	readonly era: 'legacy' | 'stateless';
	/** Whose conversations with servers it uses: a session's, or a principal's. */
	readonly owner: string;
	readonly id: RpcId;
	readonly method: string;
	params: JsonObject;
	/** The tool call of a stateless client in its own words. */
	said?: Said;
	/** `<approval>/<round>`: what it goes on with. */
	continues?: string | undefined;
	readonly waiting: Waiting;
	/** What the client offers to servers that work for it. */
	readonly offer: Offer;
	/** Asks the client of a session something, on the stream of this request. */
	readonly put?: ((method: string, params: JsonObject) => Promise<JsonObject>) | undefined;
	/** Passes on what a server logs. */
	readonly onLog?: ((params: JsonObject) => void) | undefined;
	readonly logLevel?: string | undefined;
	/** Ends the stream of this request for now: its client comes back for the rest. */
	readonly onPolled?: (() => void) | undefined;
	/** Tells the client of progress. */
	readonly onProgress?: ((params: JsonObject) => void) | undefined;
};
