import type Router from '@koa/router';
import {recordDeed} from '../admin/acting.ts';
import {answer, checked, inputOf} from '../admin/answer.ts';
import {callerWith} from '../admin/caller.ts';
import {withoutSecrets} from '../admin/differences.ts';
import {asGatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {trial} from './trial.ts';
import {tryGuards} from './try.ts';

/** `POST /admin/guards/try`. Who tried is on the record, and what came of it; never what was tried. */
export const guardPages = (gateway: Gateway, router: Router): void => {
	router.post('/admin/guards/try', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const said = checked(trial, await inputOf(gateway, ctx));
		const [ended] = await Promise.allSettled([tryGuards(gateway, said, caller)]);
		const done = ended.status === 'fulfilled' ? ended.value : undefined;
		const {channel, operation, key, principal} = said;
		await recordDeed(gateway, caller, {
			exchange: ctx.state.exchange.id,
			failure: ended.status === 'rejected' ? asGatewayError(ended.reason) : undefined,
			event: {
				what: 'guards tried',
				input: withoutSecrets({channel, operation, key, principal}),
				...(done && {
					allowed: done.allowed,
					decidedBy: done.decidedBy && {plugin: done.decidedBy.plugin, code: done.decidedBy.code},
					checkedBy: done.checkedBy,
					findings: done.findings.length,
				}),
			},
		});
		if (ended.status === 'rejected') throw ended.reason;
		answer(ctx, ended.value);
	});
};
