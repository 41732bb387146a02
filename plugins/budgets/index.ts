import * as z from 'zod';
import {allow, definePlugin, deny, type Host, hold, type Json, rewrite} from '../../plugin-sdk/index.ts';
import {type Standing, toldAt} from '../limits/book.ts';
import {account, moment, scope} from '../limits/names.ts';
import {isoOf, listed, ownScope, type State, statesOf} from '../limits/show.ts';
import {openWriting} from '../limits/write.ts';
import {degraded, usedOf} from './degrade.ts';
import {book, type Config, config, isOneWay, type MoneyRule, manner, microUsd, notBoth, usd, type Written, window} from './limits.ts';

/** One try at a deployment, as the core tells of it. */
type Attempt = {status?: number; error?: string};

/** Nobody bills for a request that was not sent, or for an error. A late or a broken answer may well be billed. */
const isFree = ({status, error}: Attempt): boolean => error === 'upstream_unreachable' || (status !== undefined && status >= 300);

const {set, reset, raise} = openWriting(book);

const limitText = ({account, name, rule: {limit}}: Standing<MoneyRule>): string =>
	`The ${name} limit of ${account} is ${(limit ?? 0) / 1e6} USD`;

const unfilled = ({account, name, rule}: Standing<MoneyRule>, {timeZone: zone}: Config) => {
	const {limit, soft, timeZone = zone} = rule;
	return {account, unit: 'microUsd' as const, amount: 0, limit, window: name as 'day', timeZone, soft, notifyAt: toldAt(rule)};
};

/** The same limits come again and again: what is reserved under them is made once, and only its amount is new. */
const made = new WeakMap<readonly Standing<MoneyRule>[], ReturnType<typeof unfilled>[]>();

const reservations = (standing: readonly Standing<MoneyRule>[], amount: number, config: Config) => {
	const reserve = made.get(standing) ?? standing.map(one => unfilled(one, config));
	made.set(standing, reserve);
	for (const one of reserve) one.amount = amount;
	return reserve;
};

const isHard = ({rule: {limit, soft}}: Standing<MoneyRule>): boolean => limit !== null && soft === undefined;

/** Sets the most a call can cost aside in every account that has a limit; or what refuses it. */
const setAside = (standing: readonly Standing<MoneyRule>[], amount: number | undefined, host: Pick<Host<Config>, 'config' | 'ledger'>) => {
	for (const one of standing) {
		const {account, name: window, rule} = one;
		const {limit, soft} = rule;
		if (rule.hold && limit !== null && amount !== undefined && (limit === 0 || usedOf(one, host) + amount > limit))
			return hold({reason: `${limitText(one)}, and this call may exceed it.`});
		// The ledger would let a call that costs nothing pass.
		if (limit === 0 && soft === undefined)
			return deny({code: 'budget_exceeded', message: `${limitText(one)}.`, rule: `${account}/${window}`});
	}
	if (amount !== undefined) return allow({reserve: reservations(standing, amount, host.config), orElse: 'budget_exceeded'});
	if (standing.some(isHard)) return deny({code: 'price_unknown', message: 'The price of this call is not known, and a budget applies.'});
	return allow({annotate: {priceUnknown: true}});
};

const inUsd = ({name, rule: {limit, notifyAt: _, ...manner}, spent, reserved, remaining, resetsAt}: State<MoneyRule>) => ({
	window: name,
	limitUsd: limit === null ? null : limit / 1e6,
	spentUsd: spent / 1e6,
	reservedUsd: reserved / 1e6,
	remainingUsd: remaining === null ? null : remaining / 1e6,
	resetsAt: isoOf(resetsAt),
	...manner,
});

const placeOf = (account: string) => (window: string) => ({account, unit: 'microUsd', window});

