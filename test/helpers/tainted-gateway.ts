import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {startGateway, type TestGateway} from './gateway.ts';
import {type Said, wireTo} from './mcp-wire.ts';
import {desk, taintingGuard} from './tainting-guard.ts';

const everything = {models: ['*'], servers: ['*'], tools: ['*']};
/** Grants everything to everybody, but to who is tainted. */
export const grants = (deny: object = {tools: ['desk/send'], asked: ['bash']}) => ({
	use: 'grants',
	config: {allow: {'*': {...everything, whenTainted: {by: ['injection'], deny}}}},
});

type Options = {
	folder?: string;
	url?: string;
	rules?: NonNullable<GatewayConfigInput['plugins']>;
	mode?: 'observe';
	overrides?: GatewayConfigInput;
};

/** A gateway with a guard that taints before a server with something to read and something to send. */
export const startTainting = async (t: ExecutionContext, {folder, url, rules = [grants()], mode, overrides = {}}: Options = {}) => {
	const server = url === undefined ? await desk(t) : {url, sent: []};
	const config: GatewayConfigInput = {
		servers: {desk: {url: server.url}},
		models: {fast: ['local/echo'], bash: ['local/fault-calls-bash'], claude: ['claude/fault-calls-bash']},
		plugins: [{use: 'virtual-keys'}, await taintingGuard(t, mode && {mode}), ...rules],
		...overrides,
	};
	const gateway = await startGateway(t, config, folder === undefined ? {} : {folder});
	return {gateway, ...server};
};

/** A session of a new key at the desk: calls a tool there. */
export const sessionAt = async (gateway: TestGateway) => {
	const wire = wireTo(`${gateway.url}/mcp/desk`, await gateway.key());
	const session = {'mcp-session-id': await wire.begin(), 'mcp-protocol-version': '2025-11-25'};
	return (name: string, args: object): Promise<Said> =>
		wire.send({jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name, arguments: args}}, session);
};
