import type Router from '@koa/router';
import {asGatewayError} from '../errors.ts';
import {question} from '../explain/question.ts';
import type {Gateway} from '../gateway.ts';
import {guardPages} from '../guards/routes.ts';
import {taintPages} from '../taints/routes.ts';
import {usagePages} from '../usage/routes.ts';
import {act, recordDeed} from './acting.ts';
import {adminsOfGateway} from './admin-routes.ts';
import {answer, checked, inputOf} from './answer.ts';
import {callerOf, callerWith} from './caller.ts';
import {withoutSecrets} from './differences.ts';
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

	router.post('/admin/explain', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const {text, ...asked} = checked(question, await inputOf(gateway, ctx));
		const [ended] = await Promise.allSettled([gateway.explain({text, ...asked}, caller)]);
		const done = ended.status === 'fulfilled';
		await recordDeed(gateway, caller, {
			exchange: ctx.state.exchange.id,
			failure: done ? undefined : asGatewayError(ended.reason),
			event: {
				what: 'explained',
				input: withoutSecrets(asked),
				...(done && {allowed: ended.value.allowed, decidedBy: withoutSecrets(ended.value.decidedBy)}),
			},
		});
		if (!done) throw ended.reason;
		answer(ctx, ended.value);
	});

	guardPages(gateway, router);
	taintPages(gateway, router);
	adminsOfGateway(gateway, router);
	usagePages(gateway, router);
};
