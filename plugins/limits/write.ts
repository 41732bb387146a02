import {type Caller, type Host, type Json, refuse, tenantOf, within} from '../../plugin-sdk/index.ts';
import {type Book, everyName, type Lent, type Rule, rowsOf} from './book.ts';
import {partsOf} from './names.ts';

type Writing<Config> = Lent<Config> & Pick<Host<Config>, 'random'>;
type Rows = Record<string, Json>;

/** The new `version` makes every process read the limits again. */
const put = async ({kv, random}: Writing<unknown>, rows: Rows): Promise<void> => {
	const {error} = await kv.put({...rows, version: random.uuid()});
	if (error) throw refuse('store_unavailable', 'The limit could not be written; nothing has changed.');
};

/** Throws `denied` for a scope that is none of the caller's business. A key is met in its own tenant alone, whoever's it is. */
export const keepWithin = (caller: Caller, scope: string): void => {
	const {holder} = partsOf(scope);
	if (caller.tenant !== undefined && !holder.startsWith('key:')) within(caller, tenantOf(holder));
};

/** What the caller's own rows begin with. */
const prefixOf = (scope: string, caller: Caller): string => {
	keepWithin(caller, scope);
	return caller.tenant === undefined ? rowsOf.operator(scope) : rowsOf.tenant(caller.tenant, scope);
};

/** Rows under `prefix` whose rest is so many words, gone. */
const gone = (prefix: string, words: number, {kv}: Writing<unknown>, name?: string): Rows => {
	const keys = kv.list(prefix).map(({key}) => key);
	const own = keys.filter(key => {
		const rest = key.slice(prefix.length).split(' ');
		return rest.length === words && (name === undefined || rest[0] === name);
	});
	return Object.fromEntries(own.map(key => [key, null]));
};

/** The words of actions about limits, as rows. */
export const openWriting = <R extends Rule, Config>(book: Book<R, Config>) => {
	/** Everything the caller's layer says of a scope, or of one name of it, gone. */
	const forgotten = (scope: string, name: string | undefined, lent: Writing<Config>, caller: Caller): Rows => {
		const rows = gone(prefixOf(scope, caller), 1, lent, name);
		const former = caller.tenant === undefined ? book.formerName(scope, lent) : undefined;
		const isFormer = former !== undefined && (name === undefined || name === former);
		return {...rows, ...(isFormer && {[rowsOf.former(scope)]: null})};
	};

	return {
		/** Writes `rule` in the place of what was said of one limit, or of every one without a name. Rejects with `denied` or `store_unavailable`. */
		async set(scope: string, name: string | undefined, rule: Json, lent: Writing<Config>, caller: Caller): Promise<void> {
			const before = forgotten(scope, name, lent, caller);
			const {pattern} = partsOf(scope);
			await put(lent, {
				...before,
				[prefixOf(scope, caller) + (name ?? everyName)]: rule,
				...(pattern !== undefined && {[rowsOf.pattern(pattern)]: true}),
			});
		},

		/** Forgets what was said of a scope, or of one limit of it, temporary increases too. Rejects with `denied` or `store_unavailable`. */
		async reset(scope: string, name: string | undefined, lent: Writing<Config>, caller: Caller): Promise<void> {
			const rows = forgotten(scope, name, lent, caller);
			const raised = caller.tenant === undefined ? gone(rowsOf.raise(scope), 2, lent, name) : {};
			await put(lent, {...rows, ...raised});
		},

		/** Adds `by` to one limit of a scope, or to each without a name, until then; what ended before is swept out. Rejects with `invalid_request` or `store_unavailable`. */
		async raise(scope: string, name: string | undefined, {by, until}: {by: number; until: number}, lent: Writing<Config>): Promise<void> {
			const now = lent.clock.now();
			if (until <= now) throw refuse('invalid_request', 'until: this moment has passed');
			const prefix = rowsOf.raise(scope);
			const over = lent.kv.list(prefix).filter(({value}) => (value as {until: number}).until <= now);
			const ended = Object.fromEntries(over.map(({key}) => [key, null]));
			await put(lent, {...ended, [`${prefix}${name ?? everyName} ${lent.random.uuid()}`]: {by, until}});
		},
	};
};
