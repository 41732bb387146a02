import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {letters} from './helpers/mcp-letters.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';

test('progress that is no number reaches no client', async t => {
	const upstream = await hostileUpstream(t, ({id, params}, res) => {
		const say = (message: object) => res.write(`data: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`);
		const {progressToken} = params._meta as {progressToken: unknown};
		res.writeHead(200, {'content-type': 'text/event-stream'});
		for (const progress of ['a falcon flew', {of: 'a falcon'}, 0.5])
			say({method: 'notifications/progress', params: {progressToken, progress, total: 1}});
		say({id, result: {content: [{type: 'text', text: 'fine'}]}});
		res.end();
	});
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url}},
		plugins: [{use: 'virtual-keys'}, {use: 'word-list', config: {words: ['falcon'], action: 'deny'}}],
	});
	const [url, key] = [`${gateway.url}/mcp/one`, await gateway.key()];
	const call = {jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name: 'act', arguments: {}, _meta: {progressToken: 'mine'}}};
	const {text: heard} = await letters(url, key).post(JSON.stringify(call), {'mcp-session-id': await wireTo(url, key).begin()});
	t.false(heard.includes('falcon'), heard);
	t.regex(heard, /"progressToken":"mine","progress":0\.5/);
	t.regex(heard, /"fine"/);
});
