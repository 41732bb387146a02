import type {Command} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';

const verbs = {
	create: {description: 'make a virtual key and show it, once', fields: ['name', 'tenant', 'team', 'user', 'expiresAt', 'ttlSeconds', 'tags']},
	list: {description: 'list keys', fields: ['tenant', 'team', 'user', 'after', 'limit']},
	get: {description: 'show one key', fields: ['id']},
	rotate: {description: 'give a key a new secret; the old one works for the grace period', fields: ['id', 'graceSeconds']},
	block: {description: 'refuse a key for now', fields: ['id']},
	unblock: {description: 'take a key back', fields: ['id']},
	revoke: {description: 'end a key for good', fields: ['id']},
	expire: {description: 'set when a key ends', fields: ['id', 'at']},
} as const;

const numbers = new Set(['ttlSeconds', 'limit', 'graceSeconds']);
const dashed = (field: string): string => field.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);

const inputOf = (fields: readonly string[], options: Record<string, string>): Record<string, unknown> =>
	Object.fromEntries(
		fields
			.filter(field => options[field] !== undefined)
			.map(field => {
				const value = options[field]!;
				if (field === 'tags') return [field, value.split(',')];
				return [field, numbers.has(field) ? Number(value) : value];
			}),
	);

/** `sallyport keys …`: the actions of the plugin virtual-keys on a running gateway. */
export const keys = (program: Command): void => {
	const group = program.command('keys').description('virtual keys of a running gateway');
	for (const [verb, {description, fields}] of Object.entries(verbs)) {
		const command = withAdmin(group.command(verb).description(description));
		for (const field of fields) command.option(`--${dashed(field)} <${field}>`);
		command.action(async (options: AdminOptions & Record<string, string>) => {
			console.log(JSON.stringify(await adminCall(options, 'POST', `/admin/plugins/virtual-keys/actions/${verb}`, inputOf(fields, options)), null, 2));
		});
	}
};
