import * as z from 'zod';
import {allow, definePlugin, deny, type Host, type Json, refuse} from '../../plugin-sdk/index.ts';
import {account, config, type Lent, limitOf, refresh, usd, type Written, window} from './limits.ts';

/** One try at a deployment, as the core tells of it. */
type Attempt = {status?: number; error?: string};

/** Nobody bills for a request that was not sent, or for an error. A late or a broken answer may well be billed. */
const isFree = ({status, error}: Attempt): boolean => error === 'upstream_unreachable' || (status !== undefined && status >= 300);

/** The new `version` makes every process read the limits again. */
const write = async ({kv, random}: Pick<Host<unknown>, 'kv' | 'random'>, account: string, limit: Written | null): Promise<void> => {
	const {error} = await kv.put({[`limit:${account}`]: limit as Json, version: random.uuid()});
	if (error) throw refuse('store_unavailable', 'The limit could not be written; nothing has changed.');
};

/** What an account may spend, has spent and has set aside in its present window, in US dollars. */
const standing = (account: string, lent: Lent & Pick<Host<unknown>, 'ledger'>): Json => {
	refresh(lent);
	const limit = limitOf(account, lent);
	const period = limit?.window ?? lent.config.window;
	const {spent, reserved, resetsAt} = lent.ledger.balance(account, 'microUsd', period, lent.config.timeZone);
	return {
		account,
		window: period,
		limitUsd: limit === null ? null : limit.microUsd / 1e6,
		spentUsd: spent / 1e6,
		reservedUsd: reserved / 1e6,
		remainingUsd: limit === null ? null : Math.max(0, limit.microUsd - spent - reserved) / 1e6,
		resetsAt: resetsAt === undefined ? null : new Date(resetsAt).toISOString(),
	};
};

export default definePlugin({
	config,

	hooks: {
		/** Sets aside the most this call can cost in every account that has a limit, or refuses it. */
		'pre-request'({principal: {accounts}, estimate: {maxCostMicroUsd: amount}}, host) {
			refresh(host);
			const {timeZone} = host.config;
			const reserve = [];
			for (const account of accounts) {
				const limit = limitOf(account, host);
				if (limit === null) continue;
				const {microUsd, window} = limit;
				// The ledger would let a call that costs nothing pass.
				if (microUsd === 0)
					return deny({code: 'budget_exceeded', message: `The ${window} limit of ${account} is 0 USD.`, rule: `${account}/${window}`});
				reserve.push({account, unit: 'microUsd' as const, amount: amount ?? 0, limit: microUsd, window, timeZone});
			}
			if (reserve.length === 0) return undefined;
			if (amount === undefined)
				return deny({code: 'price_unknown', message: 'The price of this model is not known, and a budget applies.'});
			return allow({reserve, orElse: 'budget_exceeded'});
		},

		/**
		 * Replaces the reservation by the real cost. Where that is not known, only a call that nobody bills is free; any
		 * other reservation is left to the host, which books it in full: a limit must not be exceeded by what we do not know.
		 */
		'post-response'({costMicroUsd, attempts}) {
			if (costMicroUsd !== undefined) return allow({settle: {microUsd: costMicroUsd}});
			const isBilled = attempts === undefined || !(attempts as Attempt[]).every(isFree);
			return isBilled ? undefined : allow({settle: {microUsd: 0}});
		},
	},

	actions: {
		set: {
			description: "Sets an account's limit in the place of what the config says; null takes the limit away.",
			input: z.strictObject({account, limitUsd: usd.nullable(), window: window.optional()}),
			async run({account, ...limit}, host) {
				await write(host, account, limit);
				return {account, limitUsd: limit.limitUsd, window: limit.window ?? host.config.window};
			},
		},
		reset: {
			description: 'Forgets what set said of an account: the config alone counts again. What was spent stays spent.',
			input: z.strictObject({account}),
			async run({account}, host) {
				await write(host, account, null);
				return {account};
			},
		},
		get: {
			description: 'What an account may spend, has spent and has set aside in its present window.',
			input: z.strictObject({account: account.refine(name => name !== '*', 'name one account')}),
			run: ({account}, host) => standing(account, host),
		},
		list: {
			description: 'Every limit that was written down, and where: config or action. get has the spending.',
			input: z.strictObject({after: account.optional(), limit: z.int().min(1).max(1_000).default(1_000)}),
			run({after, limit}, {config, kv}) {
				const rows = kv.list('limit:', {limit, ...(after !== undefined && {after: `limit:${after}`})});
				const written = rows.map(({key, value}) => {
					const {limitUsd, window = config.window} = value as Written;
					return {account: key.slice('limit:'.length), limitUsd, window, from: 'action'};
				});
				const isOverridden = (account: string) => kv.get(`limit:${account}`) !== undefined;
				const named = after === undefined ? Object.entries(config.limitUsd).filter(([account]) => !isOverridden(account)) : [];
				const configured = named.map(([account, limitUsd]) => ({account, limitUsd, window: config.window, from: 'config'}));
				const next = rows.length === limit ? rows.at(-1)?.key.slice('limit:'.length) : undefined;
				return {limits: [...configured, ...written], ...(next !== undefined && {next})};
			},
		},
	},
});
