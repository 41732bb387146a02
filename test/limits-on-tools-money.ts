import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {legacyClient, statelessClient} from './helpers/mcp-servers.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {account, codeOf, startPriced} from './helpers/priced-tools.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const budget = (limitUsd: Record<string, number>) => ({use: 'budgets', config: {window: 'month', limitUsd}});

test('of 200 tool calls at once on a budget with room for ten, exactly ten reach the tool', async t => {
	const {wire, made, spent, gateway} = await startPriced(t, [budget({[account]: 0.01})]);
	await wire.call('search');
	const said = await Promise.all(Array.from({length: 200}, () => wire.call('search')));
	t.is(said.filter(one => codeOf(one) === 'ok').length, 9);
	t.is(said.filter(one => codeOf(one) === 'budget_exceeded').length, 191);
	t.is(made(), 10);
	t.deepEqual(spent(), [10_000, 0]);
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	t.is(
		records.reduce((sum, {costMicroUsd = 0}) => sum + costMicroUsd, 0),
		10_000,
	);
	t.is(
		records.flatMap(({bookings = []}) => bookings).reduce((sum, {amount}) => sum + amount, 0),
		10_000,
	);
});

test('a refusal says who is short, and an answer what it cost and what is left', async t => {
	const {wire} = await startPriced(t, [budget({[account]: 0.0015})]);
	const {headers} = await wire.call('search');
	t.is(headers.get('x-sallyport-cost-usd'), '0.001000');
	t.is(headers.get('x-sallyport-budget-remaining'), '0.000500');
	const refused = await wire.call('search');
	t.like(refused.body.error, {code: -32010, data: {code: 'budget_exceeded', plugin: 'budgets', rule: `${account}/month`}});
	t.is(refused.headers.get('x-sallyport-budget-remaining'), '0.000500');
});

test('a limit on one tool refuses that tool alone, for whoever calls and for everybody', async t => {
	const {wire, made, spent} = await startPriced(t, [
		budget({[`${account}/tool:shop/buy`]: 0.01, 'tool:shop/search': 0.002, 'server:shop': 0.0125, '*/tool:other/*': 0}),
	]);
	t.is(codeOf(await wire.call('buy')), 'ok');
	t.is(codeOf(await wire.call('buy')), 'budget_exceeded');
	t.is(codeOf(await wire.call('search')), 'ok');
	t.is(codeOf(await wire.call('search')), 'ok');
	t.is(codeOf(await wire.call('search')), 'budget_exceeded', 'two are all that this tool has');
	t.deepEqual([made('buy'), made('search')], [1, 2]);
	t.deepEqual(spent('server:shop'), [12_000, 0]);
	t.deepEqual(spent('tool:shop/search'), [2_000, 0]);
	t.deepEqual(spent(`${account}/tool:shop/buy`), [10_000, 0]);
});

test('a limit that is set while it runs counts from the next call on', async t => {
	const {wire, gateway} = await startPriced(t, [budget({})]);
	t.is(codeOf(await wire.call('buy')), 'ok');
	await gateway.act('budgets', 'set', {account: 'tool:shop/buy', limitUsd: 0.01});
	await gateway.act('budgets', 'set', {account: '*/server:sho*', limitUsd: 0.011});
	t.is(codeOf(await wire.call('buy')), 'ok');
	t.is(codeOf(await wire.call('buy')), 'budget_exceeded');
	t.is(codeOf(await wire.call('search')), 'ok');
	t.is(codeOf(await wire.call('search')), 'budget_exceeded');
});

test('the bytes of a result cost what they are, never more than was set aside', async t => {
	const toolPrices = {'shop/*': {usdPerCall: 0.001, usdPerMB: 1, mostMB: 0.01}};
	const {wire, spent} = await startPriced(t, [budget({[account]: 0.0125})], {toolPrices});
	const {headers, body} = await wire.call('search', {bytes: 1_000});
	const bytes = Buffer.byteLength(JSON.stringify({content: [{type: 'text', text: 'x'.repeat(1_000)}]}));
	t.is(headers.get('x-sallyport-cost-usd'), (0.001 + bytes / 1e6).toFixed(6), JSON.stringify(body).slice(0, 200));
	t.deepEqual(spent(), [1_000 + bytes, 0]);
	t.is(codeOf(await wire.call('search')), 'budget_exceeded', 'the most it may cost has no room');
});

