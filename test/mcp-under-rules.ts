import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {type Source, writePlugin} from './helpers/inline-world.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {type Said, wireTo, wordsOf} from './helpers/mcp-wire.ts';

type Entry = NonNullable<GatewayConfigInput['plugins']>[number];

const own = async (t: ExecutionContext, source: Source): Promise<Entry> => {
	const parent = await mkdtemp(join(tmpdir(), 'sallyport-rules-'));
	t.teardown(() => rm(parent, {recursive: true, force: true}));
	const folder = await writePlugin(parent, source);
	return {use: folder, tier: 'inline', trust: (await codeOf(folder, 'isolate')).digest};
};

/** A server whose tool `say` answers with the words it is given, and `number` with a card number as a number. */
const start = async (t: ExecutionContext, plugins: Entry[]) => {
	const tools = ['say', 'number'].map(name => ({name, description: `Tool of ada@example.com`, inputSchema: {type: 'object'}}));
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			const {words} = params.arguments as {words?: string};
			res.writeHead(200, {'content-type': 'application/json'});
			if (words === 'fail') {
				res.end(JSON.stringify({jsonrpc: '2.0', id, error: {code: -32050, message: 'no falcon', data: {of: ['falcon']}}}));
				return;
			}
			const result =
				params.name === 'say'
					? {content: [{type: 'text', text: `said ${words}`}], structuredContent: {words, deep: [{words}]}}
					: {content: [{type: 'image', data: '4111111111111111', mimeType: 'image/png'}], structuredContent: {card: 4111111111111111}};
			res.end(JSON.stringify({jsonrpc: '2.0', id, result}));
		},
		tools,
	);
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}, plugins: [{use: 'virtual-keys'}, ...plugins]});
	const given = () => upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call').map(({rpc}) => rpc!.params.arguments);
	return {gateway, given, wire: wireTo(`${gateway.url}/mcp/one`, await gateway.key())};
};

const codeIn = ({body}: Said) => body.error?.data?.code;

test.serial('masking takes personal data out of arguments before the server, and out of results before the client', async t => {
	const {wire, given} = await start(t, [{use: 'masking', config: {mask: ['email', 'card'], in: ['request', 'response']}}]);
	const said = await wire.call('say', {words: 'I am ada@example.com'});
	t.deepEqual(given(), [{words: 'I am [EMAIL]'}]);
	t.is(wordsOf(said), 'said I am [EMAIL]');
	t.false(JSON.stringify(said.body).includes('ada@'));
	const {body} = await wire.call('number');
	t.false(String(JSON.stringify(body.result?.structuredContent)).includes('4111'));
	t.like(body.result, {content: [{type: 'image', data: '4111111111111111'}]}, 'a picture is nobody’s words');
});

test.serial('a word list refuses arguments and results, also in what is structured, and the words of a list', async t => {
	const {wire, given} = await start(t, [{use: 'word-list', config: {words: ['falcon'], action: 'deny'}}]);
	t.is(codeIn(await wire.call('say', {words: 'a falcon'})), 'content_blocked');
	t.is(codeIn(await wire.call('say', {words: 'ok', deep: [{falcon: 1}]})), 'content_blocked');
	t.deepEqual(given(), []);
	t.is(wordsOf(await wire.call('say', {words: 'a hawk'})), 'said a hawk');
	const masked = await start(t, [{use: 'word-list', config: {words: ['ada'], action: 'mask'}}]);
	const {body} = await masked.wire.ask('tools/list');
	t.like(body.result, {tools: [{name: 'say', description: 'Tool of ***@example.com'}, {name: 'number'}]});
});

