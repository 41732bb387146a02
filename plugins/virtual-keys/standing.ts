import {deny, identify} from '../../plugin-sdk/index.ts';
import {type Fact, type Kv, placeOf, readFact, scopeOf} from './facts.ts';
import {type Door, factOfKey, type Generations, idBehind, type Key, type Principal, principalOf} from './key.ts';
import {isWithin, type Range, rangesOf} from './origins.ts';

type Refusal = ReturnType<typeof deny>;

/** What a credential comes to: refused, or good until `end` from any of `origins`. */
export type Pass = {
	id: string;
	refusal?: Refusal;
	/** Milliseconds since 1970. */
	end: number;
	/** Whose end it is. */
	endOf: string;
	/** Its own and its parents': the address has to be in each. */
	origins: readonly Range[][];
	verdict: ReturnType<typeof identify>;
};

/** What is known of facts, as long as kv's `version` is what it was: every scope that has one, where they are few, and those that were read. */
const memory: {version?: unknown; noted?: ReadonlySet<string> | undefined; facts: Map<string, Fact>} = {facts: new Map()};
const mostNoted = 1_000;
const mostFacts = 20_000;
/** As many as a principal can have. */
const mostTags = 50;

/** What was read before the last write is forgotten. */
const freshen = (kv: Kv): void => {
	const version = kv.get('version');
	if (version === memory.version) return;
	const rows = kv.list('noted:', {limit: mostNoted});
	memory.noted = rows.length < mostNoted ? new Set(rows.map(({key}) => key.slice('noted:'.length))) : undefined;
	memory.version = version;
	memory.facts.clear();
};

const none: Fact = {};
const hasNone = (scope: string): boolean => memory.noted !== undefined && !memory.noted.has(scope);

/** Of those that many keys have in common. */
const factOf = (kv: Kv, scope: string): Fact => {
	if (hasNone(scope)) return none;
	const known = memory.facts.get(scope);
	if (known) return known;
	const fact = readFact(kv, scope);
	if (memory.facts.size >= mostFacts) memory.facts.clear();
	memory.facts.set(scope, fact);
	return fact;
};

const words = {tenant: 'tenant', team: 'team', user: 'user', key: 'key'} as const;
type Kind = keyof typeof words;
/** `generation`: which one of that name is meant; the present one, whichever it is, when missing. */
type Holder = {kind: Exclude<Kind, 'key'>; scope: string; account: string; generation?: number | undefined};

/** The tenant, team and user behind a principal, each with the name that its facts are under. */
const holdersOf = (kv: Kv, {tenant, team, user}: Pick<Principal, 'tenant' | 'team' | 'user'>, made?: Generations): Holder[] => {
	const place = placeOf(tenant, factOf(kv, scopeOf.tenant(tenant)).ended?.generation);
	const holder = (kind: Holder['kind'], scope: string, account: string): Holder => ({
		kind,
		scope,
		account,
		...(made && {generation: made[kind] ?? 0}),
	});
	return [
		holder('tenant', scopeOf.tenant(tenant), scopeOf.tenant(tenant)),
		...(team === undefined ? [] : [holder('team', scopeOf.team(place, team), scopeOf.team(tenant, team))]),
		...(user === undefined ? [] : [holder('user', scopeOf.user(place, user), scopeOf.user(tenant, user))]),
	];
};

type Stop = {refusal: Refusal} | {end: number; endOf: string};

/** Why a holder lets nobody in, or until when it does. */
const againstHolder = (kv: Kv, {kind, scope, account, generation}: Holder): Stop => {
	const {blockedAt, until, ended} = factOf(kv, scope);
	const told = {code: 'blocked', rule: account} as const;
	const isGone = generation === undefined ? ended?.gone === true : (ended?.generation ?? 0) !== generation;
	if (isGone) return {refusal: deny({...told, message: `The ${words[kind]} of this key is not here any more.`})};
	if (blockedAt !== undefined) return {refusal: deny({...told, message: `The ${words[kind]} of this key is blocked.`})};
	return {end: until ?? Number.POSITIVE_INFINITY, endOf: account};
};

/** A revoked key is told what a key is told that never was; so is a child of one. */
const unknown = () => deny({code: 'unauthenticated', message: 'This key is not known here.'});
const blocked = (message: string) => deny({code: 'key_blocked', message});

