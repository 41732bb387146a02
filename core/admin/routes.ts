import type Router from '@koa/router';
import type {Gateway} from '../gateway.ts';
import {act} from './acting.ts';
import {adminsOfGateway} from './admin-routes.ts';
import {answer, inputOf} from './answer.ts';
import {callerOf, callerWith} from './caller.ts';
import {openApi} from './openapi.ts';

/** Operators' paths. Whoever comes here has an admin key, and everything it does with it is on the record. */
export const admin = (gateway: Gateway, router: Router): void => {
	const {house} = gateway;

	router.get('/admin/plugins', async ctx => {
		callerWith(gateway, ctx, 'read');
		answer(ctx, {plugins: house.introduce()});
	});

	router.get('/admin/openapi.json', async ctx => {
		callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		answer(ctx, openApi(house));
	});

	router.post('/admin/plugins/:plugin/actions/:action', async ctx => {
		const caller = callerOf(gateway, ctx);
		const {plugin, action} = ctx.params as {plugin: string; action: string};
		const input = await inputOf(gateway, ctx);
		answer(ctx, await act(gateway, caller, {plugin, action, input, exchange: ctx.state.exchange.id}));
	});

	adminsOfGateway(gateway, router);
};
