import * as z from 'zod';
import {type Lent, openBook, type Rule} from '../limits/book.ts';
import {partsOf, scope} from '../limits/names.ts';

/** `usd` is money; the others are counted. */
export const name = z.enum(['requests', 'toolCalls', 'tokens', 'usd']);
export type Name = z.output<typeof name>;

const count = z.int().min(0).max(1e12);
const usd = z.number().min(0).max(1_000_000_000);
const caps = z.strictObject({requests: count, iterations: count, toolCalls: count, tokens: count, usd}).partial();

/** Whether a scope is about everything that an account does. */
export const isWhole = (scope: string): boolean => partsOf(scope).pattern === undefined;

export const config = z.strictObject({
	/** By account; the tightest of those that are named counts, and `*` where none is. */
	caps: z.record(scope.refine(isWhole, 'a session is capped whatever its models and tools are'), caps).default({}),
	/** What happened so long ago is not counted any more. */
	expires: z
		.string()
		.regex(/^[1-9]\d{0,3}[smhd]$/, 'like 30m, 8h or 1d')
		.default('1d'),
	/** Calls of tools that count: those made over MCP here, those that models ask for, or both. */
	toolCallsOf: z
		.array(z.enum(['mcp', 'model']))
		.min(1)
		.max(2)
		.default(['mcp', 'model']),
	/** Refuses calls that name no session. */
	requireSession: z.boolean().default(false),
});
export type Config = z.output<typeof config>;

/** What the ledger counts for a cap. */
export const unitOf = {requests: 'requests', toolCalls: 'toolCalls', tokens: 'tokens', usd: 'microUsd'} as const satisfies Record<
	Name,
	string
>;

const microUsd = (usd: number | null): number | null => (usd === null ? null : Math.round(usd * 1e6));

/** As `set` stores it. */
export type Written = {limit?: number | null; limitUsd?: number | null};

export const book = openBook<Rule, Config>({
	configured: config =>
		Object.fromEntries(
			Object.entries(config.caps).map(([scope, {usd, iterations, ...counts}]) => [
				scope,
				Object.fromEntries([
					...Object.entries({...(iterations !== undefined && {requests: iterations}), ...counts}).map(([name, limit]) => [name, {limit}]),
					...(usd === undefined ? [] : [['usd', {limit: microUsd(usd)}]]),
				]),
			]),
		),
	read: row => {
		const {limit = null, limitUsd} = row as Written;
		return {limit: limitUsd === undefined ? limit : microUsd(limitUsd)};
	},
});

/** In whole units of the ledger. */
export type Caps = Partial<Record<Name, number>>;

const readCaps = (tenant: string | undefined, accounts: readonly string[], lent: Lent<Config>): Caps => {
	const caps: Caps = {};
	const named = new Set<string>();
	for (const account of accounts) {
		for (const [name, {limit}] of book.named(account, tenant, lent)) {
			named.add(name);
			if (limit !== null) caps[name as Name] = Math.min(caps[name as Name] ?? Number.POSITIVE_INFINITY, limit);
		}
	}
	for (const [name, {limit}] of book.named('*', undefined, lent)) if (!named.has(name) && limit !== null) caps[name as Name] = limit;
	return caps;
};

const kept = 10_000;
const remembered = new Map<string, Caps>();

/** The caps of whoever has these accounts: of each, the tightest that is said of one of them; what is said of `*` where none is named. */
export const capsOf = (tenant: string | undefined, accounts: readonly string[], lent: Lent<Config>): Caps => {
	if (book.refresh(lent) || remembered.size >= kept) remembered.clear();
	const memoryName = `${tenant}\n${accounts.join('\n')}`;
	const known = remembered.get(memoryName);
	if (known) return known;
	const caps = readCaps(tenant, accounts, lent);
	remembered.set(memoryName, caps);
	return caps;
};
