import type Router from '@koa/router';
import type {Context} from 'koa';
import {type Caller, mayReach, tenantOf} from '../../plugin-sdk/index.ts';
import {answer, checked, inputOf} from '../admin/answer.ts';
import {callerWith} from '../admin/caller.ts';
import {GatewayError} from '../errors.ts';
import type {Gateway} from '../gateway.ts';
import {accountQuestion, explainAccount} from './account.ts';
import {csv} from './csv.ts';
import {invoiceColumns, invoiceParams, invoiceRows, invoicesOf} from './invoice.ts';
import {ownUsage} from './own.ts';
import {listsIn, paramsOf} from './params.ts';
import {questionOf, usageParams} from './question.ts';
import {columnsOf, type Report, reportOf} from './report.ts';
import {ownUsagePath} from './tally.ts';

const wantsCsv = (ctx: Context, format: 'json' | 'csv' | undefined): boolean =>
	(format ?? (ctx.accepts('application/json', 'text/csv') === 'text/csv' ? 'csv' : 'json')) === 'csv';

const answerCsv = (ctx: Context, name: string, text: string, headers: Record<string, string> = {}): void => {
	answer(ctx, null);
	const disposition = `attachment; filename="${name}.csv"`;
	const {reply} = ctx.state;
	Object.assign(reply.headers, {'content-type': 'text/csv; charset=utf-8; header=present', 'content-disposition': disposition}, headers);
	reply.body = text;
};

/** RFC 8288: where the next page is. */
const linkTo = ({path, querystring}: Context, {next}: Report): Record<string, string> => {
	if (next === undefined) return {};
	const params = new URLSearchParams(querystring);
	params.set('cursor', next);
	return {link: `<${path}?${params}>; rel="next"`};
};

/** Whoever is confined to a tenant sees what is of it. */
const tenantsFor = ({tenant: own}: Caller, asked: readonly string[] | undefined): readonly string[] | undefined => {
	if (own === undefined) return asked;
	if (asked?.some(name => name !== own)) throw new GatewayError('denied', `This admin is for the tenant ${own} alone.`);
	return [own];
};

/** More than this is read beside the gateway, by the command line. */
const mostJournalBytes = 2 ** 30;

/** Pages about what was used, from sums made as it happened: for operators, and for the holders of keys. */
export const usagePages = (gateway: Gateway, router: Router): void => {
	const {store, usage, config} = gateway;

	router.get('/admin/usage', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const {format, ...said} = checked(usageParams, paramsOf(ctx, listsIn(usageParams)));
		const question = questionOf({...said, tenant: tenantsFor(caller, said.tenant)}, Date.now());
		await usage.flush();
		const report = await reportOf(store, question);
		if (!wantsCsv(ctx, format)) return answer(ctx, report);
		answerCsv(ctx, 'usage', csv(columnsOf(report), report.rows), linkTo(ctx, report));
	});

	router.get('/admin/usage/invoices', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const {format, ...said} = checked(invoiceParams, paramsOf(ctx));
		const [tenant] = tenantsFor(caller, said.tenant === undefined ? undefined : [said.tenant]) ?? [];
		await usage.flush();
		const invoices = await invoicesOf(store, {...said, ...(tenant !== undefined && {tenant})}, Date.now());
		if (!wantsCsv(ctx, format)) return answer(ctx, invoices);
		answerCsv(ctx, `invoices-${invoices.month}`, csv(invoiceColumns, invoiceRows(invoices)));
	});

	router.post('/admin/ledger/explain', async ctx => {
		const caller = callerWith(gateway, ctx, 'read', {tenantAdmin: true});
		const question = checked(accountQuestion, await inputOf(gateway, ctx));
		// Whose a key is its name does not say.
		if (!mayReach(caller, tenantOf(question.account)))
			throw new GatewayError('denied', `This admin is for accounts of the tenant ${caller.tenant} alone.`);
		answer(ctx, await explainAccount(question, {store, folder: config.journal.folder, mostBytes: mostJournalBytes}));
	});

	router.get(ownUsagePath, ctx => ownUsage(gateway, ctx));
};