test('a result that is larger than its price allows for is refused, and paid for', async t => {
	const toolPrices = {'shop/*': {usdPerCall: 0.001, usdPerMB: 1, mostMB: 0.001}};
	const {wire, spent} = await startPriced(t, [budget({[account]: 1})], {toolPrices});
	t.is(codeOf(await wire.call('search', {bytes: 5_000})), 'upstream_too_large');
	t.deepEqual(spent(), [2_000, 0]);
});

test('a call that is refused, fails or cannot be sent gives everything back', async t => {
	const {wire, spent, made, gateway} = await startPriced(t, [
		budget({[account]: 0.05}),
		{use: 'word-list', config: {words: ['falcon'], action: 'deny'}},
	]);
	t.is(codeOf(await wire.call('buy', {words: 'a falcon'})), 'content_blocked');
	t.is(made(), 0);
	t.deepEqual(spent(), [0, 0]);
	t.is(codeOf(await wire.call('buy', {fail: true})), '-32602');
	t.deepEqual(spent(), [0, 0]);
	t.is(codeOf(await wire.call('nothing')), '-32602');
	t.deepEqual(spent(), [0, 0]);
	const unreachable = await startPriced(t, [budget({[account]: 0.05})], {servers: {shop: {url: 'http://127.0.0.1:9/mcp'}}});
	t.is(codeOf(await unreachable.wire.call('buy')), 'upstream_unreachable');
	t.deepEqual(unreachable.spent(), [0, 0]);
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	t.true(records.every(({costMicroUsd = 0}) => costMicroUsd === 0));
});

test('a call whose connection breaks, or whose client leaves, is paid for: it may have been carried out', async t => {
	const {wire, spent, waiting, gateway, key, release} = await startPriced(t, [budget({[account]: 0.05})]);
	await wire.call('search');
	t.not(codeOf(await wire.call('buy', {drop: true})), 'ok');
	t.deepEqual(spent(), [11_000, 0]);
	const leaving = new AbortController();
	const called = fetch(`${gateway.url}/mcp/shop`, {
		method: 'POST',
		signal: leaving.signal,
		headers: {
			authorization: `Bearer ${key}`,
			'content-type': 'application/json',
			'mcp-protocol-version': '2026-07-28',
			'mcp-method': 'tools/call',
			'mcp-name': 'buy',
		},
		body: JSON.stringify({
			jsonrpc: '2.0',
			id: 1,
			method: 'tools/call',
			params: {
				name: 'buy',
				arguments: {wait: true},
				_meta: {'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {}},
			},
		}),
	});
	while (waiting() === 0) await new Promise(resolve => setTimeout(resolve, 5));
	t.deepEqual(spent(), [11_000, 10_000]);
	leaving.abort();
	await t.throwsAsync(called);
	while (spent()[1] !== 0) await new Promise(resolve => setTimeout(resolve, 5));
	t.deepEqual(spent(), [21_000, 0]);
	release();
});

test('a tool without a price costs nothing, unless the config refuses to guess', async t => {
	const toolPrices = {'shop/buy': {usdPerCall: 0.01}};
	const free = await startPriced(t, [budget({[account]: 0.001})], {toolPrices});
	t.is(codeOf(await free.wire.call('search')), 'ok');
	t.is(codeOf(await free.wire.call('buy')), 'budget_exceeded');
	const strict = await startPriced(t, [budget({[account]: 1})], {toolPrices, mcp: {unpriced: 'refuse'}});
	t.is(codeOf(await strict.wire.call('search')), 'price_unknown');
	t.is(codeOf(await strict.wire.call('buy')), 'ok');
	t.is(strict.made('search'), 0);
	const unlimited = await startPriced(t, [], {toolPrices, mcp: {unpriced: 'refuse'}});
	t.is(codeOf(await unlimited.wire.call('search')), 'ok');
});

test('a name that merely begins like a tool’s has no part in its price or its limit', async t => {
	const {wire, spent} = await startPriced(
		t,
		[budget({'tool:shop/sear': 0, [`${account}/tool:shop/sear`]: 0, 'server:sho': 0, [account]: 1})],
		{
			toolPrices: {'shop/sear': {usdPerCall: 1}, 'shop/*': {usdPerCall: 0.002}, 'shop/se*': {usdPerCall: 0.003}, '*': {usdPerCall: 0.5}},
		},
	);
	t.is(codeOf(await wire.call('search')), 'ok');
	t.deepEqual(spent(), [3_000, 0], 'the longest pattern that fits');
	t.is(codeOf(await wire.call('buy')), 'ok');
	t.deepEqual(spent(), [5_000, 0]);
});

test('whatever becomes of calls, what is spent is what they cost, and nothing stays set aside', async t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	const {wire, spent, gateway, made} = await startPriced(t, [budget({[account]: 0.2, 'tool:shop/buy': 0.1})], {
		toolPrices: {'shop/search': {usdPerCall: 0.001, usdPerMB: 0.5, mostMB: 0.004}, 'shop/buy': {usdPerCall: 0.01}},
	});
	const args = () => pick([{}, {}, {bytes: below(4_000)}, {fail: true}, {drop: true}]);
	await Promise.all(Array.from({length: 120}, () => wire.call(pick(['search', 'buy', 'none']), args())));
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	const cost = records.reduce((sum, {costMicroUsd = 0}) => sum + costMicroUsd, 0);
	t.deepEqual(spent(), [cost, 0], `seed ${seed}`);
	t.true(cost <= 200_000 && spent('tool:shop/buy')[0]! <= 100_000, `seed ${seed}`);
	t.true(made() > 10, `seed ${seed}`);
});

