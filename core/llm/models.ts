import type {IncomingHttpHeaders} from 'node:http';
import type {Middleware} from 'koa';
import {headerField, identify} from '../auth.ts';
import {GatewayError} from '../errors.ts';
import type {Exchange} from '../exchange.ts';
import type {Gateway} from '../gateway.ts';
import type {Fields} from '../hooks.ts';
import {beforeReply} from './after.ts';
import {packed, principalField} from './asked.ts';
import {anthropic} from './dialects/anthropic.ts';
import {openai} from './dialects/openai.ts';
import {isObject} from './json.ts';

type Listed = {models: {id: string; deployments?: unknown}[]};

const isListed = (value: unknown): value is Listed =>
	isObject(value) && Array.isArray(value.models) && value.models.every(model => isObject(model) && typeof model.id === 'string');

/** There is no request to read: no words, no parameters, no model asked for. */
export const fieldsOf =
	(exchange: Exchange, headers: IncomingHttpHeaders): Fields =>
	path => {
		if (path === 'operation') return 'models';
		if (path === 'model') return '';
		if (path === 'text[]') return packed([]);
		if (path === 'messages' || path === 'tags' || path === 'deployments') return '[]';
		if (path === 'params.*') return '{}';
		if (path.startsWith('estimate.')) return 0;
		return path.startsWith('headers.') ? headerField(headers, path) : principalField(exchange.principal, path);
	};

/** A name that cannot be decoded is nobody's. */
const nameIn = (path: string): string | undefined => {
	const encoded = path.split('/v1/models/')[1];
	try {
		return encoded && decodeURIComponent(encoded);
	} catch {
		return encoded;
	}
};

/** `GET /v1/models` and `/v1/models/<id>`: the aliases, as far as post-response lets this principal see them. */
export const modelList =
	(gateway: Gateway): Middleware =>
	async ctx => {
		const {exchange} = ctx.state;
		exchange.operation = 'models';
		const dialect = exchange.surface === 'anthropic' ? anthropic : openai;
		await identify(gateway.hooks, exchange, ctx.req.headers, gateway.config.anonymous === true);
		const {catalogue} = gateway;
		let result: Listed = {models: catalogue.models.map(id => ({id, deployments: catalogue.plan(id).map(({name}) => name)}))};
		await gateway.hooks.ask('pre-request', exchange, fieldsOf(exchange, ctx.req.headers), () => undefined);
		await beforeReply(gateway, exchange, {result: () => result}, patch => {
			if (!isListed(patch.result)) return;
			const left = new Set(patch.result.models.map(({id}) => id));
			// A plugin may narrow the list, never widen it.
			result = {models: result.models.filter(({id}) => left.has(id))};
		});
		const name = nameIn(ctx.path);
		const listed = dialect.modelsReply(result.models.map(({id}) => ({id, ownedBy: 'sallyport'})));
		const models: unknown[] = Array.isArray(listed.data) ? listed.data : [];
		const wanted = name ? models.find(model => isObject(model) && model.id === name) : listed;
		if (!wanted) throw new GatewayError('model_not_found', `There is no model "${name?.slice(0, 200)}" for this key.`, {param: 'model'});
		exchange.outcome = 'ok';
		exchange.status = 200;
		ctx.state.reply = {status: 200, headers: {'content-type': 'application/json'}, body: JSON.stringify(wanted)};
	};
