import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const key = `ghp_${'k3Jw9QzL5mVt8XcR'}${'2bNf7HsPq4YgD6eT1uAo'}`;

/** A server whose tool `say` answers with the words it is given, and `leak` with a key of its own. */
const start = async (t: ExecutionContext, plugins: ReadonlyArray<{use: string; config?: Record<string, unknown>}>) => {
	const tools = ['say', 'leak', 'send'].map(name => ({name, description: name, inputSchema: {type: 'object'}}));
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			const {words = ''} = params.arguments as {words?: string};
			const text = params.name === 'leak' ? `use ${key}` : `said ${words}`;
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text}], structuredContent: params.arguments}}));
		},
		tools,
	);
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}, plugins: [{use: 'virtual-keys'}, ...plugins]});
	const given = () => upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call').map(({rpc}) => rpc!.params.arguments);
	return {gateway, given, wire: wireTo(`${gateway.url}/mcp/one`, await gateway.key())};
};

const pseudonyms = {use: 'masking', config: {modes: {email: 'pseudonym', card: 'pseudonym'}, reversible: true}};

test('a tool gets pseudonyms in its arguments, whose fields and numbers stay what they are, and the client its own values in the result', async t => {
	const {wire, given} = await start(t, [pseudonyms]);
	const asked = {words: 'I am ada@mail.example', card: '4111 1111 1111 1111', passportNumber: 'X1234567', count: 3};
	const said = await wire.call('say', asked);
	const [got] = given() as Array<Record<string, unknown>>;
	t.regex(String(got?.words), /^I am [a-z2-7]{10}@example\.(?:com|net|org)$/);
	t.regex(String(got?.card), /^4000 00\d\d \d{4} \d{4}$/);
	t.like(got, {passportNumber: '[PASSPORT_1]', count: 3});
	t.is(wordsOf(said), 'said I am ada@mail.example');
	t.deepEqual(said.body.result?.structuredContent, asked);
});

test('the same value has the same pseudonym in a long text, which is read in another process', async t => {
	const {wire, given} = await start(t, [pseudonyms]);
	await wire.call('say', {words: 'I am ada@mail.example'});
	await wire.call('say', {words: `I am ada@mail.example. ${'The quick brown fox jumps over the lazy dog. '.repeat(800)}`});
	const [short, long] = given().map(each => /am (\S+@example\.(?:com|net|org))/.exec(String((each as {words: string}).words))?.[1]);
	t.truthy(short);
	t.is(long, short);
});

test('a key in what a tool answers is not shown, and where it taints, the session may no longer send', async t => {
	const grants = {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*'], whenTainted: {deny: {tools: ['one/send']}}}}}};
	const masks = await start(t, [{use: 'secrets'}]);
	t.is(wordsOf(await masks.wire.call('leak')), 'use [SECRET]');
	const taints = await start(t, [grants, {use: 'secrets', config: {channels: {'tool-result': 'taint'}}}]);
	t.is(wordsOf(await taints.wire.call('send', {words: 'before'})), 'said before');
	t.is(wordsOf(await taints.wire.call('leak')), `use ${key}`);
	const refused = await taints.wire.call('send', {words: 'after'});
	t.is(refused.body.error?.data?.code, 'denied');
	t.deepEqual(taints.given().at(-1), {}, 'the last call that the server saw is the one that leaked');
});
