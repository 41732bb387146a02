import {randomBytes} from 'node:crypto';
import type Router from '@koa/router';
import type {Context} from 'koa';
import {answer} from '../admin/answer.ts';
import {identify} from '../auth.ts';
import {GatewayError} from '../errors.ts';
import {failWith, type Gateway} from '../gateway.ts';
import {originOf, refuseStrangers} from '../mcp/hosts.ts';
import type {Connect} from './connect.ts';
import {callbackPath, clientMetadata, clientPath} from './paths.ts';

const escaped = (text: string): string => text.replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`);

const style =
	'body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 1.5em}';

/** A page of this gateway's own: it runs nothing, loads nothing, stands in no frame, and nobody keeps it. */
const page = (
	ctx: Context,
	{status = 200, title, body, leadsTo = ''}: {status?: number; title: string; body: string; leadsTo?: string},
): void => {
	const policy = `default-src 'none'; style-src 'unsafe-inline'; form-action 'self' ${leadsTo}; frame-ancestors 'none'; base-uri 'none'`;
	ctx.state.reply = {
		status,
		headers: {
			'content-type': 'text/html; charset=utf-8',
			'cache-control': 'no-store',
			'content-security-policy': policy,
			'x-frame-options': 'DENY',
			'x-content-type-options': 'nosniff',
			// Under no-referrer a browser names no origin with a form either, and the page's own could not be told from a stranger's.
			'referrer-policy': 'same-origin',
		},
		body: `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title><style>${style}</style><h1>${escaped(title)}</h1>${body}</html>`,
	};
};

const cookieOf = (origin: string): string => (origin.startsWith('https:') ? '__Host-sallyport-connect' : 'sallyport-connect');

const browserOf = ({req}: Context, origin: string): string | undefined => {
	const cookies = (req.headers.cookie ?? '').split(/; */).map(text => text.split('='));
	const value = cookies.find(([name]) => name === cookieOf(origin))?.[1];
	return value !== undefined && /^[\w-]{22,64}$/.test(value) ? value : undefined;
};

/** A form of this origin's own sent it, and no other page. */
const refuseOtherPages = ({req}: Context, origin: string): void => {
	if (req.headers.origin === origin && (req.headers['sec-fetch-site'] ?? 'same-origin') === 'same-origin') return;
	throw new GatewayError('denied', 'Only the page of this gateway itself begins this.');
};

/**
 * `GET /oauth/connect/<server>?ticket=…` asks a user whether to connect an account, `POST` sends the browser on to log in, and
 * `GET /oauth/callback` is where it comes back to; `DELETE`, with a key, forgets the account. `/oauth/client.json` says who this gateway is to authorization servers that ask.
 */
export const connectPages = (gateway: Gateway, router: Router): void => {
	const {config, mcp} = gateway;

	/** Errors are read by a person here. */
	const shown = (answer: (ctx: Context, connect: Connect, origin: string) => Promise<void>) => async (ctx: Context) => {
		const {exchange} = ctx.state;
		try {
			refuseStrangers(config, ctx.req.headers);
			if (!mcp.connect) throw new GatewayError('not_found', 'No server of this gateway is asked with accounts of its users.');
			await answer(ctx, mcp.connect, originOf(config, ctx.req.headers));
			exchange.outcome = 'ok';
			exchange.status = ctx.state.reply.status;
		} catch (thrown) {
			const {status, message, code} = failWith(gateway, exchange, thrown);
			page(ctx, {status, title: 'Not connected', body: `<p>${escaped(code === 'internal' ? 'The gateway failed.' : message)}</p>`});
		}
	};

	router.get(
		'/oauth/connect/:server',
		shown(async (ctx, connect) => {
			const {server} = ctx.params as {server: string};
			const {ticket, known, url} = await connect.invited(server, new URLSearchParams(ctx.querystring).get('ticket') ?? '');
			const {authorization_endpoint: loginAt} = known.metadata;
			const scopes = [...new Set([...known.scopes, ...ticket.scopes])];
			page(ctx, {
				title: `Connect ${server}?`,
				leadsTo: new URL(loginAt).origin,
				body: `<p>This gateway wants to use <b>${escaped(server)}</b> (${escaped(new URL(url).host)}) with an account of yours, for whoever calls it as <b>${escaped(ticket.who)}</b>.</p>
<p>You log in at <b>${escaped(new URL(loginAt).host)}</b>${scopes.length > 0 ? `, which is asked for: <code>${escaped(scopes.join(' '))}</code>` : ''}.</p>
<p>Go on only if you asked for this yourself a moment ago and <b>${escaped(ticket.who)}</b> is you.</p>
<form method="post" action="${escaped(ctx.path)}?ticket=${escaped(encodeURIComponent(new URLSearchParams(ctx.querystring).get('ticket') ?? ''))}"><button>Connect</button></form>`,
			});
		}),
	);

	router.post(
		'/oauth/connect/:server',
		shown(async (ctx, connect, origin) => {
			refuseOtherPages(ctx, origin);
			const {server} = ctx.params as {server: string};
			const browser = browserOf(ctx, origin) ?? randomBytes(24).toString('base64url');
			const to = await connect.begin(server, new URLSearchParams(ctx.querystring).get('ticket') ?? '', {origin, browser});
			page(ctx, {status: 303, title: 'Log in', body: '', leadsTo: to.origin});
			Object.assign(ctx.state.reply.headers, {
				location: to.href,
				'set-cookie': `${cookieOf(origin)}=${browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age=900${origin.startsWith('https:') ? '; Secure' : ''}`,
			});
		}),
	);

	router.delete('/oauth/connect/:server', async ctx => {
		const {exchange} = ctx.state;
		refuseStrangers(config, ctx.req.headers);
		const principal = await identify(gateway.hooks, exchange, ctx.req.headers, false);
		if (!mcp.connect) throw new GatewayError('not_found', 'No server of this gateway is asked with accounts of its users.');
		const {server} = ctx.params as {server: string};
		await mcp.connect.forget(server, principal);
		exchange.annotations['oauth.disconnected'] = server;
		answer(ctx, {disconnected: server});
	});

	router.get(
		callbackPath,
		shown(async (ctx, connect, origin) => {
			const {server, who} = await connect.finish(new URLSearchParams(ctx.querystring), browserOf(ctx, origin));
			ctx.state.exchange.annotations['oauth.connected'] = server;
			ctx.state.exchange.annotations['oauth.who'] = who;
			const body = `<p><b>${escaped(server)}</b> is connected for <b>${escaped(who)}</b>. You can close this page and ask again.</p>`;
			page(ctx, {title: 'Connected', body});
		}),
	);

	router.get(
		clientPath,
		shown(async (ctx, _, origin) => {
			const document = {client_id: `${origin}${clientPath}`, ...clientMetadata(origin, 'none')};
			ctx.state.reply = {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(document)};
		}),
	);
};