test('at the common door a tool pays under its own name, however it is called there, for clients of either era', async t => {
	const upstream = await hostileUpstream(
		t,
		({id, params}, res) => {
			const result = {content: [{type: 'text', text: String(params.name)}]};
			res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({jsonrpc: '2.0', id, result}));
		},
		['search', 'Search'].map(name => ({name, inputSchema: {type: 'object'}})),
	);
	const gateway = await startGateway(t, {
		servers: {shop: {url: upstream.url}},
		toolPrices: {'shop/Search': {usdPerCall: 0.001}, 'shop/search': {usdPerCall: 0.01}},
		plugins: [{use: 'virtual-keys'}, budget({'tool:shop/search': 0.01, 'tool:shop/Search': 1})],
	});
	const key = await gateway.key();
	const legacy = await legacyClient(t, `${gateway.url}/mcp`, key);
	const stateless = await statelessClient(t, `${gateway.url}/mcp`, key);
	const {tools} = await legacy.listTools();
	const marked = tools.map(({name}) => name).find(name => /_[0-9a-f]{8}$/.test(name));
	t.truthy(marked, 'one of them reads like the other, and has a digest');
	const said = (result: unknown) => (result as {content: {text: string}[]}).content[0]!.text;
	const spent = () => ['Search', 'search'].map(name => gateway.gateway.ledger.balance(`tool:shop/${name}`, 'microUsd', 'month').spent);
	t.is(said(await stateless.callTool({name: marked!})), 'search');
	t.deepEqual(spent(), [0, 10_000]);
	t.is(said(await legacy.callTool({name: 'shop__Search'})), 'Search');
	t.deepEqual(spent(), [1_000, 10_000]);
	for (const client of [legacy, stateless]) {
		const refused = await t.throwsAsync<Error>(async () => void (await client.callTool({name: marked!})));
		t.regex(refused!.message, /tool:shop\/search has 0\.000000 USD left/);
	}
	t.deepEqual(spent(), [1_000, 10_000]);
});

test('usage tells what each server and each tool cost, and to whom', async t => {
	const {wire, gateway, key} = await startPriced(t, [budget({})]);
	for (const name of ['search', 'search', 'buy', 'none']) await wire.call(name);
	await wire.ask('tools/list');
	await gateway.gateway.usage.flush();
	const ask = async (path: string, bearer: string) =>
		(await (await fetch(`${gateway.url}${path}`, {headers: {authorization: `Bearer ${bearer}`}})).json()) as {
			rows: Record<string, unknown>[];
		};
	const {rows} = await ask('/admin/usage?by=server,tool&operation=tools/call', gateway.adminKey!);
	const told = rows.map(({server, tool, requests, costMicroUsd}) => [server, tool, requests, costMicroUsd]);
	t.deepEqual(told, [
		['shop', 'shop/buy', 1, 10_000],
		['shop', 'shop/none', 1, 0],
		['shop', 'shop/search', 2, 2_000],
	]);
	const own = await ask('/v1/usage?by=tool', key);
	t.true(own.rows.some(({tool, costMicroUsd}) => tool === 'shop/buy' && costMicroUsd === 10_000));
});
