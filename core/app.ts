import {hash} from 'node:crypto';
import type {IncomingMessage, ServerResponse} from 'node:http';
import {isIP, type Socket} from 'node:net';
import Router from '@koa/router';
import Koa, {type Context, type Middleware} from 'koa';
import {admin} from './admin/routes.ts';
import {letGo, refuseBadHead} from './body.ts';
import {asGatewayError, GatewayError} from './errors.ts';
import {type Exchange, openExchange, overheadMs, type Surface} from './exchange.ts';
import {guardHeaders} from './findings.ts';
import {failWith, finish, type Gateway} from './gateway.ts';
import {modelCall} from './llm/call.ts';
import type {DialectOperation} from './llm/dialects/dialect.ts';
import {modelList} from './llm/models.ts';
import type {ReplyParts} from './llm/reply.ts';
import {mcpDoor} from './mcp/door.ts';
import {resourceMetadata} from './mcp/oauth/resource.ts';
import {connectPages} from './oauth/pages.ts';
import {limitHeaders} from './rate-headers.ts';
import {refusal} from './refusal.ts';
import {selfService} from './self-service.ts';
import {type Rests, restingProviders} from './upstream/deployments.ts';

/** The Koa app: a request enters at the top and is answered, and recorded, before it leaves. */
export const createApp = (gateway: Gateway): Koa<{exchange: Exchange; reply?: ReplyParts}> => {
	const app = new Koa<{exchange: Exchange; reply?: ReplyParts}>();
	app.silent = true;
	app.use(health(gateway));
	app.use(recorded(gateway));
	const rests = restingProviders();
	app.use(modelDoor(gateway, rests));
	app.use(toolDoor(gateway));
	app.use(doors(gateway, rests).routes());
	app.use(nothingHere);
	return Object.assign(app, {
		/** In place of Koa's own, whose listening for the end of each reply is a tenth of what is allocated for a request: `recorded` sees to that. */
		handleRequest: (ctx: Context, run: (ctx: Context) => Promise<void>): Promise<void> =>
			run(ctx).catch(error => {
				gateway.log.error({err: error}, 'a request escaped');
				ctx.res.destroy();
			}),
	});
};

/** `/healthz` says that the process lives, `/readyz` that it takes exchanges, `/metrics` what it counts: no exchange, no record. */
const health =
	(gateway: Gateway): Middleware =>
	({path, res}, next) => {
		const say = (status: number, body: string, type = 'application/json'): void => {
			res.writeHead(status, {'content-type': type, 'content-length': Buffer.byteLength(body)}).end(body);
		};
		if (path === '/healthz') return say(200, '{"status":"ok"}');
		if (path === '/readyz') return gateway.stopping ? say(503, '{"status":"stopping"}') : say(200, '{"status":"ready"}');
		if (path === '/metrics') return gateway.metrics.text().then(text => say(200, text, gateway.metrics.contentType));
		return next();
	};

/** A key that somebody took for a part of the address is not written down. */
const shownPath = (path: string): string => path.slice(0, 500).replace(/(vk|adm|sk)[_-][\w-]{6,}/gi, '$1_…');

const modelPaths: ReadonlyMap<string, DialectOperation> = new Map([
	['/v1/chat/completions', 'chat'],
	['/v1/embeddings', 'embeddings'],
	['/v1/messages', 'messages'],
	['/anthropic/v1/messages', 'messages'],
	['/v1/messages/count_tokens', 'count_tokens'],
	['/anthropic/v1/messages/count_tokens', 'count_tokens'],
]);

