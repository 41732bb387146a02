import {hash} from 'node:crypto';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Caller, HttpRequest} from '../../plugin-sdk/index.ts';
import {type Given, startPlugin} from '../../plugin-sdk/testing.ts';

export type Arguments = Record<string, string | number | boolean | string[]>;
export type Verdict = Given & {approval: {id: string}; put?: Record<string, unknown>; claim?: {name: string}; patch: {arguments: unknown}};

/** Whose call it is where a test does not say. */
export const ada = {id: 'vk:1', tenant: 'acme', team: 'search', user: 'ada', key: 'key_1', tags: [] as string[], accounts: []};
export const webhookSecret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
export const pay = {name: 'pay', tools: ['bank/pay*']};

/** The plugin in its sandbox, on a clock that stands still, and calls of a bank’s tools by `ada` unless another principal is said. */
export const startApprovals = async (t: ExecutionContext, rules: object[] = [pay], config: object = {}) => {
	const clock = {now: 1_700_000_000_000};
	const requests: HttpRequest[] = [];
	const plugin = await startPlugin(join(import.meta.dirname, '../../plugins/approvals'), {
		config: {rules, ...config},
		secrets: {webhook: webhookSecret},
		now: () => clock.now,
		async http(request) {
			requests.push(request);
			return {status: 204, headers: {}, body: ''};
		},
	});
	t.teardown(plugin.close);
	/** Asks, and carries out what the verdict asks for. */
	const call = async (args: Arguments = {amount: 5}, {tool = 'pay', source = 'mcp' as 'mcp' | 'model', ...more} = {}): Promise<Verdict> => {
		const asked = {
			server: 'bank',
			name: tool,
			arguments: args,
			argumentsDigest: hash('sha256', JSON.stringify(args)),
			definitionDigest: 'of pay',
		};
		const said = (await plugin.ask('on-tool-call', {principal: ada, tool: asked, tags: [], source, ...more})) as Verdict | undefined;
		if (said?.put) await plugin.put(said.put);
		return said ?? ({verdict: 'allow'} as Verdict);
	};
	const decide = (id: string, words: object = {decision: 'approve'}, caller: string | Caller = 'olga') =>
		plugin.act('decide', {id, ...words}, caller) as Promise<{state: string}>;
	const asked = async (...given: Parameters<typeof call>) => (await call(...given)).approval.id;
	return {plugin, call, asked, decide, clock, requests, act: plugin.act};
};
