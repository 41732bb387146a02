import {type Caller, type Host, type Json, mayReach, refuse, tenantOf, within} from '../../plugin-sdk/index.ts';
import {type Book, everyName, type Lent, type Rule, rowsOf} from './book.ts';
import {partsOf} from './names.ts';

type Balance = {spent: number; reserved: number; resetsAt?: number};
type Reading<Config> = Lent<Config> & Pick<Host<Config>, 'ledger'>;

/** What an account has of one limit in its present window. */
export type State<R extends Rule> = {name: string; rule: R; remaining: number | null} & Balance;

/** The scope of the key that its holder calls with. Throws `not_found` for a caller without one. */
export const ownScope = ({key}: Caller): string => {
	if (key !== undefined) return `key:${key}`;
	throw refuse('not_found', 'This is for the holder of a key, at /self; get has what is of others.');
};

/** The limits of one account that a caller may know of, with the tightest first. Throws `denied`. */
export const statesOf = <R extends Rule, Config>(
	book: Book<R, Config>,
	scope: string,
	place: (name: string) => {account: string; unit: string; window: string},
	timeZone: string | undefined,
	lent: Reading<Config>,
	caller: Caller,
): State<R>[] => {
	// Whose a key is, is not known here, but of the one that somebody calls with.
	const tenant = caller.key !== undefined && scope === ownScope(caller) ? caller.tenant : tenantOf(partsOf(scope).holder);
	within(caller, tenant);
	book.refresh(lent);
	const states = [...book.rulesOf(scope, tenant, lent)].map(([name, rule]): State<R> => {
		const {account, unit, window} = place(name);
		const balance = lent.ledger.balance(account, unit, window, rule.timeZone ?? timeZone);
		const remaining = rule.limit === null ? null : Math.max(0, rule.limit - balance.spent - balance.reserved);
		return {name, rule, remaining, ...balance};
	});
	return states.sort((one, other) => (one.remaining ?? Number.POSITIVE_INFINITY) - (other.remaining ?? Number.POSITIVE_INFINITY));
};

export const isoOf = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

type Page = {after?: string | undefined; limit: number};

type Shown = {
	kv: Lent<unknown>['kv'];
	configured: readonly {scope: string; name: string; rule: Json}[];
	shown: (row: Json) => Json;
	/** What a limit's name is called. */
	call: 'window' | 'name';
};

/** Whose a row is, and about which limit. */
const placeOf = (key: string): {from: 'action' | 'tenant' | 'raise'; tenant?: string; scope: string; name: string} | undefined => {
	const [, kind, rest = ''] = /^(limit|own|raise):(.*)$/s.exec(key) ?? [];
	if (kind === undefined) return undefined;
	const words = rest.split(' ');
	if (kind === 'raise') words.pop();
	const name = words.length > 1 ? words.pop()! : everyName;
	const place = words.join(' ');
	if (kind !== 'own') return {from: kind === 'raise' ? 'raise' : 'action', scope: place, name};
	const colon = place.indexOf(':');
	return {from: 'tenant', tenant: place.slice(0, colon), scope: place.slice(colon + 1), name};
};

/**
 * A page of what was written down of limits: `limit` rows are looked at, and the first page has the config's too. A tenant's admin sees
 * what is its own, and what is said of its tenant, teams and users.
 */
export const listed = ({after, limit}: Page, {kv, configured, shown, call}: Shown, caller: Caller): Json => {
	const rows = kv.list('', {limit, ...(after !== undefined && {after})});
	const isSeen = ({scope, tenant}: {scope: string; tenant?: string}) => mayReach(caller, tenant ?? tenantOf(partsOf(scope).holder));
	const written = rows.flatMap(({key, value}) => {
		const place = placeOf(key);
		if (!place || !isSeen(place)) return [];
		const {scope: account, name, from, tenant} = place;
		return [{account, ...(name !== everyName && {[call]: name}), ...(shown(value) as object), from, ...(tenant !== undefined && {tenant})}];
	});
	const isOverridden = (scope: string, name: string) =>
		kv.get(rowsOf.operator(scope) + name) !== undefined || kv.get(rowsOf.operator(scope) + everyName) !== undefined;
	const own = after === undefined ? configured.filter(one => isSeen(one) && !isOverridden(one.scope, one.name)) : [];
	const last = rows.length === limit ? rows.at(-1) : undefined;
	return {
		limits: [...own.map(({scope: account, name, rule}) => ({account, [call]: name, ...(rule as object), from: 'config'})), ...written],
		...(last && {next: last.key}),
	} as Json;
};
