import type * as z from 'zod';
import {type Caller, type Json, refuse, within} from '../../plugin-sdk/index.ts';
import {endOf, inTurn, type Kv, type Lent} from './facts.ts';
import {childrenOf, forgetOrphans, roomFor} from './forgetting.ts';
import type {minting} from './inputs.ts';
import {generationsIn, type Key, type Nature} from './key.ts';
import {areWithin} from './origins.ts';
import {keyOf, make, shownNow} from './rows.ts';
import {passOfKey} from './standing.ts';

const parentsOf = (kv: Kv, {parents = []}: Pick<Nature, 'parents'>): Key[] =>
	parents.map(parent => {
		const key = kv.get(`id:${parent}`) as Key | undefined;
		if (key === undefined) throw refuse('conflict', 'The key that this one was made from is gone.');
		return key;
	});

/** How many generations may still come from the last of these: nobody hands on more than was handed down. */
const generationsLeft = (family: readonly Key[]): number =>
	Math.min(...family.map(({mayMint}, index) => generationsIn(mayMint) - (family.length - 1 - index)));

const tagsOf = (family: readonly Key[]): Set<string> => new Set(family.flatMap(({tags}) => tags));

/** Why a child would have more than those it comes from, field by field. */
const widerIn = (kv: Kv, child: Nature, until: number | null | undefined): string | undefined => {
	const family = parentsOf(kv, child);
	const parent = family.at(-1);
	if (!parent) return undefined;
	const {tenant, team, user, tags, origins, mayTag, mayMint} = child;
	const trusted = family.every(key => key.mayTag === true);
	const given = tagsOf(family);
	if (tenant !== parent.tenant) return 'tenant: not that of its parent';
	if (parent.team !== undefined && team !== parent.team) return 'team: not that of its parent';
	if (parent.user !== undefined && user !== parent.user) return 'user: not that of its parent';
	if (![...given].every(tag => tags.includes(tag))) return 'tags: lacks one of its parent';
	if (!trusted && tags.some(tag => !given.has(tag))) return 'tags: has one that its parent does not have, and may not make up';
	if (mayTag && !trusted) return 'mayTag: its parent may not';
	if (generationsIn(mayMint) > Math.max(0, generationsLeft(family) - 1)) return 'mayMint: more generations than its parent has left';
	if (origins && family.some(key => key.origins && !areWithin(origins, key.origins))) return 'origins: wider than those of its parent';
	if (typeof until === 'number' && until > passOfKey(kv, parent).end) return 'expiresAt: later than the end of its parent';
	return undefined;
};

/** Throws `invalid_request`, with the field, where a child would have more than its parent. Whoever has no parent may have anything. */
export const requireNarrower = (kv: Kv, child: Nature, {until}: {until?: number | null}): void => {
	const wider = widerIn(kv, child, until);
	if (wider !== undefined) throw refuse('invalid_request', wider);
};

/** The key that a caller may mint from: the one it holds, or the one an operator names. */
const parentFor = (kv: Kv, named: string | undefined, caller: Caller): Key => {
	const {key: held} = caller;
	if (held !== undefined && named !== undefined && named !== held) throw refuse('denied', 'A key mints from itself alone.');
	const id = held ?? named;
	if (id === undefined) throw refuse('invalid_request', 'parent: which key is it to come from?');
	return keyOf(kv, id, caller);
};

/** Whose a key is, an operator says: a holder that named somebody would have what is theirs. Throws `invalid_request` with the field. */
const requireOwn = (parent: Key, wanted: Pick<Nature, 'team' | 'user'>, caller: Caller): void => {
	if (caller.key === undefined) return;
	for (const field of ['team', 'user'] as const)
		if ((wanted[field] ?? parent[field]) !== parent[field]) throw refuse('invalid_request', `${field}: not that of its parent`);
};

/** A new key that has what its parent has, or less; its secret is in this answer and nowhere else. */
export const mint = ({parent: named, ...wanted}: z.output<typeof minting>, lent: Lent, caller: Caller): Promise<Json> =>
	inTurn(async () => {
		const {kv, clock} = lent;
		const parent = parentFor(kv, named, caller);
		within(caller, parent.tenant);
		requireOwn(parent, wanted, caller);
		const family = [...parentsOf(kv, parent), parent];
		if (generationsLeft(family) < 1) throw refuse('denied', `The key ${parent.id} may not mint: it has no mayMint.`);
		const {refusal, end} = passOfKey(kv, parent);
		if (refusal || end <= clock.now()) throw refuse('conflict', `The key ${parent.id} does not open any more.`);
		const child = {
			...wanted,
			tenant: wanted.tenant ?? parent.tenant,
			team: wanted.team ?? parent.team,
			user: wanted.user ?? parent.user,
			tags: wanted.tags ?? [...tagsOf(family)],
			parents: family.map(({id}) => id),
		};
		const until = endOf(wanted, clock.now());
		requireNarrower(kv, {...child, id: '', expiresAt: until, mayMint: generationsIn(wanted.mayMint)}, {until});
		await forgetOrphans(lent);
		await roomFor(parent, lent);
		return make(lent, child, caller);
	});

/** The children of a key, those of the caller's own where it holds one. */
export const children = (named: string | undefined, lent: Lent, caller: Caller): Json => {
	const parent = parentFor(lent.kv, named, caller);
	const keys = childrenOf(lent.kv, parent.id).map(id => lent.kv.get(`id:${id}`) as Key | undefined);
	return {keys: keys.filter(key => key !== undefined).map(key => shownNow(key, lent))};
};
