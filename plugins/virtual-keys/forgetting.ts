import {type Json, refuse} from '../../plugin-sdk/index.ts';
import {factsGone, type Kv, type Lent, readFact, scopeOf} from './facts.ts';
import {factOfKey, type Key} from './key.ts';

/** Living and ended children of one key; the ended ones make room when it is needed. */
export const mostChildren = 1_000;

/** So many are forgotten with each key that is minted: more than one, so that none is kept for good, and as many as one turn has time for. */
const mostAtOnce = 50;

/** Ids of the children of a key, in their order. */
export const childrenOf = (kv: Kv, parent: string, limit = mostChildren): string[] => {
	const prefix = `child:${parent}/`;
	return kv.list(prefix, {limit}).map(({key}) => key.slice(prefix.length));
};

const isOver = (kv: Kv, id: string, now: number): boolean => {
	const key = kv.get(`id:${id}`) as Key | undefined;
	if (!key) return true;
	const {ended, until} = factOfKey(key, readFact(kv, scopeOf.key(id)));
	return ended !== undefined || (typeof until === 'number' && until <= now);
};

/** Everything that is stored of a child, to be taken away. Its own children have no parent then, which ends them: they are to follow. */
const rowsGone = (kv: Kv, parent: string, id: string): Record<string, Json> => {
	const {secrets = []} = (kv.get(`id:${id}`) ?? {}) as Partial<Key>;
	return {
		[`child:${parent}/${id}`]: null,
		[`id:${id}`]: null,
		[`about:${id}`]: null,
		...Object.fromEntries(secrets.map(({sha256}) => [`key:${sha256}`, null])),
		...factsGone(scopeOf.key(id)),
		...(childrenOf(kv, id, 1).length > 0 && {[`orphans:${id}`]: 1}),
	};
};

const forget = async (kv: Kv, parent: string, children: readonly string[], more: Record<string, Json> = {}): Promise<void> => {
	const {error} = await kv.put(Object.assign({}, ...children.map(id => rowsGone(kv, parent, id)), more));
	if (error) throw refuse('store_unavailable', 'This could not be written; nothing has changed.');
};

/** Forgets children that have ended, where there is no room for another one. The journal keeps what they were. Throws `conflict` where none has. */
export const roomFor = async ({id: parent}: Key, {kv, clock}: Lent): Promise<void> => {
	const all = childrenOf(kv, parent);
	if (all.length < mostChildren) return;
	const now = clock.now();
	const over: string[] = [];
	for (const id of all) {
		if (isOver(kv, id, now)) over.push(id);
		if (over.length === mostAtOnce) break;
	}
	if (over.length === 0) throw refuse('conflict', `The key ${parent} has ${mostChildren} children; revoke some.`);
	await forget(kv, parent, over);
};

/** Forgets some of the keys whose parents were forgotten, whosever they are. */
export const forgetOrphans = async ({kv}: Lent): Promise<void> => {
	const [row] = kv.list('orphans:', {limit: 1});
	if (!row) return;
	const parent = row.key.slice('orphans:'.length);
	const some = childrenOf(kv, parent, mostAtOnce);
	await forget(kv, parent, some, some.length < mostAtOnce ? {[row.key]: null} : {});
};
