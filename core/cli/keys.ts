import type {Command} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {whole} from './written.ts';

const fields = {
	name: 'what people call it',
	tenant: 'whose it is: the tenant',
	team: 'the team within the tenant',
	user: 'the user within the tenant',
	'expires-at': 'when it ends, like 2027-01-31T00:00:00Z',
	'ttl-seconds': 'how long it works, in seconds',
	tags: 'its tags, with commas between them',
	after: "the page after this one: the last page's next",
	limit: 'the most keys of a page',
	'grace-seconds': 'how long the old secret still works',
	at: 'when it ends, like 2027-01-31T00:00:00Z; never takes the end away',
} as const;
type Field = keyof typeof fields;

type Verb = {description: string; takesId?: true; options: readonly Field[]};

const verbs: Record<string, Verb> = {
	create: {
		description: 'make a virtual key and show it, once',
		options: ['name', 'tenant', 'team', 'user', 'expires-at', 'ttl-seconds', 'tags'],
	},
	list: {description: 'list keys, without their secrets', options: ['tenant', 'team', 'user', 'after', 'limit']},
	get: {description: 'show one key, without its secret', takesId: true, options: []},
	rotate: {description: 'give a key a new secret and show it, once', takesId: true, options: ['grace-seconds']},
	block: {description: 'refuse a key until it is unblocked', takesId: true, options: []},
	unblock: {description: 'let a blocked key in again', takesId: true, options: []},
	revoke: {description: 'end a key for good', takesId: true, options: []},
	expire: {description: 'set when a key ends, now unless --at says so', takesId: true, options: ['at']},
};

const parsers: Partial<Record<Field, (written: string) => unknown>> = {
	'ttl-seconds': whole({most: 999_999_999_999, of: 'seconds'}),
	limit: whole(),
	'grace-seconds': whole({most: 999_999_999_999, of: 'seconds'}),
	tags: written => written.split(',').map(tag => tag.trim()),
};

/** The id stands behind the verb or after --id; what else was said are the action's fields. */
const inputOf = (verb: string, {takesId}: Verb, named: string | undefined, {id = named, ...said}: Record<string, unknown>) => {
	if (!takesId) return said;
	if (typeof id !== 'string') throw new Error(`Which key? Write sallyport keys ${verb} key_…; sallyport keys list shows their ids.`);
	if (verb !== 'expire') return {id, ...said};
	return {id, at: said.at === 'never' ? null : (said.at ?? new Date().toISOString())};
};

/** `sallyport keys …`: the actions of the plugin virtual-keys on a running gateway. */
export const keys = (program: Command): void => {
	const group = program.command('keys').description('virtual keys of a running gateway');
	for (const [name, verb] of Object.entries(verbs)) {
		const command = withAdmin(group.command(name).description(verb.description));
		if (verb.takesId) command.argument('[id]', 'the id of the key, key_…; never the key itself').option('--id <id>', 'the same');
		for (const field of verb.options) {
			const parse = parsers[field];
			if (parse) command.option(`--${field} <value>`, fields[field], parse);
			else command.option(`--${field} <value>`, fields[field]);
		}
		command.action(async () => {
			const {url, adminKey, ...said} = command.opts<AdminOptions & Record<string, unknown>>();
			const input = inputOf(name, verb, command.args[0], said);
			console.log(JSON.stringify(await adminCall({url, adminKey}, 'POST', `/admin/plugins/virtual-keys/actions/${name}`, input), null, 2));
		});
	}
};