export default definePlugin({
	config,

	hooks: {
		/** Sets aside the most this call can cost in every account that has a limit, or refuses it; nearly out, it takes the cheaper model first. */
		'pre-request'({principal: {tenant, accounts}, model, deployments, estimate: {maxCostMicroUsd: amount}}, host) {
			const standing = book.standing({tenant, accounts, model, deployments}, host);
			if (standing.length === 0) return undefined;
			// The host asks once more, with what the other model costs.
			const cheaper = degraded(standing, model, host);
			if (cheaper !== undefined) return rewrite({model: cheaper}, {annotate: {degradedFrom: model}});
			return setAside(standing, amount, host);
		},

		/** The same for a call of a tool over MCP: here its name is known, and so is its price. What costs nothing, no budget stops. */
		'on-tool-call'({principal: {tenant, accounts}, tool: {server, name: tool}, estimate: {maxCostMicroUsd: amount}}, host) {
			if (server === undefined || amount === 0) return undefined;
			const standing = book.standing({tenant, accounts, server, tool}, host);
			return standing.length === 0 ? undefined : setAside(standing, amount, host);
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
			description:
				"Sets an account's limit in the place of what the config says; null takes the limit away, of every window where none is named.",
			tenantAdmin: true,
			input: z.strictObject({account: scope, limitUsd: usd.nullable(), window: window.optional(), ...manner}).refine(isOneWay, notBoth),
			async run({account, limitUsd, window, ...rest}, host, caller) {
				const name = window ?? (limitUsd === null ? undefined : host.config.window);
				await set(account, name, {limitUsd, ...rest} as Json, host, caller);
				return {account, limitUsd, window: name ?? null, ...rest} as Json;
			},
		},
		raise: {
			description:
				'Adds to what an account may spend until a moment, in one window or, where none is named, in each that is limited; it ends by itself.',
			input: z.strictObject({account, byUsd: usd.positive(), until: moment, window: window.optional()}),
			async run({account, byUsd, until, window}, host) {
				await raise(account, window, {by: microUsd(byUsd), until: Date.parse(until)}, host);
				return {account, byUsd, until, window: window ?? null};
			},
		},
		reset: {
			description:
				'Forgets what set and raise said of an account, in one window or in all: the config alone counts again. What was spent stays spent.',
			tenantAdmin: true,
			input: z.strictObject({account: scope, window: window.optional()}),
			async run({account, window}, host, caller) {
				await reset(account, window, host, caller);
				return {account};
			},
		},
		get: {
			description:
				'What an account may spend, has spent and has set aside in its present windows; the tightest limit by itself, and then all.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({account}),
			run({account}, host, caller) {
				const limits = statesOf(book, account, placeOf(account), host.config.timeZone, host, caller).map(inUsd);
				const [tightest] = limits;
				if (tightest !== undefined) return {account, ...tightest, limits} as Json;
				const {spent, reserved, resetsAt} = host.ledger.balance(account, 'microUsd', host.config.window, host.config.timeZone);
				const unlimited = {limitUsd: null, spentUsd: spent / 1e6, reservedUsd: reserved / 1e6, remainingUsd: null};
				return {account, window: host.config.window, ...unlimited, resetsAt: isoOf(resetsAt), limits: []};
			},
		},
		standing: {
			description: 'What the key that it is called with may spend, has spent and has set aside, by each of its own limits.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({}),
			run(_, host, caller) {
				const account = ownScope(caller);
				return {limits: statesOf(book, account, placeOf(account), host.config.timeZone, host, caller).map(inUsd)} as Json;
			},
		},
		list: {
			description:
				'Every limit that was written down, and where: config, action, tenant (by its own admins) or raise. get has the spending.',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({after: z.string().min(1).max(700).optional(), limit: z.int().min(1).max(1_000).default(1_000)}),
			run(page, {config, kv}, caller) {
				const configured = book.configured(config).map(({rule: {limit, notifyAt: _, ...rest}, ...of}) => ({
					...of,
					rule: {limitUsd: limit === null ? null : limit / 1e6, ...rest} as Json,
				}));
				return listed(page, {kv, configured, shown, call: 'window'}, caller);
			},
		},
	},
});

/** A row of `set` or of `raise`, in US dollars. */
const shown = (row: Json): Json => {
	const {by, until, ...rest} = row as {by?: number; until?: number} & Written;
	if (by !== undefined) return {byUsd: by / 1e6, until: isoOf(until)};
	return {...rest} as Json;
};
