import type Router from '@koa/router';
import type {Caller} from '../plugin-sdk/index.ts';
import {act} from './admin/acting.ts';
import {answer, inputOf} from './admin/answer.ts';
import {identify} from './auth.ts';
import {GatewayError} from './errors.ts';
import type {Gateway} from './gateway.ts';

/**
 * `POST /self/<plugin>/<action>`: what a plugin's manifest lets the holder of a key do with it, and nothing else. It is on the record like
 * any admin action, in the key's name.
 */
export const selfService = (gateway: Gateway, router: Router): void => {
	const {house, hooks, config} = gateway;

	const isOffered = (plugin: string, action: string): boolean =>
		house.residents.some(({member}) => member.plugin.name === plugin && member.plugin.manifest.selfService?.includes(action));

	router.post('/self/:plugin/:action', async ctx => {
		const {exchange} = ctx.state;
		const {plugin, action} = ctx.params as {plugin: string; action: string};
		const {id, tenant, key} = await identify(hooks, exchange, ctx.req.headers, config.anonymous === true);
		if (!isOffered(plugin, action)) throw new GatewayError('not_found', 'There is nothing like that for the holder of a key.');
		if (key === undefined) throw new GatewayError('denied', 'This is for whoever has a key of this gateway.');
		const caller: Caller = {actor: id, role: 'holder', tenant, key};
		answer(ctx, await act(gateway, caller, {plugin, action, input: await inputOf(gateway, ctx), exchange: exchange.id}));
	});
};
