import test from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {letters} from './helpers/mcp-letters.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';

type Plugins = NonNullable<GatewayConfigInput['plugins']>;

/** Everything that a session's client gets on the stream of a call whose server logs an address before it answers. */
const heardWith = async (t: Parameters<typeof hostileUpstream>[0], plugins: Plugins): Promise<string> => {
	const upstream = await hostileUpstream(t, ({id}, res) => {
		const say = (message: object) => res.write(`data: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`);
		res.writeHead(200, {'content-type': 'text/event-stream'});
		say({method: 'notifications/message', params: {level: 'error', data: 'of ada@example.com'}});
		say({id, result: {content: [{type: 'text', text: 'fine'}]}});
		res.end();
	});
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}, plugins: [{use: 'virtual-keys'}, ...plugins]});
	const [url, key] = [`${gateway.url}/mcp/one`, await gateway.key()];
	const call = {jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name: 'act', arguments: {}}};
	return (await letters(url, key).post(JSON.stringify(call), {'mcp-session-id': await wireTo(url, key).begin()})).text;
};

test.serial('what a server logs during a call goes on where nobody guards its words', async t => {
	const heard = await heardWith(t, []);
	t.regex(heard, /notifications\/message[^\n]*ada@example\.com/);
	t.regex(heard, /"fine"/);
});

test.serial('what a server logs during a call does not pass by a guard that is asked about calls alone', async t => {
	const heard = await heardWith(t, [{use: 'masking', config: {mask: ['email'], in: ['response']}}]);
	t.false(heard.includes('ada@'), heard);
	t.regex(heard, /"fine"/);
});
