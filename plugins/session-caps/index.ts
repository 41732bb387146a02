import * as z from 'zod';
import {allow, definePlugin, deny, type Json} from '../../plugin-sdk/index.ts';
import {settled} from '../limits/counts.ts';
import {scope} from '../limits/names.ts';
import {listed} from '../limits/show.ts';
import {openWriting} from '../limits/write.ts';
import {book, capsOf, config, isWhole, type Name, name, unitOf} from './caps.ts';

type Attempt = {status?: number; error?: string};

/** Nobody bills for a request that was not sent, or for an error. */
const isFree = ({status, error}: Attempt): boolean => error === 'upstream_unreachable' || (status !== undefined && status >= 300);

const {set, reset} = openWriting(book);

/** Of one principal alone: whoever else takes the same name spends from a session of its own. */
const accountOf = (tenant: string, id: string, session: string): string =>
	`session:${encodeURIComponent(tenant)}/${encodeURIComponent(id)}/${encodeURIComponent(session)}`;
const mostAccountChars = 300;

/** What on-tool-call needs to know of the session, which it cannot see. */
type Carried = {account: string; toolCalls?: number | undefined; usd?: number | undefined};

const orElse = 'session_limit_exceeded';
const unpriced = {code: 'price_unknown', message: 'The price of this call is not known, and what a session may cost is capped.'} as const;

const rolling = (expires: string) => `rolling:${expires}` as 'rolling:1d';

const actionScope = scope.refine(isWhole, 'a session is capped whatever its models and tools are');

export default definePlugin({
	config,

	hooks: {
		/** Sets aside what this call can take of its session, or refuses it. */
		'pre-request'({operation, principal: {id, tenant, accounts}, session, estimate}, host) {
			const {requireSession, expires} = host.config;
			if (session === undefined) {
				if (!requireSession) return undefined;
				return deny({code: 'invalid_request', message: 'Name the session of this call: x-sallyport-session.', rule: 'requireSession'});
			}
			const caps = capsOf(tenant, accounts, host);
			const account = accountOf(tenant, id, session);
			if (account.length > mostAccountChars)
				return deny({code: 'invalid_request', message: 'x-sallyport-session: take a shorter name for this session.'});
			const carried: Carried = {account, toolCalls: caps.toolCalls, usd: caps.usd};
			if (operation === 'tools/call') return allow({carry: JSON.stringify(carried)});
			const {inputTokens, maxOutputTokens, maxCostMicroUsd} = estimate;
			const amounts = {requests: 1, tokens: inputTokens + maxOutputTokens, usd: maxCostMicroUsd ?? 0};
			if (caps.usd === 0) return deny({code: orElse, message: 'A session may cost nothing.', rule: 'usd'});
			if (caps.usd !== undefined && maxCostMicroUsd === undefined) return deny(unpriced);
			const reserve = (['requests', 'tokens', 'usd'] as const).flatMap(name => {
				const limit = caps[name];
				return limit === undefined ? [] : [{account, unit: unitOf[name], amount: amounts[name], limit, window: rolling(expires)}];
			});
			if (reserve.length === 0 && caps.toolCalls === undefined) return undefined;
			return allow({...(reserve.length > 0 && {reserve, orElse}), ...(caps.toolCalls !== undefined && {carry: JSON.stringify(carried)})});
		},

		/** Takes one tool call from its session, and over MCP what it can cost, or refuses it. */
		'on-tool-call'({carried, source, estimate: {maxCostMicroUsd: amount}}, {config: {expires, toolCallsOf}}) {
			if (carried === undefined) return undefined;
			const {account, toolCalls, usd} = JSON.parse(carried) as Carried;
			const window = rolling(expires);
			const calls =
				toolCalls === undefined || !toolCallsOf.includes(source)
					? []
					: [{account, unit: 'toolCalls' as const, amount: 1, limit: toolCalls, window}];
			if (usd === undefined || amount === 0) return calls.length === 0 ? undefined : allow({reserve: calls, orElse});
			if (amount === undefined) return deny(unpriced);
			if (usd === 0) return deny({code: orElse, message: 'A session may cost nothing.', rule: 'usd'});
			return allow({reserve: [...calls, {account, unit: 'microUsd', amount, limit: usd, window}], orElse});
		},

		/** Replaces what was set aside by what was used; a cost that nobody knows stays what it may have been. */
		'post-response'({outcome, usage, attempts, costMicroUsd}) {
			const {settle} = settled({outcome, usage, attempts});
			const cost = costMicroUsd ?? ((attempts as Attempt[]).every(isFree) ? 0 : undefined);
			return allow({settle: {...settle, ...(cost !== undefined && {microUsd: cost})}});
		},
	},

	actions: {
		set: {
			description: 'Caps the sessions of an account in the place of what the config says; null takes the cap away. US dollars for usd.',
			tenantAdmin: true,
			input: z
				.strictObject({account: actionScope, name, limit: z.number().min(0).max(1e12).nullable()})
				.refine(({name, limit}) => name === 'usd' || limit === null || Number.isInteger(limit), {error: 'a whole number', path: ['limit']}),
			async run({account, name, limit}, host, caller) {
				await set(account, name, name === 'usd' ? {limitUsd: limit} : {limit}, host, caller);
				return {account, name, limit};
			},
		},
		reset: {
			description: 'Forgets what set said of an account, or of one cap of it: the config alone counts again.',
			tenantAdmin: true,
			input: z.strictObject({account: actionScope, name: name.optional()}),
			async run({account, name}, host, caller) {
				await reset(account, name, host, caller);
				return {account};
			},
		},
		get: {
			description:
				'What a session has used, and has set aside, of its caps; accounts are those that pay for it, like tenant:acme and key:key_1.',
			access: 'read',
			input: z.strictObject({
				tenant: z.string().min(1).max(200),
				principal: z.string().min(1).max(200),
				session: z.string().min(1).max(200),
				accounts: z.array(z.string().max(200)).max(20).default([]),
			}),
			run({tenant, principal, session, accounts}, host) {
				const caps = capsOf(tenant, accounts, host);
				const account = accountOf(tenant, principal, session);
				const states = name.options.map(name => {
					const inOwn = (amount: number) => (name === 'usd' ? amount / 1e6 : amount);
					const {spent, reserved} = host.ledger.balance(account, unitOf[name], rolling(host.config.expires));
					const limit = caps[name];
					const remaining = limit === undefined ? null : inOwn(Math.max(0, limit - spent - reserved));
					return {name, limit: limit === undefined ? null : inOwn(limit), spent: inOwn(spent), reserved: inOwn(reserved), remaining};
				});
				return {account, caps: states};
			},
		},
		list: {
			description: 'Every cap that was written down, and where: config, action or tenant (by its own admins).',
			access: 'read',
			tenantAdmin: true,
			input: z.strictObject({after: z.string().min(1).max(700).optional(), limit: z.int().min(1).max(1_000).default(1_000)}),
			run(page, {config, kv}, caller) {
				const configured = book.configured(config).map(({name, rule: {limit}, scope}) => ({
					scope,
					name,
					rule: ((name as Name) === 'usd' ? {limitUsd: limit! / 1e6} : {limit}) as Json,
				}));
				return listed(page, {kv, configured, shown: row => row, call: 'name'}, caller);
			},
		},
	},
});
