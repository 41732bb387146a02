import type Router from '@koa/router';
import type {Context} from 'koa';
import type {ResolvedConfig} from '../../config.ts';
import {GatewayError} from '../../errors.ts';
import type {Exchange} from '../../exchange.ts';
import type {Gateway} from '../../gateway.ts';
import {letRead, preflight} from '../cors.ts';
import {originOf, refuseStrangers} from '../hosts.ts';

const wellKnown = '/.well-known/oauth-protected-resource';

const addressOf = (origin: string, door: string | undefined): string => `${origin}/mcp${door === undefined ? '' : `/${door}`}`;

/** A header value of RFC 6750, section 3: `scopes` are made of characters that need no escape, and so are addresses. */
const challenge = (origin: string, door: string | undefined, facts: {error?: string; scopes: readonly string[]}): string => {
	const parts = [
		...(facts.error === undefined ? [] : [`error="${facts.error}"`]),
		`resource_metadata="${origin}${wellKnown}${new URL(addressOf(origin, door)).pathname}"`,
		...(facts.scopes.length === 0 ? [] : [`scope="${facts.scopes.join(' ')}"`]),
	];
	return `Bearer ${parts.join(', ')}`;
};

/** Notes on an exchange at a door which OAuth resource it is, and how to log in where it is refused. Without `mcp.oauth` only keys open it. */
export const noteResource = ({config}: Gateway, exchange: Exchange, {req}: Pick<Context, 'req'>, door: string | undefined): void => {
	const {oauth} = config.mcp;
	if (!oauth) return;
	const origin = originOf(config, req.headers);
	exchange.resource = addressOf(origin, door);
	const hasToken = req.headers.authorization !== undefined;
	exchange.challenge = challenge(origin, door, {...(hasToken && {error: 'invalid_token'}), scopes: oauth.scopes});
};

/** The challenge for a token that is good and not good enough: what it has and what it lacks, so that the next one has both. */
export const stepUp = (
	config: ResolvedConfig,
	exchange: Exchange,
	req: Context['req'],
	door: string | undefined,
	lacking: readonly string[],
) => {
	if (!config.mcp.oauth) return;
	const scopes = [...new Set([...(exchange.principal?.scopes ?? []), ...lacking])];
	exchange.challenge = challenge(originOf(config, req.headers), door, {error: 'insufficient_scope', scopes});
};

/**
 * `GET /.well-known/oauth-protected-resource/mcp` and `…/mcp/<server>` (RFC 9728): where tokens for that door come from. The same is said
 * of every name a server could have, so that nobody learns from it which there are.
 */
export const resourceMetadata = ({config}: Gateway, router: Router): void => {
	const paths = [`${wellKnown}/mcp`, `${wellKnown}/mcp/:door`];
	router.options(paths, ctx => {
		refuseStrangers(config, ctx.req.headers);
		letRead(config, ctx.req, ctx.res);
		ctx.state.reply = preflight(ctx.state.exchange, ctx.req, ctx.res, 'GET');
		if (!ctx.state.reply) throw new GatewayError('method_not_allowed', `${ctx.path} does not take ${ctx.method}.`);
	});
	router.get(paths, ctx => {
		const {exchange} = ctx.state;
		refuseStrangers(config, ctx.req.headers);
		letRead(config, ctx.req, ctx.res);
		const {oauth} = config.mcp;
		const {door} = ctx.params as {door?: string};
		if (!oauth || (door !== undefined && !/^[a-z][a-z0-9-]{0,31}$/.test(door)))
			throw new GatewayError('not_found', 'There is no authorization server to this; send a key.');
		exchange.outcome = 'ok';
		exchange.status = 200;
		const metadata = {
			resource: addressOf(originOf(config, ctx.req.headers), door),
			authorization_servers: oauth.authorizationServers,
			bearer_methods_supported: ['header'],
			...(oauth.scopes.length > 0 && {scopes_supported: oauth.scopes}),
			resource_name: 'Sallyport',
		};
		ctx.state.reply = {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(metadata)};
	});
};
