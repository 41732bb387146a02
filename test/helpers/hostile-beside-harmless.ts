import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {startGateway} from './gateway.ts';
import {hostileServer} from './hostile-mcp-server.ts';
import {type Said, wireTo} from './mcp-wire.ts';

export type Entries = NonNullable<GatewayConfigInput['plugins']>;

export const all = {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']};
export const usual: Entries = [
	{use: 'virtual-keys'},
	{use: 'grants', config: {allow: {'tenant:default': all}}},
	{use: 'tool-pins', config: {first: {'*': 'trust'}}},
];

type Options = {era?: 'legacy' | 'stateless'; plugins?: Entries; timeoutMs?: number};

/** A hostile server `one` beside a harmless one, `two`. */
export const besideHarmless = async (
	t: ExecutionContext,
	says: Parameters<typeof hostileServer>[1],
	{era, plugins = usual, timeoutMs = 3_000}: Options = {},
) => {
	const one = await hostileServer(t, says, era);
	const two = await hostileServer(t, {tools: [{name: 'calm', inputSchema: {type: 'object'}}]});
	const gateway = await startGateway(t, {servers: {one: {url: one.url, timeoutMs}, two: {url: two.url}}, plugins});
	const key = await gateway.key();
	return {gateway, one, two, key, wire: wireTo(`${gateway.url}/mcp/one`, key), common: wireTo(`${gateway.url}/mcp`, key)};
};

export const namesIn = ({body}: Said) => (body.result?.tools as {name: string}[] | undefined)?.map(({name}) => name);
export const codeIn = ({body}: Said) => body.error?.data?.code;
export const tool = (name: string, more: object = {}) => ({name, inputSchema: {type: 'object'}, ...more});
