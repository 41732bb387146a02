import type Router from '@koa/router';
import type {Context} from 'koa';
import * as z from 'zod';
import {asGatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {recordDeed} from './acting.ts';
import {type Change, creating, type ShownAdmin} from './admins.ts';
import {answer, checked, inputOf} from './answer.ts';
import {callerOf, callerWith} from './caller.ts';
import {withoutSecrets} from './differences.ts';
import {requireOwner} from './roles.ts';

const nothing = z.strictObject({});

type Work = (input: unknown, by: string) => Promise<ShownAdmin>;

/** `/admin/admins`: who else may use the admin API. Owners alone make and end others; each time is on the record. */
export const adminsOfGateway = (gateway: Gateway, router: Router): void => {
	const {admins} = gateway;

	const recorded = async (ctx: Context, what: string, work: Work): Promise<void> => {
		const caller = callerOf(gateway, ctx);
		const input = await inputOf(gateway, ctx);
		const attempt = async () => {
			requireOwner(caller);
			return work(input, caller.actor);
		};
		const [ended] = await Promise.allSettled([attempt()]);
		const done = ended.status === 'fulfilled';
		await recordDeed(gateway, caller, {
			exchange: ctx.state.exchange.id,
			failure: done ? undefined : asGatewayError(ended.reason),
			event: {
				what,
				admin: done ? ended.value.id : withoutSecrets((ctx.params as {id?: string}).id),
				input: withoutSecrets(input),
				...(done && {state: ended.value.state}),
			},
		});
		if (!done) throw ended.reason;
		answer(ctx, ended.value);
	};

	router.get('/admin/admins', async ctx => {
		callerWith(gateway, ctx, 'read');
		answer(ctx, {admins: admins.list()});
	});

	router.post('/admin/admins', ctx => recorded(ctx, 'admin made', (input, by) => admins.create(checked(creating, input), by)));

	for (const [change, what] of Object.entries({block: 'admin blocked', unblock: 'admin unblocked', revoke: 'admin revoked'})) {
		router.post(`/admin/admins/:id/${change}`, ctx =>
			recorded(ctx, what, async input => {
				checked(nothing, input);
				return admins.change(String((ctx.params as {id: string}).id), change as Change);
			}),
		);
	}
};
