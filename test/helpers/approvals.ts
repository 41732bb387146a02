import type {ExecutionContext} from 'ava';
import type {StoredRecord} from '../../core/journal/journal.ts';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {startGateway, type TestGateway} from './gateway.ts';
import {type HostileUpstream, hostileUpstream} from './mcp-upstream.ts';
import {type Said, wireTo} from './mcp-wire.ts';

export type Entry = NonNullable<GatewayConfigInput['plugins']>[number];
export type Rule = Record<string, unknown>;

/** Told apart by the words in it, and changed by a test that changes what a tool is. */
export type Tools = {name: string; description?: string; inputSchema: object}[];

const object = {type: 'object'};

/** A server with the tools `pay` and `look`, which say what they were called with. */
export const payingServer = async (t: ExecutionContext) => {
	const tools: Tools = [
		{name: 'pay', description: 'Pays.', inputSchema: object},
		{name: 'look', inputSchema: object},
	];
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			const result = {content: [{type: 'text', text: `${params.name} ${JSON.stringify(params.arguments)}`}]};
			res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, result}));
		},
		(rpc: {id: number}) => ({jsonrpc: '2.0', id: rpc.id, result: {tools}}),
	);
	return {upstream, tools, calls: () => callsOf(upstream)};
};

/** What the tools were called with, in order. */
export const callsOf = ({seen}: HostileUpstream): Record<string, unknown>[] =>
	seen.filter(({rpc}) => rpc?.method === 'tools/call').map(({rpc}) => rpc!.params.arguments as Record<string, unknown>);

export type Pending = {id: string; state: string; [field: string]: unknown};

/** Resolves with the approvals that wait, when there are `count`. */
export const pendingAt = async ({act}: Pick<TestGateway, 'act'>, count = 1): Promise<Pending[]> => {
	const end = performance.now() + 10_000;
	for (;;) {
		const {approvals} = (await act('approvals', 'list', {state: 'pending'})) as {approvals: Pending[]};
		if (approvals.length === count) return approvals;
		if (performance.now() > end) throw new Error(`${approvals.length} approvals wait, and not ${count}`);
		await new Promise(resolve => setTimeout(resolve, 15));
	}
};

export const payRule: Rule = {name: 'pay', tools: ['one/pay'], reason: 'money moves', holdMs: 8_000};

/** The entry of the plugin, with one rule about `pay` unless another is given. */
export const approvals = (rules: Rule[] = [payRule], config: Record<string, unknown> = {}, grants: Entry['grants'] = {}): Entry => ({
	use: 'approvals',
	config: {rules, ...config},
	grants,
});

type Paying = {
	/** What differs from `payRule`. */
	rule?: Rule;
	/** Plugins that are asked first. */
	before?: Entry[];
	tier?: 'inline' | 'process';
	/** In the place of the plugin with that rule. */
	entry?: Entry;
	overrides?: GatewayConfigInput;
};

/** A gateway before that server, behind the plugin. */
export const startPaying = async (
	t: ExecutionContext,
	{rule = {}, before = [], tier = 'inline', entry = approvals([{...payRule, ...rule}]), overrides = {}}: Paying = {},
) => {
	const server = await payingServer(t);
	const gateway = await startGateway(t, {
		servers: {one: {url: server.upstream.url}},
		plugins: [{use: 'virtual-keys'}, ...before, {...entry, tier}],
		...overrides,
	});
	const key = await gateway.key();
	const wire = (of = key) => wireTo(`${gateway.url}/mcp/one`, of);
	return {gateway, ...server, key, wire, pay: legacyCall(wire())};
};

/** Calls `pay` in a session of its own. */
export const legacyCall =
	(wire: ReturnType<typeof wireTo>) =>
	async (args: Record<string, unknown>, name = 'pay'): Promise<Said> => {
		const session = await wire.begin();
		const rpc = {jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name, arguments: args}};
		return wire.send(rpc, {'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25'});
	};

/** Whether a result says that its call waits. */
export const isPending = ({body}: Said): boolean => JSON.stringify(body.result ?? {}).includes('Approval pending apr_');

/** The records of tool calls, in the order they ended. */
export const callRecords = async (gateway: TestGateway): Promise<StoredRecord[]> =>
	(await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
