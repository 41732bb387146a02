import * as z from 'zod';
import type {Host} from '../../plugin-sdk/index.ts';

export const window = z.enum(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'total']);
export type Window = z.output<typeof window>;

/** As the ledger takes them, and `*` for each account that is not named. */
export const account = z.string().min(1).max(200);

/** Whole micro-dollars have to stay exact. */
export const usd = z.number().min(0).max(1_000_000_000);

const isTimeZone = (name: string): boolean => {
	try {
		return new Intl.DateTimeFormat('en', {timeZone: name}) !== undefined;
	} catch {
		return false;
	}
};

export const config = z.strictObject({
	window,
	/** By account; `*` is for each account that is not named, for itself. */
	limitUsd: z.record(account, usd).default({}),
	/** UTC when left out. */
	timeZone: z.string().max(60).refine(isTimeZone, 'an IANA time zone, like Europe/Berlin').optional(),
});

export type Lent = Pick<Host<z.output<typeof config>>, 'config' | 'kv'>;

export type Limit = {microUsd: number; window: Window};

/** What `set` wrote, under `limit:<account>`; `limitUsd: null` is no limit. */
export type Written = {limitUsd: number | null; window?: Window};

const kept = 10_000;

/** What was read of the limits: good for as long as kv's `version` stays what it was. `null`: there is no limit. */
const remembered = {version: undefined as unknown, limits: new Map<string, Limit | null>()};

/** `set` is the only one that writes these. */
const written = (account: string, {kv}: Lent): Written | undefined => kv.get(`limit:${account}`) as Written | undefined;

const configured = (account: string, {config}: Lent): Written | undefined =>
	Object.hasOwn(config.limitUsd, account) ? {limitUsd: config.limitUsd[account]!} : undefined;

/** An action's word before the config's, and a word about the account before one about `*`. */
const readLimit = (account: string, lent: Lent): Limit | null => {
	const found = written(account, lent) ?? configured(account, lent) ?? written('*', lent) ?? configured('*', lent);
	if (found === undefined || found.limitUsd === null) return null;
	return {microUsd: Math.round(found.limitUsd * 1e6), window: found.window ?? lent.config.window};
};

/** To be called once before `limitOf`: what an action changed is read again. */
export const refresh = ({kv}: Lent): void => {
	const version = kv.get('version');
	if (version === remembered.version) return;
	remembered.version = version;
	remembered.limits.clear();
};

/** The limit of one account, or null. */
export const limitOf = (account: string, lent: Lent): Limit | null => {
	const {limits} = remembered;
	const known = limits.get(account);
	if (known !== undefined) return known;
	const limit = readLimit(account, lent);
	if (limits.size >= kept) limits.clear();
	limits.set(account, limit);
	return limit;
};
