import type {Middleware} from 'koa';
import {identify} from '../auth.ts';
import {refuseRepeatedHeaders} from '../body.ts';
import {GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {beforeReply} from './after.ts';
import {principalField} from './asked.ts';
import {anthropic} from './dialects/anthropic.ts';
import {openai} from './dialects/openai.ts';
import {isObject} from './json.ts';

type Listed = {models: {id: string}[]};

const isListed = (value: unknown): value is Listed =>
	isObject(value) && Array.isArray(value.models) && value.models.every(model => isObject(model) && typeof model.id === 'string');

/** `GET /v1/models` and `/v1/models/<id>`: the aliases, as far as post-response lets this principal see them. */
export const modelList =
	(gateway: Gateway): Middleware =>
	async ctx => {
		const {exchange} = ctx.state;
		exchange.operation = 'models';
		refuseRepeatedHeaders(ctx.req);
		// Anthropic's SDK asks for the same path and says who it is with this header.
		const dialect = ctx.req.headers['anthropic-version'] === undefined ? openai : anthropic;
		if (dialect === anthropic) exchange.surface = 'anthropic';
		await identify(gateway.hooks, exchange, ctx.req.headers, gateway.config.anonymous === true);
		let result: Listed = {models: gateway.catalogue.models.map(id => ({id}))};
		await gateway.hooks.ask('pre-request', exchange, path => (path === 'operation' ? 'models' : principalField(exchange.principal, path)), () => undefined);
		await beforeReply(gateway, exchange, {result: () => result}, patch => {
			if (!isListed(patch.result)) return;
			const left = new Set(patch.result.models.map(({id}) => id));
			// A plugin may narrow the list, never widen it.
			result = {models: result.models.filter(({id}) => left.has(id))};
		});
		exchange.outcome = 'ok';
		exchange.status = 200;
		const wanted = ctx.path.split('/v1/models/')[1];
		const listed = dialect.modelsReply(result.models.map(({id}) => ({id, ownedBy: 'sallyport'})));
		if (wanted === undefined) {
			ctx.state.reply = {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(listed)};
			return;
		}
		const name = decodeURIComponent(wanted);
		const found = (Array.isArray(listed.data) ? listed.data : []).find(model => isObject(model) && model.id === name);
		if (!found) throw new GatewayError('model_not_found', `There is no model "${name.slice(0, 200)}" for this key.`);
		ctx.state.reply = {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(found)};
	};