const surfaceOf = ({path, req}: Context): Surface => {
	if (path === '/admin' || path.startsWith('/admin/')) return 'admin';
	if (/^\/(self|oauth|\.well-known)\//.test(path)) return 'gateway';
	if (path === '/mcp' || path.startsWith('/mcp/')) return 'mcp';
	// Anthropic's SDK asks for the same path and says who it is with this header.
	if (path.startsWith('/v1/models') && req.headers['anthropic-version'] !== undefined) return 'anthropic';
	return path.startsWith('/v1/messages') || path.startsWith('/anthropic/') ? 'anthropic' : 'openai';
};

const ipOf = ({proxy}: Gateway['config'], {req}: Context): string => {
	const forwarded = proxy === 'trust' ? req.headers['x-forwarded-for'] : undefined;
	// What stands before the last one may be a client's invention, to which the proxy added what it saw.
	const last = typeof forwarded === 'string' ? forwarded.slice(forwarded.lastIndexOf(',') + 1).trim() : '';
	return isIP(last) > 0 ? last : (req.socket.remoteAddress ?? '');
};

type Turn = {exchange: Exchange; req: IncomingMessage; res: ServerResponse};

const turns = new WeakMap<object, Turn>();

/** The exchange that began last on a connection, and may have ended. */
export const lastTurnOn = (socket: Socket): Turn | undefined => turns.get(socket);

/** A reply that waits behind another one (HTTP pipelining) has no connection of its own yet, and would never learn that it closed. */
const closeWithConnection = ({req, res}: Context): void => {
	if (res.socket) return;
	const close = () => res.destroy();
	req.socket.once('close', close);
	res.once('close', () => req.socket.off('close', close));
};

/** Opens an exchange for each request and ends it in one record, whatever happens; the reply goes out after its record is written. */
const recorded =
	(gateway: Gateway): Middleware =>
	async (ctx, next) => {
		const exchange = openExchange({
			method: ctx.method,
			path: modelPaths.has(ctx.path) ? ctx.path : shownPath(ctx.path),
			ip: ipOf(gateway.config, ctx),
			surface: surfaceOf(ctx),
		});
		ctx.state.exchange = exchange;
		gateway.running.add(exchange);
		turns.set(ctx.req.socket, {exchange, req: ctx.req, res: ctx.res});
		closeWithConnection(ctx);
		await answer(gateway, exchange, ctx, next);
		if (ctx.res.closed || ctx.res.destroyed) gateway.running.delete(exchange);
		else ctx.res.once('close', () => gateway.running.delete(exchange));
	};

const answer = async (gateway: Gateway, exchange: Exchange, ctx: Context, next: () => Promise<unknown>): Promise<void> => {
	let reply: ReplyParts | undefined;
	try {
		refuseBadHead(ctx.req);
		if (gateway.stopping) throw new GatewayError('shutting_down', 'This gateway is stopping.');
		await next();
		reply = ctx.state.reply;
	} catch (thrown) {
		reply = refusal(exchange, exchange.error ?? failWith(gateway, exchange, thrown));
		if (exchange.error?.code === 'method_not_allowed') reply.headers.allow = methodsOf(ctx).join(', ');
	}
	if (exchange.closed) return;
	if (reply && gateway.config.journal.payloads !== 'none') {
		exchange.response = {sha256: hash('sha256', reply.body, 'hex'), bytes: Buffer.byteLength(reply.body)};
	}
	try {
		await finish(gateway, exchange);
	} catch (thrown) {
		gateway.log.error({exchange: exchange.id, err: thrown}, 'the record could not be written');
		reply = refusal(exchange, asGatewayError(thrown));
	}
	send(gateway, ctx, exchange, reply);
};

const send = ({stopping, ledger}: Gateway, {req, res}: Context, exchange: Exchange, reply: ReplyParts | undefined): void => {
	if (!reply || res.destroyed) return;
	const {status, headers, body} = reply;
	headers['content-length'] = String(Buffer.byteLength(body));
	headers['x-sallyport-exchange'] = exchange.id;
	headers['x-sallyport-overhead-ms'] = String(overheadMs(exchange));
	if (exchange.costMicroUsd !== undefined) headers['x-sallyport-cost-usd'] = (exchange.costMicroUsd / 1e6).toFixed(6);
	Object.assign(headers, limitHeaders(exchange, ledger, Date.now()), guardHeaders(exchange));
	if (stopping) headers.connection = 'close';
	res.writeHead(status, headers).end(body);
	letGo(req);
};

const callTo =
	(gateway: Gateway, rests: Rests, operation: DialectOperation): Middleware =>
	async ({req, res, state}) => {
		state.reply = await modelCall(gateway, rests, operation, {req, res, exchange: state.exchange});
	};

/** Model calls by their exact path, before the router, which would try all its patterns on each; what is written otherwise it still finds. */
const modelDoor = (gateway: Gateway, rests: Rests): Middleware => {
	const calls = new Map([...modelPaths].map(([path, operation]) => [path, callTo(gateway, rests, operation)]));
	return (ctx, next) => {
		const call = ctx.method === 'POST' ? calls.get(ctx.path) : undefined;
		return call ? call(ctx, next) : next();
	};
};

/** The doors of MCP, whatever the method is. */
const toolDoor = (gateway: Gateway): Middleware => {
	const door = mcpDoor(gateway);
	return (ctx, next) => (ctx.path === '/mcp' || ctx.path.startsWith('/mcp/') ? door(ctx, next) : next());
};

const doors = (gateway: Gateway, rests: Rests): Router => {
	// As everything that decides by a path does, it tells letters apart.
	const router = new Router({sensitive: true});
	for (const [path, operation] of modelPaths) router.post(path, callTo(gateway, rests, operation));
	router.get(['/v1/models', '/v1/models/*id', '/anthropic/v1/models', '/anthropic/v1/models/*id'], modelList(gateway));
	admin(gateway, router);
	selfService(gateway, router);
	resourceMetadata(gateway, router);
	connectPages(gateway, router);
	return router;
};

/** What the path takes, whatever the method was: the router notes it. */
const methodsOf = ({matched}: Context): string[] => (matched as {methods: string[]}[] | undefined)?.flatMap(({methods}) => methods) ?? [];

/** Parts of the providers' interfaces that clients know and this gateway does not, and what to use in their place. */
const notServed: readonly (readonly [paths: RegExp, other: string])[] = [
	[/^\/v1\/(responses|completions|assistants|threads)(\/|$)/, 'Use /v1/chat/completions.'],
	[/^\/v1\/(images|audio|videos|moderations|files|uploads|batches|realtime|vector_stores|fine_tuning)(\/|$)/, 'Ask the provider itself.'],
	[/^(\/anthropic)?\/v1\/(messages\/batches|complete|files|skills)(\/|$)/, 'Use /v1/messages, or ask the provider itself.'],
	[/^\/v1(beta|alpha)\//, 'Use /v1/chat/completions.'],
];

const nothingHere: Middleware = async ctx => {
	if (ctx.state.reply) return;
	if (methodsOf(ctx).length > 0) throw new GatewayError('method_not_allowed', `${ctx.path} does not take ${ctx.method}.`);
	const [, other] = notServed.find(([paths]) => paths.test(ctx.path)) ?? [];
	const words = other === undefined ? 'There is nothing at' : `${other} This gateway does not serve`;
	throw new GatewayError('not_found', `${words} ${shownPath(ctx.path).slice(0, 200)}.`);
};
