import type {Context} from 'koa';
import type {Caller} from '../../plugin-sdk/index.ts';
import type {Principal} from '../../schemas/principal.ts';
import {answer, checked} from '../admin/answer.ts';
import {identify} from '../auth.ts';
import {asGatewayError, GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {fieldsOf} from '../llm/models.ts';
import {paramsOf} from './params.ts';
import {ownParams, questionOf} from './question.ts';
import {reportOf} from './report.ts';

/** The action that a plugin offers the holder of a key (its manifest's `selfService`) to say what limits it, and what is left of them. */
const standing = 'standing';

/** What is the key's alone, or, without one, the user's. */
const ownOf = ({tenant, key, user}: Principal): {key: string[]} | {user: string[]} => {
	if (key !== undefined) return {key: [key]};
	if (user !== undefined) return {user: [`${tenant}/${user}`]};
	throw new GatewayError('denied', 'This is for whoever has a key of this gateway.');
};

/** What each plugin that limits this key says of it; one that cannot say does not keep the rest from being shown. */
const limitsOf = async ({house}: Gateway, {id, tenant, key}: Principal): Promise<Record<string, unknown>> => {
	const limits: Record<string, unknown> = {};
	if (key === undefined) return limits;
	const caller: Caller = {actor: id, role: 'holder', tenant, key};
	for (const {member} of house.residents) {
		const {name, manifest} = member.plugin;
		if (!manifest.selfService?.includes(standing)) continue;
		try {
			limits[name] = await house.act(name, standing, {}, caller);
		} catch (thrown) {
			limits[name] = {error: asGatewayError(thrown).message};
		}
	}
	return limits;
};

/** `GET /v1/usage`: what the holder of a key has used, in the shape of `GET /admin/usage`, with what is left to it where a plugin says. */
export const ownUsage = async (gateway: Gateway, ctx: Context): Promise<void> => {
	const {hooks, config, store} = gateway;
	const {exchange} = ctx.state;
	const principal = await identify(hooks, exchange, ctx.req.headers, config.anonymous === true);
	// Whoever is blocked has nothing to read here either; what refuses calls of models has no say.
	const fields = fieldsOf(exchange, ctx.req.headers);
	await hooks.ask(
		'pre-request',
		exchange,
		path => (path === 'operation' ? undefined : fields(path)),
		() => undefined,
	);
	const {format: _, ...said} = checked(ownParams, paramsOf(ctx));
	const question = questionOf({...said, ...ownOf(principal)}, Date.now());
	const {tenant, team, user, key} = principal;
	const report = await reportOf(store, {...question, where: {...question.where, tenant: [tenant]}});
	answer(ctx, {tenant, team, user, key, ...report, limits: await limitsOf(gateway, principal)});
};
