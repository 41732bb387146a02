import * as z from 'zod';
import {definePlugin, deny} from '../../plugin-sdk/index.ts';

/** RFC 6749, section 3.3. */
const scope = z
	.string()
	.max(200)
	.regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope, like files:write');
const needs = z.union([scope, z.array(scope).min(1).max(20)]);
const patterns = (shape: RegExp, says: string) => z.record(z.string().max(300).regex(shape, says), needs).default({});

const listOf = (value: string | string[]): string[] => (typeof value === 'string' ? [value] : value);
const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** What the rules that fit a name ask for, and these scopes lack; with the first rule that does. */
const lacking = (rules: Readonly<Record<string, string | string[]>>, name: string, scopes: readonly string[]) => {
	const unmet = Object.entries(rules).filter(
		([pattern, asked]) => fits(pattern, name) && !listOf(asked).every(one => scopes.includes(one)),
	);
	const [first] = unmet;
	return first && {rule: first[0], scopes: [...new Set(unmet.flatMap(([, asked]) => listOf(asked)))].filter(one => !scopes.includes(one))};
};

const refusal = (found: ReturnType<typeof lacking>, what: string) =>
	found && deny({code: 'insufficient_scope', message: `This token lacks a scope that ${what} needs.`, ...found});

export default definePlugin({
	config: z.strictObject({
		/** By server; `*` at the end of a name stands for the rest. All that fit count. */
		servers: patterns(/^[a-z0-9-]*\*?$/, 'a server, like files, or *'),
		/** By `server/tool`. */
		tools: patterns(/^[a-z0-9-]+\/.+$/, 'a tool, like files/write_file or files/write_*'),
	}),

	hooks: {
		/** Refuses a server whose scopes the token lacks. A credential that knows no scopes, a virtual key, is left to other plugins. */
		'pre-request': ({principal: {scopes}, server}, {config}) =>
			scopes === undefined || server === undefined ? undefined : refusal(lacking(config.servers, server, scopes), 'this server'),

		/** The same for a tool. */
		'on-tool-call': ({principal: {scopes}, tool: {server, name}}, {config}) =>
			scopes === undefined || server === undefined ? undefined : refusal(lacking(config.tools, `${server}/${name}`, scopes), 'this tool'),
	},
});
