import {type Command, InvalidArgumentError, Option} from 'commander';
import {exactly} from '../llm/exact.ts';
import {type AdminOptions, adminCall, withAdmin} from './admin-client.ts';
import {table} from './table.ts';
import {whole} from './written.ts';

type Call = {
	source: string;
	tenant: string;
	user?: string;
	key?: string;
	principal: string;
	server?: string;
	tool?: string;
	model?: string;
};
type Shown = {id: string; rule: string; state: string; call: Call; askedAt: string};
type Page = {approvals: Shown[]; next?: string};

const plugin = 'approvals';

const act = (options: AdminOptions, action: string, input: unknown, as: string): Promise<unknown> =>
	adminCall(options, 'POST', `/admin/plugins/${encodeURIComponent(as)}/actions/${action}`, input);

/** All of a state, page by page: looking through a long book takes a gateway more than one. */
const listed = async (options: AdminOptions, state: string, as: string): Promise<Shown[]> => {
	const all: Shown[] = [];
	let after: string | undefined;
	do {
		const page = (await act(options, 'list', {...(state !== 'all' && {state}), limit: 1_000, after}, as)) as Page;
		all.push(...page.approvals);
		after = page.next;
	} while (after !== undefined);
	return all;
};

/** What a client wrote must not steer the terminal of whoever decides, nor be there without being seen. */
const visible = (text: string): string =>
	text.replace(/[^\P{C}\n]|\p{Zl}|\p{Zp}/gu, hidden => `\\u{${hidden.codePointAt(0)!.toString(16)}}`);

const print = (value: unknown): void => console.log(visible(JSON.stringify(value, null, 2)));

const whatOf = ({source, server, tool, model}: Call): string => {
	if (source === 'request') return `model ${model}`;
	return source === 'model' ? `${tool} (asked for by a model)` : `${server}/${tool}`;
};

const lineOf = ({id, state, rule, call, askedAt}: Shown): string[] =>
	[id, state, whatOf(call), [call.tenant, call.user, call.key ?? call.principal].filter(Boolean).join(' '), rule, askedAt].map(cell =>
		visible(cell).replaceAll('\n', ' ').slice(0, 200),
	);

const argumentsOf = (written: string): unknown => {
	try {
		return exactly(written);
	} catch (error) {
		throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}`);
	}
};

type Options = AdminOptions & {plugin: string};

/** `sallyport approvals …`: what waits for somebody's decision at a running gateway, and deciding it. */
export const approvals = (program: Command): void => {
	const group = program.command(plugin).description('calls that wait for an approval, at a running gateway');
	const verb = (name: string, description: string): Command =>
		withAdmin(group.command(name).description(description)).option('--plugin <name>', 'its name in the config', plugin);
	const ofOne = (name: string, description: string): Command =>
		verb(name, description).argument('<id>', 'apr_…, as list shows it and as the client was told');

	const decide = async (options: Options, id: string, words: object): Promise<void> =>
		print(await act(options, 'decide', {id, ...words}, options.plugin));

	verb('list', 'what waits; with --state also what was decided')
		.addOption(
			new Option('--state <state>', 'only those').choices(['pending', 'approved', 'refused', 'used', 'expired', 'all']).default('pending'),
		)
		.option('--json', 'print JSON')
		.action(async ({state, json, ...options}: Options & {state: string; json?: true}) => {
			const approvals = await listed(options, state, options.plugin);
			if (json) return print({approvals});
			if (approvals.length === 0) return console.log('Nothing.');
			const head = ['id', 'state', 'what', 'of whom', 'rule', 'asked at'];
			console.log(
				table(
					[head, ...approvals.map(lineOf)],
					head.map(() => false),
				),
			);
		});

	ofOne('show', 'one of them, with what the tool is to be called with').action(async (id: string, options: Options) =>
		print(await act(options, 'show', {id}, options.plugin)),
	);

	ofOne('approve', 'let the call run: once, or for some time')
		.option('--minutes <count>', 'let the same call run any number of times, so long', whole({most: 9_999, of: 'minutes'}))
		.option('--any-arguments', 'with --minutes: also with other arguments')
		.action(async (id: string, {minutes, anyArguments, ...options}: Options & {minutes?: number; anyArguments?: true}) =>
			decide(options, id, {decision: 'approve', ...(minutes !== undefined && {minutes}), ...(anyArguments && {anyArguments})}),
		);

	ofOne('edit', 'let the call run once, with other arguments')
		.argument('<arguments>', 'as JSON', argumentsOf)
		.action(async (id: string, args: unknown, options: Options) => decide(options, id, {decision: 'edit', arguments: args}));

	ofOne('refuse', 'refuse the call')
		.argument('<reason>', 'the client is told')
		.action(async (id: string, reason: string, options: Options) => decide(options, id, {decision: 'refuse', reason}));
};
