import type Router from '@koa/router';
import * as z from 'zod';
import {mayReach} from '../../plugin-sdk/index.ts';
import {recordDeed} from '../admin/acting.ts';
import {answer, checked, inputOf} from '../admin/answer.ts';
import {callerOf, callerWith} from '../admin/caller.ts';
import {requireAccess} from '../admin/roles.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import type {Taint} from './taints.ts';

/** Which taints are to end: all of a place, or the one of that name. */
export const lifting = z.strictObject({
	place: z.string().regex(/^[\w-]{22}$/, 'a place, as the list of taints shows it'),
	name: z.string().max(40).optional(),
});

/** A taint as operators see it: never what was found. */
const shown = ({id: place, at, until, ...rest}: Taint) => ({
	place,
	...rest,
	at: new Date(at).toISOString(),
	until: new Date(until).toISOString(),
});

/** A list is for reading. */
const mostShown = 1_000;

/** `/admin/taints`: what sessions and keys are tainted with, and ending it. Each lift is on the record. */
export const taintPages = (gateway: Gateway, router: Router): void => {
	const {taints} = gateway;

	router.get('/admin/taints', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const own = taints.list().filter(({tenant}) => mayReach(caller, tenant));
		const leftOut = Math.max(0, own.length - mostShown);
		answer(ctx, {taints: own.slice(leftOut).map(shown), ...(leftOut > 0 && {leftOut})});
	});

	router.post('/admin/taints/lift', async ctx => {
		const caller = callerOf(gateway, ctx);
		const input = await inputOf(gateway, ctx);
		const lift = async (): Promise<Taint[]> => {
			requireAccess(caller, {access: 'write', tenantAdmin: true});
			const {place, name} = checked(lifting, input);
			const own = taints.list().filter(({id, tenant}) => id === place && mayReach(caller, tenant));
			// What another tenant has is not told from what is not there.
			if (!own.some(taint => name === undefined || taint.name === name))
				throw new GatewayError('not_found', 'There is no such taint, or it is over.');
			return taints.lift(place, name);
		};
		const [ended] = await Promise.allSettled([lift()]);
		const lifted = ended.status === 'fulfilled' ? ended.value.map(shown) : undefined;
		const [first] = lifted ?? [];
		await recordDeed(gateway, caller, {
			exchange: ctx.state.exchange.id,
			failure: ended.status === 'rejected' ? asGatewayError(ended.reason) : undefined,
			event: {
				what: 'taint lifted',
				...(first && {place: first.place, of: first.tenant, key: first.key, session: first.session, taints: lifted!.map(({name}) => name)}),
			},
		});
		if (ended.status === 'rejected') throw ended.reason;
		answer(ctx, {lifted});
	});
};
