import type {Scope} from '../schemas/config.ts';
import type {HookName} from '../schemas/hooks.ts';
import type {Exchange} from './exchange.ts';
import type {Fields} from './hooks.ts';

const listOf = (names: string | string[]): string[] => (typeof names === 'string' ? [names] : names);
const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** `write_file` and `files/write_file`; undefined where the tool is not known yet, and anything may come. */
const toolOf = (fields: Fields | undefined): {server?: string; tool?: string[]} | undefined => {
	if (!fields) return undefined;
	const [server, tool] = [fields('tool.server'), fields('tool.name')];
	if (typeof tool !== 'string') return {};
	return typeof server === 'string' ? {server, tool: [tool, `${server}/${tool}`]} : {tool: [tool]};
};

/** The key itself, and those that it was minted from: what is for a key is for its children too. */
export const keysOf = (principal: Exchange['principal']): string[] | undefined => {
	if (principal?.key === undefined) return undefined;
	const paying = principal.accounts.filter(account => account.startsWith('key:')).map(account => account.slice('key:'.length));
	return [...paying, principal.key];
};

/**
 * Whether an exchange is in scope. At pre-auth only the surface is known, so only that can keep a plugin out; a tool is only
 * known at on-tool-call.
 */
export const inScope = (
	when: Scope,
	{surface, operation, model, principal, tags, server, tool}: Exchange,
	hook: HookName,
	fields: Fields | undefined,
): boolean => {
	const called = hook === 'on-tool-call' && (when.tool || when.server) ? toolOf(fields) : {};
	const known: Record<keyof Scope, string | readonly string[] | undefined> = {
		surface,
		operation,
		model,
		tenant: principal?.tenant,
		team: principal?.team,
		key: when.key === undefined ? undefined : keysOf(principal),
		tag: tags,
		server: called?.server ?? server,
		tool: called?.tool ?? (tool === undefined ? undefined : [tool, `${server}/${tool}`]),
	};
	for (const [key, patterns] of Object.entries(when) as [keyof Scope, string | string[]][]) {
		if (hook === 'pre-auth' && key !== 'surface') continue;
		if (!called && (key === 'tool' || key === 'server')) continue;
		const names = known[key];
		const have = names === undefined ? [] : listOf(names as string | string[]);
		if (!have.some(name => listOf(patterns).some(pattern => fits(pattern, name)))) return false;
	}
	return true;
};
