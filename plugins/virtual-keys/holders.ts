import {type Caller, type Json, mayReach, refuse, within} from '../../plugin-sdk/index.ts';
import {endOf, type Fact, factRows, inTurn, type Kv, type Lent, placeOf, readFact, scopeOf, write} from './facts.ts';
import {type Generations, iso} from './key.ts';

/** A tenant, a team of a tenant, or a user as far as it is of one tenant. */
export type Named = {tenant: string; team?: string; user?: string};

/** As it is stored under `holder:<scope>`. Whether it is blocked, over or deleted are facts, in rows of their own. */
type Holder = Named & {
	title?: string;
	metadata?: Record<string, string | number | boolean>;
	createdAt: number;
	createdBy: string;
};

type Described = {title?: string; metadata?: Holder['metadata']; expiresAt?: string; ttlSeconds?: number};

/** The name that its facts and its row are under: another one after its tenant was deleted and made again. */
const scopeIn = (kv: Kv, {tenant, team, user}: Named): string => {
	if (team === undefined && user === undefined) return scopeOf.tenant(tenant);
	const place = placeOf(tenant, readFact(kv, scopeOf.tenant(tenant)).ended?.generation);
	return team === undefined ? scopeOf.user(place, user!) : scopeOf.team(place, team);
};

const wordOf = ({team, user}: Named): string => (team !== undefined ? 'team' : user !== undefined ? 'user' : 'tenant');
export const nameOf = ({tenant, team, user}: Named): string => [tenant, team ?? user].filter(part => part !== undefined).join('/');

/** `holder:` rows are written by `rowsOf` alone. */
const rowOf = (kv: Kv, scope: string): Holder | undefined => kv.get(`holder:${scope}`) as Holder | undefined;

const rowsOf = (scope: string, holder: Holder): Record<string, Json> => ({
	[`holder:${scope}`]: holder as Json,
	...(holder.user !== undefined && {[`member:${holder.user}/${holder.tenant}`]: 1}),
});

const requirePresent = (fact: Fact, named: Named): void => {
	if (fact.ended?.gone) throw refuse('conflict', `The ${wordOf(named)} ${nameOf(named)} was deleted; create it again first.`);
};

/** Which tenant, team and user of these names a new key is for. Throws `conflict` where one was deleted and not made again. */
export const generationsOf = (kv: Kv, {tenant, team, user}: Named): Generations | undefined => {
	const generations: Generations = {};
	const holders = [
		{tenant},
		...(team === undefined ? [] : [{tenant, team}]),
		...(user === undefined ? [] : [{tenant, user}]),
	] as const satisfies Named[];
	for (const named of holders) {
		const fact = readFact(kv, scopeIn(kv, named));
		requirePresent(fact, named);
		if (fact.ended?.generation) generations[wordOf(named) as keyof Generations] = fact.ended.generation;
	}
	return Object.keys(generations).length > 0 ? generations : undefined;
};

const stateOf = ({ended, blockedAt, until}: Fact, now: number): string => {
	if (ended?.gone) return 'deleted';
	if (blockedAt !== undefined) return 'blocked';
	return typeof until === 'number' && until <= now ? 'expired' : 'active';
};

const shown = (holder: Holder, fact: Fact, now: number): Json => {
	const {createdAt, ...rest} = holder;
	const {blockedAt, until, ended} = fact;
	return {
		...rest,
		state: stateOf(fact, now),
		createdAt: iso(createdAt),
		expiresAt: iso(until ?? undefined),
		blockedAt: iso(blockedAt),
		...(ended?.gone && {deletedAt: iso(ended.at)}),
	} as Json;
};

const shownNow = (named: Named, {kv, clock}: Lent): Json => {
	const scope = scopeIn(kv, named);
	const holder = rowOf(kv, scope);
	if (!holder) throw refuse('not_found', `There is no ${wordOf(named)} ${nameOf(named)}.`);
	return shown(holder, readFact(kv, scope), clock.now());
};

/** What is acted on together: all or nothing. Each caller keeps to its own tenant. */
type Deed = (scope: string, named: Named, now: number) => Record<string, Json>;

const act = (all: readonly Named[], lent: Lent, caller: Caller, deed: Deed): Promise<Json> =>
	inTurn(async () => {
		const now = lent.clock.now();
		const rows: Record<string, Json> = {};
		for (const named of all) {
			within(caller, named.tenant);
			Object.assign(rows, deed(scopeIn(lent.kv, named), named, now));
		}
		await write(lent, rows);
		const after = all.map(named => shownNow(named, lent));
		return after.length === 1 ? after[0]! : {memberships: after};
	});

