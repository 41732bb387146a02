import {type Command, Option} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {whole} from './written.ts';

const print = (answer: unknown): void => console.log(JSON.stringify(answer, null, 2));

/** `sallyport admins …`: who may use the admin API of a running gateway. */
export const admins = (program: Command): void => {
	const group = program.command('admins').description('who may use the admin API of a running gateway');

	withAdmin(group.command('list').description('list admins, without their keys')).action(async (options: AdminOptions) =>
		print(await adminCall(options, 'GET', '/admin/admins')),
	);

	withAdmin(group.command('create').description('make an admin and show its key, once'))
		.requiredOption('--name <name>', 'what people call it')
		.addOption(
			new Option('--role <role>', 'owner: all; admin: all of its tenant; auditor: reads; approver: reads and approves')
				.choices(['owner', 'admin', 'auditor', 'approver'])
				.makeOptionMandatory(),
		)
		.option('--tenant <name>', 'the one tenant that it reaches')
		.option('--expires-at <moment>', 'when it ends, like 2027-01-31T00:00:00Z')
		.option('--ttl-seconds <seconds>', 'how long it works, in seconds', whole({most: 999_999_999_999, of: 'seconds'}))
		.action(async ({url, adminKey, ...input}: AdminOptions & Record<string, unknown>) =>
			print(await adminCall({url, adminKey}, 'POST', '/admin/admins', input)),
		);

	for (const [change, description] of [
		['block', 'refuse an admin until it is unblocked'],
		['unblock', 'let a blocked admin in again'],
		['revoke', 'end an admin for good'],
	] as const) {
		withAdmin(group.command(change).description(description))
			.argument('<id>', 'the id of the admin, admin_…; never its key')
			.action(async (id: string, options: AdminOptions) =>
				print(await adminCall(options, 'POST', `/admin/admins/${encodeURIComponent(id)}/${change}`, {})),
			);
	}
};
