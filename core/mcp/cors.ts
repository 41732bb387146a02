import type {IncomingMessage, ServerResponse} from 'node:http';
import type {ResolvedConfig} from '../config.ts';
import type {Exchange} from '../exchange.ts';
import type {ReplyParts} from '../llm/reply.ts';

/** What pages may read of the head of an answer: the session, how to log in, when to come back, and where the record is. */
const exposed = 'mcp-session-id, www-authenticate, retry-after, x-sallyport-exchange';
const believedS = 600;

/** Lets the browser of a page in `mcp.origins` hand it the answer (Fetch, CORS protocol); of any other page it is left to the browser to refuse. */
export const letRead = ({mcp}: Pick<ResolvedConfig, 'mcp'>, {headers: {origin}}: IncomingMessage, res: ServerResponse): void => {
	if (origin === undefined || !mcp.origins.includes(origin)) return;
	res.setHeader('vary', 'origin');
	res.setHeader('access-control-allow-origin', origin);
	res.setHeader('access-control-expose-headers', exposed);
};

/** What a browser is told that asks, before a page's own request and without its key, whether it may be sent; undefined for all else. */
export const preflight = (
	exchange: Exchange,
	{method, headers}: IncomingMessage,
	res: ServerResponse,
	methods: string,
): ReplyParts | undefined => {
	const isAsking = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
	if (!isAsking || !res.hasHeader('access-control-allow-origin')) return undefined;
	exchange.outcome = 'ok';
	exchange.status = 200;
	const asked = headers['access-control-request-headers'];
	return {
		status: 200,
		headers: {
			'access-control-allow-methods': methods,
			// All of them: a tool may want some of its own (2026-07-28), and none of them is worth more than a key.
			...(asked !== undefined && {'access-control-allow-headers': asked}),
			'access-control-max-age': String(believedS),
		},
		body: '',
	};
};