/** Keys may name what nobody made: whoever acts on it makes it known. */
const known = (kv: Kv, scope: string, named: Named, now: number, {actor}: Caller): Record<string, Json> =>
	rowOf(kv, scope) ? {} : rowsOf(scope, {...named, createdAt: now, createdBy: actor});

/** Makes it known, or makes it again after it was deleted: what belonged to the one before stays ended. */
export const create = (all: readonly Named[], described: Described, lent: Lent, caller: Caller): Promise<Json> =>
	act(all, lent, caller, (scope, named, now) => {
		const {kv} = lent;
		const {title, metadata} = described;
		const {ended} = readFact(kv, scope);
		if (!ended?.gone && rowOf(kv, scope)) throw refuse('conflict', `There is a ${wordOf(named)} ${nameOf(named)} already.`);
		if (wordOf(named) !== 'tenant') requirePresent(readFact(kv, scopeOf.tenant(named.tenant)), {tenant: named.tenant});
		const holder: Holder = {...named, title, metadata, createdAt: now, createdBy: caller.actor};
		const until = endOf(described, now);
		return {
			...rowsOf(scope, holder),
			...factRows(scope, ended ? {until: until ?? null, blockedAt: null, ended: {...ended, gone: false}} : {until}),
		};
	});

export const get = (all: readonly Named[], lent: Lent, caller: Caller): Json => {
	for (const {tenant} of all) within(caller, tenant);
	const holders = all.map(named => shownNow(named, lent));
	return holders.length === 1 ? holders[0]! : {memberships: holders};
};

export const block = (all: readonly Named[], lent: Lent, caller: Caller): Promise<Json> =>
	act(all, lent, caller, (scope, named, now) => {
		const fact = readFact(lent.kv, scope);
		requirePresent(fact, named);
		return {...known(lent.kv, scope, named, now, caller), ...factRows(scope, {blockedAt: fact.blockedAt ?? now})};
	});

export const unblock = (all: readonly Named[], lent: Lent, caller: Caller): Promise<Json> =>
	act(all, lent, caller, (scope, named, now) => {
		requirePresent(readFact(lent.kv, scope), named);
		return {...known(lent.kv, scope, named, now, caller), ...factRows(scope, {blockedAt: null})};
	});

export const expire = (all: readonly Named[], at: string | null, lent: Lent, caller: Caller): Promise<Json> =>
	act(all, lent, caller, (scope, named, now) => {
		requirePresent(readFact(lent.kv, scope), named);
		return {...known(lent.kv, scope, named, now, caller), ...factRows(scope, {until: at === null ? null : Date.parse(at)})};
	});

/** Ends every key under it, for good. The row stays, for audit; teams and users of a deleted tenant go with it. */
export const remove = (all: readonly Named[], lent: Lent, caller: Caller): Promise<Json> =>
	act(all, lent, caller, (scope, named, now) => {
		const {ended} = readFact(lent.kv, scope);
		if (ended?.gone) return {};
		const generation = (ended?.generation ?? 0) + 1;
		return {...known(lent.kv, scope, named, now, caller), ...factRows(scope, {ended: {at: now, generation, gone: true}})};
	});

/** One page of those whose names come after `after`. */
export const list = (
	kind: 'tenant' | 'team' | 'user',
	{tenant, after, limit}: {tenant?: string; after?: string | undefined; limit: number},
	{kv, clock}: Lent,
	caller: Caller,
): Json => {
	if (tenant !== undefined) within(caller, tenant);
	const place = tenant === undefined ? '' : `${placeOf(tenant, readFact(kv, scopeOf.tenant(tenant)).ended?.generation)}/`;
	const prefix = `holder:${kind}:${place}`;
	const rows = kv.list(prefix, {limit, ...(after !== undefined && {after: `${prefix}${after}`})});
	const now = clock.now();
	const reached = rows.filter(({value}) => mayReach(caller, (value as Holder).tenant));
	const holders = reached.map(({key, value}) => shown(value as Holder, readFact(kv, key.slice('holder:'.length)), now));
	const last = rows.length === limit ? rows.at(-1)?.key.slice(prefix.length) : undefined;
	return {[`${kind}s`]: holders, ...(last !== undefined && {next: last})};
};

/** Every tenant that a user is of, as far as the caller may know; those named where any are. */
export const membershipsOf = (kv: Kv, user: string, tenants: readonly string[] | undefined, caller: Caller): Named[] => {
	if (tenants) return tenants.map(tenant => ({tenant, user}));
	const prefix = `member:${user}/`;
	const all = kv
		.list(prefix)
		.map(({key}) => key.slice(prefix.length))
		.filter(tenant => mayReach(caller, tenant));
	if (all.length === 0) throw refuse('not_found', `There is no user ${user}; name the tenant.`);
	return all.map(tenant => ({tenant, user}));
};
