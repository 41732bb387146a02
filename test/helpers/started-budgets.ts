import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

type Config = {window: string; limitUsd?: Record<string, unknown>; timeZone?: string; notifyAt?: number[]; degrade?: unknown};
type Reserved = {account: string; limit: number | null; window: string}[];

/** Whose call it is where a test does not say. */
export const accounts = ['tenant:acme', 'team:acme/search', 'key:key_1'];

/** The plugin in its sandbox, on a clock that stands still, with a ledger in which 4.50 of every account are spent and 0.25 set aside. */
export const startBudgets = async (t: ExecutionContext, config: Config, clock = {now: Date.parse('2026-11-22T12:00:00Z')}) => {
	const asked: unknown[][] = [];
	const balance = (...place: unknown[]) => {
		asked.push(place);
		return {spent: 4_500_000, reserved: 250_000, resetsAt: Date.parse('2026-12-01T00:00:00Z')};
	};
	const plugin = await startPlugin(join(import.meta.dirname, '../../plugins/budgets'), {config, balance, now: () => clock.now});
	t.teardown(plugin.close);
	const ask = (
		maxCostMicroUsd: number | undefined,
		{model = 'fast', deployments = ['local/echo'], paying = accounts, tenant = 'acme'} = {},
	) =>
		plugin.ask('pre-request', {operation: 'chat', principal: {tenant, accounts: paying}, model, deployments, estimate: {maxCostMicroUsd}});
	const call = (maxCostMicroUsd: number | undefined, paying = accounts) => ask(maxCostMicroUsd, {paying});
	/** What a call of one micro-dollar has to keep to. */
	const limits = async (of: Parameters<typeof ask>[1] = {}) =>
		((await ask(1, of))?.reserve as Reserved | undefined)?.map(({account, limit, window}) => [account, limit, window]);
	const end = (fields: {costMicroUsd?: number; attempts?: {status?: number; error?: string}[]}) =>
		plugin.ask('post-response', {operation: 'chat', ...fields});
	return {plugin, ask, call, limits, end, act: plugin.act, asked, clock};
};
