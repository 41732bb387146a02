import * as z from 'zod';

/**
 * As the ledger takes them, `*` for each account that is not named, and either of them for some models, servers or tools alone:
 * `key:key_1/model:gpt-*`, `team:acme/search/tool:github/*`.
 */
export const scope = z
	.string()
	.min(1)
	.max(200)
	.regex(/^[^\p{Cc}]+$/u, 'an account has no control characters')
	.regex(
		/^(?!\/(?:model|server|tool):)((?!\/(?:model|server|tool):).)+(\/(model|server|tool):[^*\s]{0,89}\*?)?$/u,
		"a model, a server or a tool, like fast, 'openai/gpt-*' or 'github/search', may have a star at its end",
	)
	.refine(
		name => isHolder(partsOf(name).holder),
		"an account is '*', tenant:acme, team:acme/search, user:acme/ada, key:key_…, server:files, tool:files/read_file or a kind of your own, like org:acme",
	);

const ownKinds = ['tenant', 'team', 'user', 'key', 'server', 'tool'];
const ownForm = /^(\*|tenant:[^/]+|(team|user):[^/]+\/.+|key:[^/]+|server:[^/]+|tool:[^/]+\/.+)$/;

/** Whether one letter too many, too few, wrong, or swapped with its neighbour, makes one of the other. */
const isSlipOf = (word: string, other: string): boolean => {
	let same = 0;
	while (same < word.length && word[same] === other[same]) same += 1;
	const [a, b] = [word.slice(same), other.slice(same)];
	const isSwapped = a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2);
	return a.slice(1) === b.slice(1) || a === b.slice(1) || a.slice(1) === b || isSwapped;
};

/** Plugins may know accounts of other kinds; one that only looks like one of ours would limit nobody. */
const isHolder = (holder: string): boolean => {
	if (ownForm.test(holder)) return true;
	const [, kind] = /^([\w.-]+):./.exec(holder) ?? [];
	return kind !== undefined && !ownKinds.some(own => isSlipOf(kind.toLowerCase(), own));
};

/** One account, with or without what it is for. */
export const account = scope.refine(name => !name.startsWith('*'), 'name one account');

/** What a limit can be for alone; each begins its patterns: `model:gpt-*`. */
export const kinds = ['model', 'server', 'tool'] as const;

const marker = /(?<=.)\/(?=(?:model|server|tool):)/s;

/** `key:key_1` and `model:gpt-*` of `key:key_1/model:gpt-*`. */
export const partsOf = (scope: string): {holder: string; pattern?: string} => {
	const at = scope.search(marker);
	return at < 0 ? {holder: scope} : {holder: scope.slice(0, at), pattern: scope.slice(at + 1)};
};

export const withPattern = (holder: string, pattern: string): string => `${holder}/${pattern}`;

/** A model that is asked for, with the deployments (`provider/model`) that may come to serve it; or an MCP server, and one of its tools. */
export type Subject = {model: string; deployments: readonly string[]} | {server: string; tool?: string | undefined};

const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** A pattern of models with a slash is about deployments, one of which may come to serve the call; any other is about what the client asks for. */
export const isAbout = (pattern: string, subject: Subject): boolean => {
	const colon = pattern.indexOf(':');
	const [kind, name] = [pattern.slice(0, colon), pattern.slice(colon + 1)];
	if ('model' in subject) {
		if (kind !== 'model') return false;
		return name.includes('/') ? subject.deployments.some(deployment => fits(name, deployment)) : fits(name, subject.model);
	}
	const {server, tool} = subject;
	if (kind === 'server') return fits(name, server);
	return kind === 'tool' && tool !== undefined && fits(name, `${server}/${tool}`);
};

/** The accounts that everybody's calls of a server and of a tool of it pay from, beside those of whoever calls; of a model there are none. */
export const sharedBy = (subject: Subject): string[] => {
	if ('model' in subject) return [];
	const {server, tool} = subject;
	return [`server:${server}`, ...(tool === undefined ? [] : [`tool:${server}/${tool}`])];
};

/** Whether an account is everybody's: what is said of `*` is not said of it. */
export const isShared = (account: string): boolean => /^(server|tool):/.test(account);

const isTimeZone = (name: string): boolean => {
	try {
		return new Intl.DateTimeFormat('en', {timeZone: name}) !== undefined;
	} catch {
		return false;
	}
};

export const timeZone = z.string().max(60).refine(isTimeZone, 'an IANA time zone, like Europe/Berlin');

/** Shares of a limit, in percent, that are told when they are reached. */
export const notifyAt = z.array(z.int().min(1).max(1_000)).max(10);

/** Milliseconds since 1970 of an ISO 8601 moment. */
export const moment = z.iso.datetime({offset: true});
