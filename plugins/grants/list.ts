import {type Caller, type Host, type Json, mayReach, tenantOf} from '../../plugin-sdk/index.ts';
import {operatorRow} from './rights.ts';
import {type Config, type Rule, ruleOf} from './rules.ts';

type Lent = Pick<Host<Config>, 'config' | 'kv'>;
type Page = {after?: string; limit: number};

/** Whose a row is: `allow:team:acme/search` and `own:acme:team:acme/search`. */
const placeOf = (row: string): {scope: string; tenant?: string} => {
	const [, tenant, scope] = /^own:([^:]+):(.+)$/.exec(row) ?? [];
	return tenant === undefined ? {scope: row.slice(operatorRow('').length)} : {scope: scope!, tenant};
};

const rowAfter = (after: string): string => (after.startsWith('own:') ? after : operatorRow(after));
const cursorOf = (row: string): string => (row.startsWith('own:') ? row : placeOf(row).scope);

/** What everybody has to keep to is everybody's to know; who has what key, an operator's rule does not tell. */
const isShown = (caller: Caller, {scope, tenant}: {scope: string; tenant?: string}): boolean => mayReach(caller, tenant ?? tenantOf(scope));

/** A page of the rules that the caller may know of: `limit` rows are looked at, and the first page has those of the config too. */
export const listed = ({after, limit}: Page, {config, kv}: Lent, caller: Caller): Json => {
	const rows = kv.list('', {limit, ...(after !== undefined && {after: rowAfter(after)})});
	const written = rows
		.filter(({key}) => key !== 'version')
		.map(({key, value}) => ({...placeOf(key), rule: ruleOf(value as Rule | string[])}));
	const isOverridden = (scope: string) => kv.get(operatorRow(scope)) !== undefined;
	const configured = after === undefined ? Object.entries(config.allow).filter(([scope]) => !isOverridden(scope)) : [];
	const grants = [
		...configured.map(([scope, rule]) => ({scope, ...ruleOf(rule), from: 'config'})),
		...written.map(({scope, tenant, rule}) =>
			tenant === undefined ? {scope, ...rule, from: 'action'} : {scope, tenant, ...rule, from: 'tenant'},
		),
	].filter(place => isShown(caller, place));
	const last = rows.length === limit ? rows.at(-1) : undefined;
	return {grants, ...(last && last.key !== 'version' && {next: cursorOf(last.key)})} as Json;
};
