import type {Host, Json} from '../../plugin-sdk/index.ts';
import {isAbout, isShared, kinds, partsOf, type Subject, sharedBy, withPattern} from './names.ts';

/** What one limit says, in whole units of the ledger; `null` counts and never refuses. */
export type Rule = {
	limit: number | null;
	/** Told, and never refused. */
	soft?: true;
	notifyAt?: readonly number[];
	timeZone?: string;
};

/** The shares of a limit that are told; whoever does not refuse at the limit tells of it. */
export const toldAt = ({limit, soft, notifyAt = []}: Rule): number[] | undefined => {
	if (limit === null) return undefined;
	if (soft && !notifyAt.includes(100)) return [...notifyAt, 100];
	return notifyAt.length > 0 ? [...notifyAt] : undefined;
};

/** Rules by their name: `month`, `tokens/day`. */
export type Rules<R extends Rule> = ReadonlyMap<string, R>;

export type Lent<Config> = Pick<Host<Config>, 'config' | 'kv' | 'clock'>;

/** Whom limits are asked for: the accounts that pay, and what they pay for. */
export type Paying = {tenant?: string | undefined; accounts: readonly string[]} & Subject;

/** One limit that a call has to keep to. */
export type Standing<R extends Rule> = {account: string; name: string; rule: R};

type Options<R extends Rule, Config> = {
	/** What the config says, by scope and name. */
	configured: (config: Config) => Record<string, Record<string, R>>;
	/** What an action stored. */
	read: (row: Json, config: Config) => R;
	/** A row of the release before, under `limit:<scope>` alone, and the name that it now has. */
	former?: (row: Json, config: Config) => {name: string; rule: R};
};

/** What the rows that actions write begin with; the name of a limit comes behind, and has no blank. */
export const rowsOf = {
	operator: (scope: string): string => `limit:${scope} `,
	/** Of a tenant's own admins: met by principals of that tenant alone. */
	tenant: (tenant: string, scope: string): string => `own:${tenant}:${scope} `,
	/** Temporary increases: behind the name stands an id of its own. */
	raise: (scope: string): string => `raise:${scope} `,
	operators: 'limit:',
	/** That some scope names this pattern. */
	pattern: (pattern: string): string => pattern,
	/** As the release before wrote it. */
	former: (scope: string): string => `limit:${scope}`,
};

/** Stands for every name of a scope. */
export const everyName = '*';

const kept = 10_000;
/** As many as a verdict has room for. */
const most = 32;

/** The narrower of two; a tenant's own admins can take away, and grant nothing. */
const narrower = <R extends Rule>(rule: R | undefined, own: R): R | undefined => {
	if (own.limit === null) return rule;
	if (rule === undefined || rule.limit === null) return own;
	if (rule.limit <= own.limit && rule.soft === undefined) return rule;
	const {soft: _, ...hard} = rule;
	return {...hard, limit: rule.soft === undefined ? Math.min(rule.limit, own.limit) : own.limit} as R;
};

