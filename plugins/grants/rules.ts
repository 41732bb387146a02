import * as z from 'zod';
import type {Host} from '../../plugin-sdk/index.ts';

const name = '[A-Za-z0-9][\\w.-]*';

export const scope = z
	.string()
	.max(300)
	.regex(
		new RegExp(`^(\\*|tenant:${name}|(team|user):${name}/[A-Za-z0-9][\\w.@+-]*|key:[\\w-]+)$`),
		"a scope is '*', tenant:acme, team:acme/search, user:acme/ada or key:key_…",
	);

export const pattern = z
	.string()
	.max(300)
	.regex(/^[^*\s]*\*?$/, "a model, with '*' for anything at its end alone: fast, openai/gpt-*, *")
	.min(1);

export const models = z.array(pattern).max(500);

export const config = z.strictObject({allow: z.record(scope, models).default({})});

type Lent = Pick<Host<z.output<typeof config>>, 'config' | 'kv'>;

/** Whom a rule can be about. */
export type Asking = {tenant: string; team?: string; user?: string; key?: string};

export type Rule = {scope: string; models: readonly string[]};

const kept = 10_000;

/** What was read of the rules: good for as long as kv's `version` stays what it was. `null`: there is no rule. */
const remembered = {version: undefined as unknown, rules: new Map<string, Rule | null>()};

const readRule = (scope: string, {config, kv}: Lent): Rule | null => {
	// `allow` is the only one that writes these.
	const written = kv.get(`allow:${scope}`) as string[] | undefined;
	const models = written ?? (Object.hasOwn(config.allow, scope) ? config.allow[scope] : undefined);
	return models === undefined ? null : {scope, models};
};

const ruleOf = (scope: string, lent: Lent): Rule | null => {
	const {rules} = remembered;
	const known = rules.get(scope);
	if (known !== undefined) return known;
	const rule = readRule(scope, lent);
	if (rules.size >= kept) rules.clear();
	rules.set(scope, rule);
	return rule;
};

/** Every rule that is about this principal, from the widest scope to the narrowest. */
export const rulesFor = ({tenant, team, user, key}: Asking, lent: Lent): Rule[] => {
	const version = lent.kv.get('version');
	if (version !== remembered.version) {
		remembered.version = version;
		remembered.rules.clear();
	}
	const rules: Rule[] = [];
	const add = (scope: string): void => {
		const rule = ruleOf(scope, lent);
		if (rule !== null) rules.push(rule);
	};
	add('*');
	add(`tenant:${tenant}`);
	if (team !== undefined) add(`team:${tenant}/${team}`);
	if (user !== undefined) add(`user:${tenant}/${user}`);
	if (key !== undefined) add(`key:${key}`);
	return rules;
};

const fits = (pattern: string, model: string): boolean =>
	pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model;

export const allows = ({models}: Rule, model: string): boolean => models.some(pattern => fits(pattern, model));

/** Every rule has to allow the model, and there has to be one. */
export const granted = (rules: readonly Rule[], model: string): boolean => rules.length > 0 && rules.every(rule => allows(rule, model));