test.serial('the words of a server’s error are looked at too', async t => {
	const denies = await start(t, [{use: 'word-list', config: {words: ['falcon'], action: 'deny'}}]);
	t.is(codeIn(await denies.wire.call('say', {words: 'fail'})), 'content_blocked');
	const masks = await start(t, [{use: 'word-list', config: {words: ['falcon'], action: 'mask'}}]);
	const {body} = await masks.wire.call('say', {words: 'fail'});
	t.deepEqual(body.error, {code: -32050, message: 'no ***', data: {of: ['***']}});
	const [record] = (await masks.gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	t.is(record?.outcome, 'failed');
});

test.serial('on-tool-call sees the call, and what it says is carried out', async t => {
	const source: Source = {
		name: 'rules',
		reads: {'on-tool-call': ['tool.server', 'tool.name', 'tool.arguments', 'tool.definition', 'tool.definitionDigest', 'source']},
		hooks: `hooks: {'on-tool-call': ({tool, source}) => {
			const {words} = tool.arguments;
			if (words === 'deny') return {verdict: 'deny', message: 'not this', rule: 'r1'};
			if (words === 'hold') return {verdict: 'hold', approval: {reason: 'ask', holdMs: 0}};
			if (words === 'respond') return {verdict: 'respond', response: {result: {content: [{type: 'text', text: [tool.server, tool.name, source, tool.definition.name, tool.definitionDigest.length].join()}]}}};
			return {verdict: 'rewrite', patch: {arguments: {words: 'other words'}}};
		}}`,
	};
	const {gateway, wire, given} = await start(t, [await own(t, source)]);
	t.is(codeIn(await wire.call('say', {words: 'deny'})), 'denied');
	t.is(codeIn(await wire.call('say', {words: 'hold'})), 'approval_required');
	t.is(wordsOf(await wire.call('say', {words: 'respond'})), 'one,say,mcp,say,64');
	t.deepEqual(given(), []);
	t.is(wordsOf(await wire.call('say', {words: 'anything'})), 'said other words');
	t.deepEqual(given(), [{words: 'other words'}]);
	const outcomes = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	t.deepEqual(
		outcomes.map(({outcome, status}) => [outcome, status]),
		[
			['denied', 403],
			['denied', 403],
			['ok', 200],
			['ok', 200],
		],
	);
});

test.serial('post-response replaces a result, and narrows a list but never widens it', async t => {
	const source: Source = {
		name: 'censor',
		reads: {'post-response': ['operation', 'result']},
		hooks: `hooks: {'post-response': ({operation, result}) => {
			if (operation === 'tools/list') return {verdict: 'rewrite', patch: {result: {tools: [{server: 'one', name: 'say'}, {server: 'one', name: 'made-up'}]}}};
			if (operation === 'tools/call') return {verdict: 'rewrite', patch: {result: {result: {content: [{type: 'text', text: result.tool}]}}}};
		}}`,
	};
	const {wire} = await start(t, [await own(t, source)]);
	t.deepEqual(
		((await wire.ask('tools/list')).body.result?.tools as {name: string}[] | undefined)?.map(({name}) => name),
		['say'],
	);
	t.is(wordsOf(await wire.call('number')), 'number');
});

test.serial('a plugin in scope of one server or tool is not asked about another', async t => {
	const {wire} = await start(t, [
		{use: 'word-list', config: {words: ['falcon'], action: 'deny'}, when: {tool: 'one/number'}},
		{use: 'word-list', as: 'elsewhere', config: {words: ['hawk'], action: 'deny'}, when: {server: 'two'}},
		{use: 'word-list', as: 'here', config: {words: ['heron'], action: 'deny'}, when: {server: 'one', surface: 'mcp'}},
	]);
	t.is(wordsOf(await wire.call('say', {words: 'a falcon, a hawk'})), 'said a falcon, a hawk');
	t.is(codeIn(await wire.call('number', {words: 'a falcon'})), 'content_blocked');
	t.is(codeIn(await wire.call('say', {words: 'a heron'})), 'content_blocked');
});

test.serial('what a plugin answers itself opens no stream, and no resource is watched for it', async t => {
	const uri = 'note://one';
	const listening = async (operation: string) => {
		const server = await hostileServer(t, {capabilities: {tools: {}, resources: {subscribe: true}}}, 'stateless');
		const source: Source = {
			name: 'answers',
			reads: {'pre-request': ['operation']},
			hooks: `hooks: {'pre-request': ({operation}) => operation === '${operation}' ? {verdict: 'respond', response: {body: {}}} : undefined}`,
		};
		const gateway = await startGateway(t, {
			servers: {one: {url: server.url}},
			plugins: [{use: 'virtual-keys'}, await own(t, source)],
		});
		const version = '2026-07-28';
		const _meta = {'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {}};
		const params = {_meta, notifications: {toolsListChanged: true, resourceSubscriptions: [uri]}};
		const response = await fetch(`${gateway.url}/mcp/one`, {
			method: 'POST',
			headers: {
				authorization: `Bearer ${await gateway.key()}`,
				'content-type': 'application/json',
				'mcp-protocol-version': version,
				'mcp-method': 'subscriptions/listen',
			},
			body: JSON.stringify({jsonrpc: '2.0', id: 7, method: 'subscriptions/listen', params}),
		});
		const reader = response.body!.getReader();
		const first = new TextDecoder().decode((await reader.read()).value);
		await reader.cancel();
		return {status: response.status, first, asked: JSON.stringify(server.seen)};
	};
	const stream = await listening('subscriptions/listen');
	t.is(stream.status, 503);
	t.regex(stream.first, /plugin_failed/);
	t.is(stream.asked, '[]');
	const resource = await listening('resources/subscribe');
	t.is(resource.status, 200);
	t.regex(resource.first, /acknowledged.*toolsListChanged/);
	t.false((resource.first + resource.asked).includes(uri));
});
