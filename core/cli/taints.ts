import type {Command} from 'commander';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {table} from './table.ts';

type Shown = {
	place: string;
	name: string;
	tenant: string;
	principal: string;
	key?: string;
	session?: string;
	until: string;
	exchange: string;
};

const lineOf = ({place, name, tenant, principal, key, session, until, exchange}: Shown): string[] => [
	place,
	name,
	`${tenant} ${key ?? principal}`,
	session ?? 'the whole key',
	until,
	exchange,
];

/** `sallyport taints …`: what a running gateway holds for tainted, and ending that. */
export const taints = (program: Command): void => {
	const group = program.command('taints').description('sessions and keys that guards have tainted, at a running gateway');

	withAdmin(group.command('list').description('what is tainted now, since which exchange, and until when'))
		.option('--json', 'print JSON')
		.action(async ({json, ...options}: AdminOptions & {json?: true}) => {
			const answer = (await adminCall(options, 'GET', '/admin/taints')) as {taints: Shown[]; leftOut?: number};
			if (json) return console.log(JSON.stringify(answer, null, 2));
			if (answer.taints.length === 0) return console.log('Nothing.');
			const head = ['place', 'taint', 'of whom', 'session', 'until', 'exchange'];
			console.log(
				table(
					[head, ...answer.taints.map(lineOf)],
					head.map(() => false),
				),
			);
			if (answer.leftOut !== undefined) console.log(`\nAnd ${answer.leftOut} older ones.`);
		});

	withAdmin(group.command('lift').description('end the taints of a place, before their time'))
		.argument('<place>', 'as list shows it')
		.option('--taint <name>', 'this one alone')
		.action(async (place: string, {taint, ...options}: AdminOptions & {taint?: string}) => {
			const {lifted} = (await adminCall(options, 'POST', '/admin/taints/lift', {place, ...(taint !== undefined && {name: taint})})) as {
				lifted: Shown[];
			};
			console.log(`Lifted: ${lifted.map(({name}) => name).join(', ')}.`);
		});
};
