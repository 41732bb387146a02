import {type Caller, type Host, type Json, openTurns, refuse} from '../../plugin-sdk/index.ts';
import {isOfTenant, operatorRow, operatorRule, tenantRow, tenantRule} from './rights.ts';
import type {Config, Rule} from './rules.ts';

type Lent = Pick<Host<Config>, 'config' | 'kv' | 'random'>;

const inTurn = openTurns();

/** The row that is the caller's to write: an operator's, or its tenant's own, which can only narrow. Throws `denied`. */
const rowOf = (scope: string, {tenant}: Caller): string => {
	if (tenant === undefined) return operatorRow(scope);
	if (isOfTenant(scope, tenant)) return tenantRow(tenant, scope);
	throw refuse('denied', `This admin is for the tenant ${tenant} alone.`);
};

/** The new `version` makes every process read the rules again. */
const write = async (row: string, rule: Rule | null, {kv, random}: Lent): Promise<void> => {
	const {error} = await kv.put({[row]: rule as Json, version: random.uuid()});
	if (error) throw refuse('store_unavailable', 'The grant could not be written; nothing has changed.');
};

/** What counts of a scope in the layer that the caller writes to. */
export const present = (scope: string, lent: Lent, {tenant}: Caller): Rule | undefined =>
	(tenant === undefined ? operatorRule(scope, lent) : tenantRule(tenant, scope, lent))?.rule;

/** Puts `change` over the rule of a scope; `null` takes an aspect out of it. Answers the rule. */
export const amend = (scope: string, change: {[Aspect in keyof Rule]?: Rule[Aspect] | null}, lent: Lent, caller: Caller): Promise<Rule> =>
	inTurn(async () => {
		const row = rowOf(scope, caller);
		const entries = Object.entries({...present(scope, lent, caller), ...change}).filter(
			([, value]) => value !== null && value !== undefined,
		);
		const rule = Object.fromEntries(entries) as Rule;
		await write(row, rule, lent);
		return rule;
	});

/** Puts `rule` in the place of what was said of a scope; `null` forgets it. */
export const replace = (scope: string, rule: Rule | null, lent: Lent, caller: Caller): Promise<void> =>
	inTurn(async () => write(rowOf(scope, caller), rule, lent));