/** The limits in force: an action's word before the config's, a word about the account before one about `*`, and read again when something was written. */
export const openBook = <R extends Rule, Config>({configured, read, former}: Options<R, Config>) => {
	const memory = {
		version: undefined as Json | undefined,
		/** When the first of the temporary increases that were read ends. */
		until: Number.POSITIVE_INFINITY,
		config: undefined as Record<string, Record<string, R>> | undefined,
		patterns: undefined as readonly string[] | undefined,
		shared: undefined as ReadonlySet<string> | undefined,
		isRaised: undefined as boolean | undefined,
		rules: new Map<string, Rules<R>>(),
		standing: new Map<string, readonly Standing<R>[]>(),
	};

	const forget = (): void => {
		memory.until = Number.POSITIVE_INFINITY;
		memory.patterns = undefined;
		memory.shared = undefined;
		memory.isRaised = undefined;
		memory.rules.clear();
		memory.standing.clear();
	};

	const configOf = ({config}: Lent<Config>): Record<string, Record<string, R>> => {
		memory.config ??= configured(config);
		return memory.config;
	};

	/** By name; `everyName` too. */
	const written = (prefix: string, {kv, config}: Lent<Config>): Map<string, R> => {
		const rows = new Map<string, R>();
		for (const {key, value} of kv.list(prefix)) {
			const name = key.slice(prefix.length);
			// A scope may have a blank, and begin like this one.
			if (!name.includes(' ')) rows.set(name, read(value, config));
		}
		return rows;
	};

	const formerOf = (scope: string, {kv, config}: Lent<Config>): {name: string; rule: R} | undefined => {
		const row = former && kv.get(rowsOf.former(scope));
		return former && row !== undefined ? former(row, config) : undefined;
	};

	const operatorRows = (scope: string, lent: Lent<Config>): Map<string, R> => {
		const rows = written(rowsOf.operator(scope), lent);
		const old = formerOf(scope, lent);
		if (old && !rows.has(old.name)) rows.set(old.name, old.rule);
		return rows;
	};

	/** What operators say of a scope. */
	const words = (scope: string, lent: Lent<Config>): Map<string, R> => {
		const config = configOf(lent);
		const rows = operatorRows(scope, lent);
		const all = rows.get(everyName);
		const known = new Map(Object.hasOwn(config, scope) ? Object.entries(config[scope]!) : []);
		if (all) for (const name of known.keys()) known.set(name, all);
		for (const [name, rule] of rows) known.set(name, rule);
		return known;
	};

	const raisesOf = (scope: string, {kv, clock}: Lent<Config>): {name: string; by: number}[] => {
		memory.isRaised ??= kv.list('raise:', {limit: 1}).length > 0;
		if (!memory.isRaised) return [];
		const prefix = rowsOf.raise(scope);
		const now = clock.now();
		return kv.list(prefix).flatMap(({key, value}) => {
			const [name = '', id, ...rest] = key.slice(prefix.length).split(' ');
			// `raise` is the only one that writes these.
			const {by, until} = value as {by: number; until: number};
			if (id === undefined || rest.length > 0 || until <= now) return [];
			memory.until = Math.min(memory.until, until);
			return [{name, by}];
		});
	};

	/** What counts of a scope by itself, without `*`: also what is temporary, and what the tenant's own admins say. */
	const named = (scope: string, tenant: string | undefined, lent: Lent<Config>, base: Map<string, R> = words(scope, lent)): Rules<R> => {
		const rules = new Map(base);
		const raises = raisesOf(scope, lent);
		for (const [name, rule] of rules) {
			const by = raises.reduce((sum, raise) => (raise.name === name || raise.name === everyName ? sum + raise.by : sum), 0);
			if (by > 0 && rule.limit !== null) rules.set(name, {...rule, limit: rule.limit + by});
		}
		if (tenant !== undefined) {
			for (const [name, own] of written(rowsOf.tenant(tenant, scope), lent)) {
				const rule = narrower(rules.get(name), own);
				if (rule) rules.set(name, rule);
			}
		}
		rules.delete(everyName);
		return rules;
	};

	/** The same with what is said of `*`, where the scope has no word of its own. */
	const rulesOf = (scope: string, tenant: string | undefined, lent: Lent<Config>): Rules<R> => {
		const memoryName = `${tenant}\n${scope}`;
		const known = memory.rules.get(memoryName);
		if (known) return known;
		const {holder, pattern} = partsOf(scope);
		const own = words(scope, lent);
		const everyone = pattern === undefined ? '*' : withPattern('*', pattern);
		const all = isShared(holder) ? new Map<string, R>() : words(everyone, lent);
		const every = own.get(everyName);
		const base = new Map([...all].map(([name, rule]) => [name, every ?? rule]));
		for (const [name, rule] of own) base.set(name, rule);
		const rules = named(scope, tenant, lent, base);
		if (memory.rules.size >= kept) memory.rules.clear();
		memory.rules.set(memoryName, rules);
		return rules;
	};

	const patternsOf = (lent: Lent<Config>): readonly string[] => {
		if (memory.patterns) return memory.patterns;
		const configs = Object.keys(configOf(lent)).flatMap(scope => partsOf(scope).pattern ?? []);
		const stored = kinds.flatMap(kind => lent.kv.list(`${kind}:`).map(({key}) => key));
		memory.patterns = [...new Set([...configs, ...stored])];
		return memory.patterns;
	};

	/** The accounts of servers and tools that anything is said of. */
	const sharedOf = (lent: Lent<Config>): ReadonlySet<string> => {
		if (memory.shared) return memory.shared;
		const rows = ['server:', 'tool:'].flatMap(kind => lent.kv.list(rowsOf.operators + kind));
		const stored = rows.map(({key}) => key.slice(rowsOf.operators.length, key.lastIndexOf(' ')));
		memory.shared = new Set([...Object.keys(configOf(lent)), ...stored].map(scope => partsOf(scope).holder).filter(isShared));
		return memory.shared;
	};

	/** What this call is, by all that limits say: names that clients make up are not remembered. */
	const callOf = (subject: Subject, lent: Lent<Config>): {name: string; matching: () => string[]; shared: string[]} => {
		const patterns = patternsOf(lent);
		const matching = () => patterns.filter(pattern => isAbout(pattern, subject));
		if ('model' in subject) {
			const name = patterns.length === 0 ? '' : `\n\n${subject.model}\n${subject.deployments.join('\n')}`;
			return {name, matching, shared: []};
		}
		const known = sharedOf(lent);
		const shared = sharedBy(subject).filter(account => known.has(account));
		const found = matching();
		return {name: `\n\n\n${shared.join('\n')}\n\n${found.join('\n')}`, matching: () => found, shared};
	};

	/** To be called before anything is asked: what was written since, or has ended, is read again. Answers whether anything may have changed. */
	const refresh = ({kv, clock}: Pick<Lent<Config>, 'kv' | 'clock'>): boolean => {
		const version = kv.get('version');
		if (version === memory.version && (memory.until === Number.POSITIVE_INFINITY || clock.now() < memory.until)) return false;
		memory.version = version;
		forget();
		return true;
	};

	return {
		/** Every limit of the config. */
		configured: (config: Config): {scope: string; name: string; rule: R}[] =>
			Object.entries(configured(config)).flatMap(([scope, rules]) => Object.entries(rules).map(([name, rule]) => ({scope, name, rule}))),
		refresh,
		named,
		rulesOf,
		/** Every limit that this call has to keep to. */
		standing({tenant, accounts, ...subject}: Paying, lent: Lent<Config>): readonly Standing<R>[] {
			refresh(lent);
			const {name: about, matching, shared} = callOf(subject, lent);
			const memoryName = `${tenant}\n${accounts.join('\n')}${about}`;
			const known = memory.standing.get(memoryName);
			if (known) return known;
			const found = matching();
			const scopes = [...accounts, ...shared].flatMap(account => [account, ...found.map(pattern => withPattern(account, pattern))]);
			const standing = scopes.flatMap(account => [...rulesOf(account, tenant, lent)].map(([name, rule]) => ({account, name, rule})));
			if (standing.length > most) throw new Error(`${standing.length} limits apply to one call; ${most} are the most`);
			if (memory.standing.size >= kept) memory.standing.clear();
			memory.standing.set(memoryName, standing);
			return standing;
		},
		/** The name of a limit that the release before wrote. */
		formerName: (scope: string, lent: Lent<Config>): string | undefined => formerOf(scope, lent)?.name,
	};
};

export type Book<R extends Rule, Config> = ReturnType<typeof openBook<R, Config>>;
