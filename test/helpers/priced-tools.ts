import type {ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../../schemas/config.ts';
import {startGateway} from './gateway.ts';
import {hostileUpstream} from './mcp-upstream.ts';
import {type Said, wireTo} from './mcp-wire.ts';

type Plugins = NonNullable<GatewayConfigInput['plugins']>;
type Options = Pick<GatewayConfigInput, 'toolPrices' | 'mcp' | 'servers'>;

export const account = 'tenant:default';

/** What a refusal is called; `ok` where there is a result. */
export const codeOf = ({body}: Said): string => (body.result ? 'ok' : String(body.error?.data?.code ?? body.error?.code));

/**
 * A gateway before a server `shop` with the tools `search` and `buy`. A call with `{bytes}` gets so many letters, `{fail: true}` an error of
 * the server, `{drop: true}` a connection that breaks, and `{wait: true}` its answer when `release` is called.
 */
export const startPriced = async (t: ExecutionContext, plugins: Plugins, options: Options = {}) => {
	const tools = ['search', 'buy'].map(name => ({name, inputSchema: {type: 'object'}}));
	const waiting: (() => void)[] = [];
	const upstream = await hostileUpstream(
		t,
		({id, params}, res, req) => {
			const {bytes = 1, fail, drop, wait} = params.arguments as {bytes?: number; fail?: true; drop?: true; wait?: true};
			const say = (body: object) =>
				res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, ...body}));
			if (drop) return void req.socket.destroy();
			if (fail) return void say({error: {code: -32602, message: 'no such thing'}});
			const answer = () => void say({result: {content: [{type: 'text', text: 'x'.repeat(bytes)}]}});
			if (wait) waiting.push(answer);
			else answer();
		},
		tools,
	);
	const gateway = await startGateway(t, {
		servers: {shop: {url: upstream.url}},
		toolPrices: {'shop/search': {usdPerCall: 0.001}, 'shop/buy': {usdPerCall: 0.01}},
		plugins: [{use: 'virtual-keys'}, ...plugins],
		...options,
	});
	const key = await gateway.key();
	const made = (name?: string) =>
		upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call' && (name === undefined || rpc.params.name === name)).length;
	return {
		gateway,
		key,
		wire: wireTo(`${gateway.url}/mcp/shop`, key),
		/** How many calls came to the server. */
		made,
		waiting: () => waiting.length,
		release: () => {
			for (const answer of waiting.splice(0)) answer();
		},
		spent: (name = account, unit: 'microUsd' | 'requests' | 'toolCalls' = 'microUsd') => {
			const {spent, reserved} = gateway.gateway.ledger.balance(name, unit, 'month');
			return [spent, reserved];
		},
	};
};
