import test from 'ava';
import {all, codeIn, type Entries, namesIn, besideHarmless as start, tool} from './helpers/hostile-beside-harmless.ts';
import type {Says} from './helpers/hostile-mcp-server.ts';
import {legacyClient, statelessClient} from './helpers/mcp-servers.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const nested = (levels: number): unknown => JSON.parse(`${'{"anyOf":['.repeat(levels)}{}${']}'.repeat(levels)}`);

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({length: count}, (_, index) => make(index));

const lists: Record<string, {says: Says; code: string}> = {
	'more entries than anybody needs': {says: {tools: many(2_001, index => tool(`t${index}`))}, code: 'upstream_too_large'},
	'megabytes of descriptions': {
		says: {tools: many(400, index => tool(`t${index}`, {description: 'x'.repeat(5_000)}))},
		code: 'upstream_too_large',
	},
	'one description of megabytes': {says: {tools: [tool('a', {description: 'x'.repeat(3_000_000)})]}, code: 'upstream_too_large'},
	'a schema of very many keys': {
		says: {tools: [{name: 'a', inputSchema: {properties: Object.fromEntries(many(49_000, index => [`k${index}`, {}]))}}]},
		code: 'upstream_too_large',
	},
	'more keys than any message may have': {
		says: {tools: [{name: 'a', inputSchema: {properties: Object.fromEntries(many(50_000, index => [`k${index}`, {}]))}}]},
		code: 'upstream_malformed',
	},
	'a schema of very many values': {
		says: {tools: [{name: 'a', inputSchema: {enum: many(200_000, index => index)}}]},
		code: 'upstream_too_large',
	},
	'a schema that nests without an end': {says: {tools: [{name: 'a', inputSchema: nested(40)}]}, code: 'upstream_malformed'},
	'a greeting of megabytes': {says: {instructions: 'x'.repeat(3_000_000)}, code: 'upstream_too_large'},
	'capabilities without an end': {
		says: {capabilities: {tools: Object.fromEntries(many(20_000, index => [`k${index}`, {}]))}},
		code: 'upstream_too_large',
	},
	'no answer': {says: {raw: ({method}) => method === 'tools/list'}, code: 'upstream_timeout'},
	'a drip': {
		says: {
			raw: ({method}, res) => {
				if (method !== 'tools/list') return false;
				res.writeHead(200, {'content-type': 'application/json'});
				const timer = setInterval(() => res.write(' '), 20);
				res.once('close', () => clearInterval(timer));
				return true;
			},
		},
		code: 'upstream_timeout',
	},
	'a redirect': {
		says: {raw: ({method}, res) => method === 'tools/list' && Boolean(res.writeHead(302, {location: 'http://127.0.0.1:1/'}).end())},
		code: 'upstream_malformed',
	},
};

for (const era of ['legacy', 'stateless'] as const)
	test.serial(`a ${era} server whose list is too much, too late or none is an error, and takes nobody with it`, async t => {
		const {gateway, one} = await start(t, {}, {era, timeoutMs: 500});
		for (const [what, {says, code}] of Object.entries(lists)) {
			one.says = says;
			// Another key, another conversation.
			const key = await gateway.key();
			t.is(codeIn(await wireTo(`${gateway.url}/mcp/one`, key).ask('tools/list')), code, what);
			const common = wireTo(`${gateway.url}/mcp`, key);
			const said = await common.ask('tools/list');
			t.deepEqual(namesIn(said), ['two__calm'], what);
			t.like(said.body.result?._meta, {'sallyport/unavailable': [{server: 'one', error: code}]});
			t.is(wordsOf(await common.call('two__calm')), 'did calm');
		}
	});

