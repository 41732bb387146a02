import {type Host, tenantOf} from '../../plugin-sdk/index.ts';
import {type Config, type Rule, ruleOf} from './rules.ts';

type Lent = Pick<Host<Config>, 'config' | 'kv'>;

/** Whom a rule can be about. `accounts` name the keys that this one was minted from. */
export type Asking = {tenant: string; team?: string; user?: string; key?: string; accounts?: readonly string[]};

/** A rule, and where it was written; what an admin of the tenant wrote narrows what others grant, and grants nothing by itself. */
export type Standing = {scope: string; rule: Rule; from: 'config' | 'action' | 'tenant'};

/** Every rule about one principal, from the widest scope to the narrowest. */
export type Right = readonly Standing[];

/** The rows of operators: `allow:<scope>`. */
export const operatorRow = (scope: string): string => `allow:${scope}`;
/** The rows of a tenant's own admins: only principals of that tenant ever meet them, whatever scope they name. */
export const tenantRow = (tenant: string, scope: string): string => `own:${tenant}:${scope}`;

/** What operators say of a scope: an action's word before the config's. */
export const operatorRule = (scope: string, {config, kv}: Lent): Standing | undefined => {
	// The actions are the only ones that write these.
	const row = kv.get(operatorRow(scope)) as Rule | string[] | undefined;
	if (row !== undefined) return {scope, rule: ruleOf(row), from: 'action'};
	return Object.hasOwn(config.allow, scope) ? {scope, rule: ruleOf(config.allow[scope]!), from: 'config'} : undefined;
};

export const tenantRule = (tenant: string, scope: string, {kv}: Lent): Standing | undefined => {
	const row = kv.get(tenantRow(tenant, scope)) as Rule | undefined;
	return row === undefined ? undefined : {scope, rule: row, from: 'tenant'};
};

const scopesOf = ({tenant, team, user, key, accounts}: Asking): string[] => {
	const scopes = ['*', `tenant:${tenant}`];
	if (team !== undefined) scopes.push(`team:${tenant}/${team}`);
	if (user !== undefined) scopes.push(`user:${tenant}/${user}`);
	// A key that was minted from another has what that one has, or less.
	for (const account of accounts ?? []) if (account.startsWith('key:')) scopes.push(account);
	if (key !== undefined && !scopes.includes(`key:${key}`)) scopes.push(`key:${key}`);
	return scopes;
};

const readRight = (asking: Asking, lent: Lent): Right =>
	scopesOf(asking).flatMap(scope =>
		[operatorRule(scope, lent), tenantRule(asking.tenant, scope, lent)].filter(standing => standing !== undefined),
	);

const kept = 10_000;

/**
 * What was read of the rules: good for as long as kv's `version` stays what it was. Most keys have no rule of their own, and share what
 * is remembered of their team.
 */
const remembered = {version: undefined as unknown, rights: new Map<string, Right>(), shared: new Map<string, Right>()};

const forget = (): void => {
	remembered.rights.clear();
	remembered.shared.clear();
};

const sharedRight = (right: Right, tenant: string): Right => {
	const name = right.map(({scope, from}) => (from === 'tenant' ? `${from} ${tenant} ${scope}` : `${from} ${scope}`)).join('\n');
	const known = remembered.shared.get(name);
	if (known) return known;
	remembered.shared.set(name, right);
	return right;
};

/** Tells apart all whom different rules are about: with the lengths, no name can be mistaken for two, nor for one that is missing. */
const nameOf = ({tenant, team, user, key, accounts}: Asking): string => {
	let name = `${tenant.length} ${team?.length} ${user?.length} ${key?.length} ${tenant}${team}${user}${key}`;
	// Whoever explains says what it likes of a key's parents, and has to be told apart from the key itself.
	for (const account of accounts ?? []) if (account.startsWith('key:')) name += ` ${account.length} ${account}`;
	return name;
};

/** Every rule that is about this principal. */
export const rightOf = (asking: Asking, lent: Lent): Right => {
	const version = lent.kv.get('version');
	if (version !== remembered.version) {
		remembered.version = version;
		forget();
	}
	const name = nameOf(asking);
	const known = remembered.rights.get(name);
	if (known !== undefined) return known;
	if (remembered.rights.size >= kept) forget();
	const right = sharedRight(readRight(asking, lent), asking.tenant);
	remembered.rights.set(name, right);
	return right;
};

/** Whether a scope may be written by an admin of `tenant`: its own, what is in it, and any key, which is met in that tenant alone. */
export const isOfTenant = (scope: string, tenant: string): boolean => scope.startsWith('key:') || tenantOf(scope) === tenant;
