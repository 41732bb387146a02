import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {
	everythingOverHttp,
	everythingOverStdio,
	filesOverStdio,
	legacyClient,
	modernOverHttp,
	statelessClient,
} from './helpers/mcp-servers.ts';

const start = async (t: ExecutionContext) => {
	const modern = await modernOverHttp(t);
	const gateway = await startGateway(t, {
		servers: {
			everything: everythingOverStdio(),
			remote: {url: await everythingOverHttp(t)},
			modern: {url: modern.url},
			files: filesOverStdio(t, {'a.txt': 'hello from a file'}),
			down: {url: 'http://127.0.0.1:9/mcp'},
		},
	});
	return {gateway, heads: modern.heads, key: await gateway.key()};
};

const clients = {legacy: legacyClient, stateless: statelessClient};

for (const era of ['legacy', 'stateless'] as const) {
	test.serial(`a ${era} client uses tools, prompts, resources and completion of a server with sessions, over stdio and HTTP`, async t => {
		const {gateway, key} = await start(t);
		for (const name of ['everything', 'remote']) {
			const client = await clients[era](t, `${gateway.url}/mcp/${name}`, key);
			const {tools} = await client.listTools();
			t.true(
				tools.some(tool => tool.name === 'echo'),
				name,
			);
			t.like(await client.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{type: 'text', text: 'Echo: hi'}]});
			const {resources} = await client.listResources();
			t.true(resources.length > 0);
			const {contents} = await client.readResource({uri: resources[0]!.uri});
			t.is(contents[0]?.uri, resources[0]!.uri);
			const {prompts} = await client.listPrompts();
			t.true(prompts.length > 0);
			t.true((await client.getPrompt({name: 'simple-prompt'})).messages.length > 0);
			const completed = await client.complete({
				ref: {type: 'ref/prompt', name: 'completable-prompt'},
				argument: {name: 'department', value: 'E'},
			});
			t.true(completed.completion.values.includes('Engineering'));
		}
	});

	test.serial(`a ${era} client uses a server without sessions`, async t => {
		const {gateway, key, heads} = await start(t);
		const client = await clients[era](t, `${gateway.url}/mcp/modern`, key);
		t.is(client.getInstructions(), 'Be kind.');
		t.deepEqual(
			(await client.listTools()).tools.map(({name}) => name),
			['echo', 'steps'],
		);
		t.like(await client.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{type: 'text', text: 'modern hi'}]});
		t.like(await client.getPrompt({name: 'greet', arguments: {name: 'Ada'}}), {messages: [{content: {text: 'Hello Ada'}}]});
		t.like(await client.readResource({uri: 'note://one'}), {contents: [{text: 'a note', uri: 'note://one'}]});
		t.true(heads.every(({authorization, 'mcp-session-id': session}) => authorization === undefined && session === undefined));
		// It is asked first whether it knows sessions too.
		t.true(heads.slice(1).every(head => head['mcp-protocol-version'] === '2026-07-28'));
	});

	test.serial(`a ${era} client is told of progress, with its own token`, async t => {
		const {gateway, key} = await start(t);
		for (const [server, name, args] of [
			['modern', 'steps', {}],
			['everything', 'trigger-long-running-operation', {duration: 0.2, steps: 2}],
			['remote', 'trigger-long-running-operation', {duration: 0.2, steps: 2}],
		] as const) {
			const client = await clients[era](t, `${gateway.url}/mcp/${server}`, key);
			const told: unknown[] = [];
			const onprogress = ({progress, total}: {progress: number; total?: number | undefined}) => void told.push([progress, total]);
			const result =
				era === 'legacy'
					? await (client as Awaited<ReturnType<typeof legacyClient>>).callTool({name, arguments: args}, undefined, {onprogress})
					: await (client as Awaited<ReturnType<typeof statelessClient>>).callTool({name, arguments: args}, {onprogress});
			t.true(JSON.stringify(result).includes('text'));
			t.deepEqual(told[0], [1, 2], server);
		}
	});

	test.serial(`a ${era} client sees every server at the common door, and which one is down`, async t => {
		const {gateway, key} = await start(t);
		const client = await clients[era](t, `${gateway.url}/mcp`, key);
		const {tools, _meta} = await client.listTools();
		t.true(tools.every(({name}) => name.length <= 60 && /^(everything|remote|modern|files)__/.test(name)));
		t.deepEqual(_meta?.['sallyport/unavailable'], [{server: 'down', error: 'upstream_unreachable'}]);
		t.like(await client.callTool({name: 'modern__echo', arguments: {message: 'hi'}}), {content: [{text: 'modern hi'}]});
		t.like(await client.callTool({name: 'files__read_text_file', arguments: {path: 'a.txt'}}), {content: [{text: 'hello from a file'}]});
		const {resources} = await client.listResources();
		t.true(resources.some(({uri}) => uri === 'mcp+modern:note://one'));
		t.like(await client.readResource({uri: 'mcp+modern:note://one'}), {contents: [{uri: 'mcp+modern:note://one', text: 'a note'}]});
		t.like(await client.getPrompt({name: 'modern__greet', arguments: {name: 'Ada'}}), {messages: [{content: {text: 'Hello Ada'}}]});
		await t.throwsAsync(client.callTool({name: 'down__act', arguments: {}}));
		await t.throwsAsync(client.callTool({name: 'nobody__act', arguments: {}}), {message: /Unknown tool|no MCP server/});
	});
}

test.serial('each request over MCP is one record, with what was called and never with what', async t => {
	const {gateway, key} = await start(t);
	const client = await legacyClient(t, `${gateway.url}/mcp/files`, key);
	await client.callTool({name: 'read_text_file', arguments: {path: 'a.txt'}});
	await client.close();
	const records = (await gateway.journal()).filter(({surface, kind}) => kind === 'exchange' && surface === 'mcp');
	const call = records.find(({operation}) => operation === 'tools/call');
	t.like(call, {server: 'files', tool: 'read_text_file', outcome: 'ok', status: 200});
	t.regex(String(call?.argumentsDigest), /^[0-9a-f]{64}$/);
	t.regex(String(call?.definitionDigest), /^[0-9a-f]{64}$/);
	t.false(JSON.stringify(records).includes('a.txt'));
	t.is(records.filter(({operation}) => operation === 'initialize').length, 1);
	t.is(new Set(records.map(({exchange}) => exchange)).size, records.length);
});

test.serial('clients of both eras use a server over stdio that knows no sessions', async t => {
	const program = join(import.meta.dirname, 'helpers', 'stateless-mcp-program.ts');
	const gateway = await startGateway(t, {servers: {quiet: {stdio: {command: process.execPath, args: [program]}}}});
	const key = await gateway.key();
	for (const connect of Object.values(clients)) {
		const client = await connect(t, `${gateway.url}/mcp/quiet`, key);
		t.like(await client.callTool({name: 'echo', arguments: {message: 'hi'}}), {content: [{text: 'stateless hi'}]});
	}
});
