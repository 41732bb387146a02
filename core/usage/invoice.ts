import * as z from 'zod';
import type {UsageGroup, UsageStore} from '../store/usage.ts';
import {type Figures, figuresOf, unitsOf} from './figures.ts';
import {clockOf, momentOf, periodsOf} from './periods.ts';
import {type Facet, type Question, queryOf} from './question.ts';

const word = z.string().min(1).max(700);

/** The parameters of `GET /admin/usage/invoices`. */
export const invoiceParams = z.strictObject({
	month: z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month is written 2026-11'),
	tenant: word.optional(),
	team: word.refine(team => team.includes('/'), 'write it with its tenant: acme/search').optional(),
	timeZone: z.string().min(1).max(60).default('UTC'),
	format: z.enum(['json', 'csv']).optional(),
});
export type InvoiceParams = Omit<z.output<typeof invoiceParams>, 'format'>;

type Money = Pick<Figures, 'requests' | 'costMicroUsd' | 'estimatedCostMicroUsd'> & {costUsd: string};
type Tokens = Pick<Figures, 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens' | 'reasoningTokens'>;

/** `units`: what was used by the piece, and the kinds of tokens that have no column. */
export type InvoiceLine = {model: string} & Tokens & {units: Record<string, number>} & Money;

/** Of a team, or, without one, of the keys of a tenant that are in no team. */
export type Invoice = {tenant: string; team: string | null; lines: InvoiceLine[]; total: Money};

export type Invoices = {
	month: string;
	timeZone: string;
	from: string;
	to: string;
	/** The month is over: the same is answered from now on. */
	final: boolean;
	invoices: Invoice[];
	total: Money;
};

/** Micro-dollars as dollars, to the last of them. */
export const usdOf = (microUsd: number): string => `${Math.floor(microUsd / 1e6)}.${String(microUsd % 1e6).padStart(6, '0')}`;

const sumOf = (parts: readonly Money[]): Money => {
	const add = (name: 'requests' | 'costMicroUsd' | 'estimatedCostMicroUsd') => parts.reduce((sum, part) => sum + part[name], 0);
	const costMicroUsd = add('costMicroUsd');
	return {requests: add('requests'), costMicroUsd, estimatedCostMicroUsd: add('estimatedCostMicroUsd'), costUsd: usdOf(costMicroUsd)};
};

const pageRows = 5_000;

const groupsOf = async (store: Pick<UsageStore, 'usageQuery'>, question: Omit<Question, 'limit' | 'after'>): Promise<UsageGroup[]> => {
	const groups: UsageGroup[] = [];
	for (;;) {
		const after = groups.at(-1);
		const page = await store.usageQuery(queryOf({...question, limit: pageRows, ...(after && {after})}));
		groups.push(...page);
		if (page.length < pageRows) return groups;
	}
};

const lineOf = (model: string, group: UsageGroup, units: Record<string, number>): InvoiceLine => {
	const {inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens, ...rest} = figuresOf(group);
	const {requests, costMicroUsd, estimatedCostMicroUsd} = rest;
	const tokens = {inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens};
	return {model, ...tokens, units, requests, costMicroUsd, estimatedCostMicroUsd, costUsd: usdOf(costMicroUsd)};
};

/** What was refused before it used anything is on no bill. */
const isBilled = ({costMicroUsd, inputTokens, outputTokens, units}: InvoiceLine): boolean =>
	costMicroUsd > 0 || inputTokens + outputTokens > 0 || Object.keys(units).length > 0;

/**
 * What each team used in a month, by model. Every exchange is on one line of one invoice, so what they come to is what the journal's
 * records of that month come to. Rejects with `invalid_request` and `store_unavailable`.
 */
export const invoicesOf = async (
	store: Pick<UsageStore, 'usageQuery'>,
	{month, tenant, team, timeZone}: InvoiceParams,
	now: number,
): Promise<Invoices> => {
	clockOf(timeZone);
	const first = momentOf('month', month, timeZone);
	const next = new Date(Date.parse(`${month}-01`));
	next.setUTCMonth(next.getUTCMonth() + 1);
	const to = momentOf('month', next.toISOString().slice(0, 'yyyy-mm-dd'.length), timeZone);
	const by: readonly Facet[] = ['tenant', 'team', 'model'];
	const question = {
		from: first,
		to,
		granularity: 'total' as const,
		timeZone,
		by,
		where: {...(tenant !== undefined && {tenant: [tenant]}), ...(team !== undefined && {team: [team]})},
		periods: periodsOf(first, to, 'total', timeZone),
	};
	const groups = await groupsOf(store, question);
	const units = new Map<string, Record<string, number>>();
	for (const group of await groupsOf(store, {...question, by: [...by, 'unit']})) {
		const [unit = ''] = group.values.slice(-1);
		const place = JSON.stringify(group.values.slice(0, -1));
		units.set(place, {...units.get(place), [unit]: unitsOf(group)});
	}
	const invoices: Invoice[] = [];
	for (const [place, own] of Map.groupBy(groups, ({values}) => JSON.stringify(values.slice(0, 2)))) {
		const [tenantName, teamName] = JSON.parse(place) as [string, string];
		const lines = own.map(group => lineOf(group.values[2]!, group, units.get(JSON.stringify(group.values)) ?? {})).filter(isBilled);
		if (lines.length > 0) invoices.push({tenant: tenantName, team: teamName || null, lines, total: sumOf(lines)});
	}
	return {
		month,
		timeZone,
		from: new Date(first).toISOString(),
		to: new Date(to).toISOString(),
		final: to <= now,
		invoices,
		total: sumOf(invoices.map(({total}) => total)),
	};
};

export const invoiceColumns = [
	'month',
	'tenant',
	'team',
	'model',
	'requests',
	'inputTokens',
	'outputTokens',
	'cacheReadTokens',
	'cacheWriteTokens',
	'reasoningTokens',
	'units',
	'costMicroUsd',
	'costUsd',
	'estimatedCostMicroUsd',
] as const;

/** One row for each line of each invoice. */
export const invoiceRows = ({month, invoices}: Invoices): Record<string, unknown>[] =>
	invoices.flatMap(({tenant, team, lines}) =>
		lines.map(({units, ...line}) => ({
			month,
			tenant,
			team,
			...line,
			units: Object.entries(units)
				.map(([unit, count]) => `${unit}: ${count}`)
				.join('; '),
		})),
	);
