import {hash, timingSafeEqual} from 'node:crypto';
import type Router from '@koa/router';
import type {Context} from 'koa';
import type {JournalRecord} from '../../schemas/record.ts';
import {readBody} from '../body.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {parseBody} from '../llm/body.ts';
import {openApi} from './openapi.ts';

/** Throws `unauthenticated` unless the request carries the admin key. */
const requireAdmin = ({adminKeyHash}: Gateway, {req}: Context): void => {
	const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
	const given = Buffer.from(hash('sha256', token ?? '', 'hex'));
	if (token === undefined || !timingSafeEqual(given, Buffer.from(adminKeyHash))) {
		throw new GatewayError('unauthenticated', 'This needs the admin key: "Authorization: Bearer adm_…".');
	}
};

const answer = (ctx: Context, value: unknown): void => {
	const {exchange} = ctx.state;
	exchange.outcome = 'ok';
	exchange.status = 200;
	ctx.state.reply = {status: 200, headers: {'content-type': 'application/json', 'cache-control': 'no-store'}, body: JSON.stringify(value)};
};

const actor = 'admin';

/** A key or its hash, pasted where an id belongs, must not stay in the journal for good; a name as long as that is hidden with them. */
const withoutSecrets = (input: unknown): NonNullable<JournalRecord['event']> =>
	JSON.parse(JSON.stringify(input).replace(/[\w-]{43,}/g, run => `[${run.length} characters that may be a secret]`));

/** Operators' paths. Every action is a record of its own, with who did it and to what; never with its answer, which may be a secret. */
export const admin = (gateway: Gateway, router: Router): void => {
	const {house, config} = gateway;

	router.get('/admin/plugins', async ctx => {
		requireAdmin(gateway, ctx);
		answer(ctx, {plugins: house.introduce()});
	});

	router.get('/admin/openapi.json', async ctx => {
		requireAdmin(gateway, ctx);
		answer(ctx, openApi(house));
	});

	router.post('/admin/plugins/:plugin/actions/:action', async ctx => {
		requireAdmin(gateway, ctx);
		const {plugin, action} = ctx.params as {plugin: string; action: string};
		const bytes = await readBody(ctx.req, {maxBytes: config.limits.bodyMb * 1_048_576, withinMs: config.limits.bodyMs});
		const input = bytes.length === 0 ? {} : parseBody(bytes).json;
		const acting = house.act(plugin, action, input, actor);
		const failure = await acting.then(
			() => undefined,
			thrown => asGatewayError(thrown),
		);
		await gateway.journal.append({
			kind: 'admin',
			exchange: ctx.state.exchange.id,
			outcome: failure ? 'failed' : 'ok',
			...(failure && {error: {code: failure.code, plugin}}),
			event: {plugin, action, input: withoutSecrets(input), actor},
		}).written;
		answer(ctx, await acting);
	});
};
