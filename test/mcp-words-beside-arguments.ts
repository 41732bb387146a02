import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo} from './helpers/mcp-wire.ts';

const start = async (t: ExecutionContext, action: 'deny' | 'mask') => {
	const one = await hostileServer(t, {prompts: [{name: 'p'}], capabilities: {tools: {}, prompts: {}, resources: {}, completions: {}}});
	const gateway = await startGateway(t, {
		servers: {one: {url: one.url}},
		plugins: [{use: 'virtual-keys'}, {use: 'word-list', config: {words: ['falcon'], action}}],
	});
	return {gateway, one, key: await gateway.key()};
};

const ref = {type: 'ref/prompt', name: 'p'};
const argument = {name: 'a', value: 'b'};
const requests: [what: string, method: string, params: Record<string, unknown>][] = [
	['a param that nobody knows', 'tools/call', {name: 'act', arguments: {}, extra: 'falcon'}],
	['the name of such a param', 'tools/call', {name: 'act', arguments: {}, falcon: 1}],
	['an address where none belongs', 'tools/call', {name: 'act', arguments: {}, uri: 'x:falcon', cursor: 'falcon'}],
	['arguments that are a list', 'prompts/get', {name: 'p', arguments: ['falcon']}],
	['an address', 'resources/read', {uri: 'https://evil.example/?q=falcon'}],
	['a name where none belongs', 'resources/read', {uri: 'x:y', name: 'falcon'}],
	['the name of an argument', 'completion/complete', {ref, argument: {name: 'falcon', value: ''}}],
	['what is said beside a name', 'completion/complete', {ref: {...ref, title: 'falcon'}, argument}],
	['the address of a template', 'completion/complete', {ref: {type: 'ref/resource', uri: 'x:falcon'}, argument}],
	['what stands beside an argument', 'completion/complete', {ref, argument: {...argument, more: {falcon: 1}}}],
];
const metas = [{note: 'a falcon flew'}, {falcon: 1}, {'io.modelcontextprotocol/other': 'falcon'}];

for (const action of ['deny', 'mask'] as const)
	test.serial(`no word of a request reaches its server unread, wherever it stands: ${action}`, async t => {
		const {gateway, one, key} = await start(t, action);
		const wire = wireTo(`${gateway.url}/mcp/one`, key);
		const session = {'mcp-session-id': await wire.begin()};
		const sent = [...requests, ...metas.map(_meta => ['_meta', 'tools/call', {name: 'act', arguments: {}, _meta}] as const)];
		for (const [what, method, params] of sent) {
			const {body} = await wire.send({jsonrpc: '2.0', id: 1, method, params}, session);
			if (action === 'deny') t.is(body.error?.data?.code, 'content_blocked', what);
			else t.is(one.seen.at(-1)?.rpc.method, method, `${what}: ${JSON.stringify(body)}`);
		}
		t.false(JSON.stringify(one.seen).includes('falcon'));
		if (action === 'mask') t.true(JSON.stringify(one.seen).includes('https://evil.example/?q=***'));
	});

test.serial('an address at the common door is read as its server would be told it', async t => {
	const {gateway, one, key} = await start(t, 'mask');
	await wireTo(`${gateway.url}/mcp`, key).ask('resources/read', {uri: 'mcp+one:https://evil.example/?q=falcon'});
	t.is(one.seen.at(-1)?.rpc.params?.uri, 'https://evil.example/?q=***');
});

test.serial('what is completed, and what with, is masked as prompts are', async t => {
	const one = await hostileServer(t, {
		prompts: [{name: 'p'}],
		capabilities: {tools: {}, prompts: {}, completions: {}},
		raw(rpc, res) {
			if (rpc.method !== 'completion/complete') return false;
			const result = {completion: {values: ['grace@example.com', 'ghp_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo']}};
			res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id: rpc.id, result}));
			return true;
		},
	});
	const gateway = await startGateway(t, {
		servers: {one: {url: one.url}},
		plugins: [{use: 'virtual-keys'}, {use: 'masking', config: {mask: ['email']}}, {use: 'secrets', config: {action: 'mask'}}],
	});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const {body} = await wire.ask('completion/complete', {ref, argument: {name: 'to', value: 'ada@example.com'}});
	t.deepEqual(body.result?.completion, {values: ['[EMAIL]', '[SECRET]']});
	t.is(JSON.stringify(one.seen.at(-1)?.rpc.params?.argument), '{"name":"to","value":"[EMAIL]"}');
});