const againstKey = (key: Key, facts: Fact, message: string): Stop => {
	const {blockedAt, until, ended} = factOfKey(key, facts);
	if (ended) return {refusal: unknown()};
	if (blockedAt !== undefined) return {refusal: blocked(message)};
	return {end: until ?? Number.POSITIVE_INFINITY, endOf: scopeOf.key(key.id)};
};

/** A parent that is not there any more is one that was revoked. */
const againstParent = (kv: Kv, parent: Key | undefined): Stop =>
	parent ? againstKey(parent, factOf(kv, scopeOf.key(parent.id)), 'The key that this one was made from is blocked.') : {refusal: unknown()};

/** What the holders alone say of a principal, whoever identified it. */
export const againstHolders = (kv: Kv, principal: Pick<Principal, 'tenant' | 'team' | 'user'>, now: () => number): Refusal | undefined => {
	freshen(kv);
	const stops = holdersOf(kv, principal).map(holder => againstHolder(kv, holder));
	return refusalOf(stops, now);
};

const expired = (endOf: string): Refusal =>
	endOf.startsWith('key:')
		? deny({code: 'key_expired', message: 'This key has expired.'})
		: deny({code: 'key_expired', message: `The ${endOf.slice(0, endOf.indexOf(':'))} of this key has expired.`, rule: endOf});

const refusalOf = (stops: readonly Stop[], now: () => number): Refusal | undefined => {
	for (const stop of stops) if ('refusal' in stop) return stop.refusal;
	const ends = stops.filter(stop => 'end' in stop && Number.isFinite(stop.end)) as {end: number; endOf: string}[];
	const over = ends.length === 0 ? undefined : ends.find(({end}) => end <= now());
	return over && expired(over.endOf);
};

/** What a key comes to; `until`: when the secret that was shown ends. */
export const passOfKey = (kv: Kv, key: Key, until = Number.POSITIVE_INFINITY): Pass => {
	freshen(kv);
	const {id, parents = [], generations = {}} = key;
	const rows = parents.map(parent => kv.get(`id:${parent}`) as Key | undefined);
	const stops: Stop[] = [
		againstKey(key, hasNone(scopeOf.key(id)) ? none : readFact(kv, scopeOf.key(id)), 'This key is blocked.'),
		...rows.map(row => againstParent(kv, row)),
		...holdersOf(kv, key, generations).map(holder => againstHolder(kv, holder)),
		{end: until, endOf: scopeOf.key(id)},
	];
	const refusal = refusalOf(stops, () => Number.NEGATIVE_INFINITY);
	const ends = stops.filter(stop => 'end' in stop) as {end: number; endOf: string}[];
	const {end, endOf} = ends.reduce((first, stop) => (stop.end < first.end ? stop : first), {end: Number.POSITIVE_INFINITY, endOf: ''});
	const family = rows.filter(row => row !== undefined);
	const tags = [...new Set([...family, key].flatMap(row => row.tags))].slice(0, mostTags);
	const mayTag = [key, ...family].every(row => row.mayTag === true);
	return {
		id,
		end,
		endOf,
		origins: [key, ...family].flatMap(({origins}) => (origins ? [rangesOf(origins)] : [])),
		verdict: identify({...principalOf(key), tags, ...(mayTag && {mayTag}), ...(Number.isFinite(end) && {expiresAt: end})}),
		...(refusal && {refusal: {...refusal, annotate: {key: id}}}),
	};
};

/** What a credential comes to; undefined when there is none with this hash. */
export const passOf = (kv: Kv, sha256: string): Pass | undefined => {
	const door = kv.get(`key:${sha256}`) as Door | undefined;
	const key = door === undefined ? undefined : (kv.get(`id:${idBehind(door)}`) as Key | undefined);
	const secret = key?.secrets.find(one => one.sha256 === sha256);
	return key && secret && passOfKey(kv, key, secret.until);
};

/** The verdict about a pass, here and now; `ip` undefined stands for any address. */
export const verdictOn = ({id, refusal, end, endOf, origins, verdict}: Pass, ip: string | undefined, now: () => number) => {
	if (refusal) return refusal;
	if (Number.isFinite(end) && end <= now()) return {...expired(endOf), annotate: {key: id}};
	if (ip === undefined || origins.every(ranges => isWithin(ip, ranges))) return verdict;
	return deny({code: 'origin_not_allowed', message: 'This key may not be used from this address.', annotate: {key: id}});
};