test.serial('nothing that a server names is ever fetched', async t => {
	const pointing = (url: string): Says => ({
		instructions: `See ${url}/instructions`,
		tools: [
			tool('act', {
				inputSchema: {
					$schema: `${url}/schema`,
					$id: `${url}/id`,
					type: 'object',
					properties: {a: {$ref: `${url}/ref`}, b: {$dynamicRef: `${url}/dynamic#x`}},
				},
				icons: [{src: `${url}/icon.png`}],
				_meta: {url: `${url}/meta`, 'io.modelcontextprotocol/related': {uri: `${url}/related`}},
			}),
		],
		resources: [{uri: `${url}/resource`, name: 'r', icons: [{src: `${url}/icon`}]}],
		prompts: [{name: 'p', icons: [{src: `${url}/icon`}]}],
		call: {
			content: [
				{type: 'resource_link', uri: `${url}/link`, name: 'x'},
				{type: 'text', text: `![x](${url}/image.png)`},
				{type: 'resource', resource: {uri: `${url}/embedded`, text: 'x'}},
			],
			structuredContent: {$ref: `${url}/structured`},
			_meta: {elicit: {url: `${url}/elicit`}},
		},
		read: {contents: [{uri: `${url}/content`, text: `<img src="${url}/html">`, mimeType: 'text/html'}]},
		prompt: {messages: [{role: 'user', content: {type: 'resource_link', uri: `${url}/message`, name: 'x'}}]},
	});
	for (const era of ['legacy', 'stateless'] as const) {
		const {gateway, one, key, wire} = await start(t, pointing, {era});
		for (const path of ['/mcp/one', '/mcp']) {
			const client = await legacyClient(t, gateway.url + path, key);
			await client.listTools();
			await client.listResources();
			await client.listPrompts();
			await statelessClient(t, gateway.url + path, key);
		}
		// The SDK's client would refuse it itself.
		one.says.tools = [tool('act'), tool('out', {outputSchema: {type: 'object', $ref: `${one.canary.url}/output`}})];
		t.deepEqual(namesIn(await wire.ask('tools/list')), ['out'], 'act has changed');
		t.truthy((await wire.call('out', {a: 1})).body.result);
		t.truthy((await wire.ask('resources/read', {uri: `${one.canary.url}/resource`})).body.result);
		t.truthy((await wire.ask('prompts/get', {name: 'p'})).body.result);
		t.deepEqual(one.canary.hits, []);
		one.says.raw = ({method}, res) =>
			(method === 'tools/call' || method === 'resources/read') &&
			Boolean(res.writeHead(307, {location: `${one.canary.url}/redirect`}).end());
		t.is(codeIn(await wire.call('out')), 'upstream_malformed');
		t.is(codeIn(await wire.ask('resources/read', {uri: `${one.canary.url}/resource`})), 'upstream_malformed');
		t.deepEqual(one.canary.hits, []);
	}
});

test.serial('a pattern that takes for ever is never tried, and a schema is the server’s own to check', async t => {
	const schema = {
		type: 'object',
		properties: {a: {type: 'string', pattern: '^(a+)+$'}},
		patternProperties: {'^(x+x+)+y$': {}},
		required: ['b'],
	};
	const bomb = nested(20);
	const {wire, common, one} = await start(t, {
		tools: [
			{name: 'act', inputSchema: schema, outputSchema: schema},
			{name: 'bomb', inputSchema: bomb},
		],
	});
	const args = {a: `${'a'.repeat(5_000)}!`, [`${'x'.repeat(5_000)}z`]: 1};
	t.is(wordsOf(await wire.call('act', args)), 'did act');
	t.is(wordsOf(await common.call('one__act', args)), 'did act');
	t.is(wordsOf(await wire.call('bomb', args)), 'did bomb');
	t.deepEqual(one.calls[0]?.arguments, args);
});

test.serial('a server’s error in the place of a list is that server’s error', async t => {
	const {wire, common} = await start(t, {tools: () => new Error('not today')});
	const {body} = await wire.ask('tools/list');
	t.deepEqual([body.error?.code, body.error?.message], [-32050, 'not today']);
	t.deepEqual(namesIn(await common.ask('tools/list')), ['two__calm']);
});

const narrow = {...all, tools: ['one/common']};

const seenBy = async (gatewayUrl: string, key: string) => {
	const listed = async (path: string) => namesIn(await wireTo(gatewayUrl + path, key).ask('tools/list')) ?? [];
	const own = await listed('/mcp/one');
	return {own, common: (await listed('/mcp')).filter(name => name.startsWith('one__'))};
};

test.serial('a list of one key’s is never shown to another', async t => {
	const plugins: Entries = [
		{use: 'virtual-keys'},
		{use: 'grants', config: {allow: {'tenant:default': all, 'team:default/narrow': narrow}}},
	];
	for (const era of ['legacy', 'stateless'] as const) {
		const {gateway} = await start(t, {tools: [tool('common'), tool('private')]}, {plugins, era});
		const [wide, small] = [await gateway.key(), await gateway.key({team: 'narrow'})];
		for (const key of [wide, small, wide, small]) {
			const own = key === wide ? ['common', 'private'] : ['common'];
			t.deepEqual(await seenBy(gateway.url, key), {own, common: own.map(name => `one__${name}`)});
		}
		const wire = wireTo(`${gateway.url}/mcp/one`, small);
		t.is(codeIn(await wire.call('private')), 'denied');
		t.like((await wire.ask('tools/list')).body.result, {ttlMs: 0, cacheScope: 'private'}, 'whatever the server says of its own list');
	}
});

test.serial('what a server shows one caller alone is not shown to the next', async t => {
	const plugins: Entries = [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'tenant:default': all}}}];
	const {gateway, one} = await start(t, {tools: ({session}: {session: string}) => [tool(`of-${session}`)]}, {plugins});
	const keys = [await gateway.key(), await gateway.key()];
	const found = await Promise.all(keys.map(async key => namesIn(await wireTo(`${gateway.url}/mcp/one`, key).ask('tools/list'))));
	t.is(new Set(found.flat()).size, 2, JSON.stringify(found));
	const [first, second] = keys.map(key => wireTo(`${gateway.url}/mcp/one`, key));
	t.is(wordsOf(await first!.call(found[0]![0]!)), `did ${found[0]![0]}`);
	t.is((await second!.call(found[0]![0]!)).body.error?.code, -32602);
	t.is(one.calls.length, 1);
});
