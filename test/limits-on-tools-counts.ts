import test from 'ava';
import {account, codeOf, startPriced} from './helpers/priced-tools.ts';

const counts = (use: 'quotas' | 'rate-limits', limits: Record<string, Record<string, number>>) => ({use, config: {limits}});

test('of 100 calls at once under a quota of seven tool calls, exactly seven reach the tool', async t => {
	const {wire, made, spent} = await startPriced(t, [counts('quotas', {[account]: {'toolCalls/month': 7}})]);
	const said = await Promise.all(Array.from({length: 100}, () => wire.call('search')));
	t.is(said.filter(one => codeOf(one) === 'ok').length, 7);
	t.is(said.filter(one => codeOf(one) === 'quota_exceeded').length, 93);
	t.is(made(), 7);
	t.deepEqual(spent(account, 'toolCalls'), [7, 0]);
});

test('requests count calls of tools and whatever else asks a server, and no list', async t => {
	const {wire, spent} = await startPriced(t, [
		counts('quotas', {[account]: {'requests/month': 3, 'toolCalls/month': 1, 'tokens/month': 0}}),
	]);
	for (let round = 0; round < 5; round++) t.is(codeOf(await wire.ask('tools/list')), 'ok');
	t.is(codeOf(await wire.call('search')), 'ok', 'a tool takes no tokens');
	t.is(codeOf(await wire.call('search')), 'quota_exceeded');
	t.is(codeOf(await wire.ask('resources/read', {uri: 'note://one'})), '-32601');
	t.is(codeOf(await wire.ask('prompts/get', {name: 'x'})), '-32601');
	t.deepEqual(spent(account, 'toolCalls'), [1, 0]);
	t.is(spent(account, 'requests')[1], 0);
});

test('a rate is that of one tool or one server, and its headers say what is left', async t => {
	const limits = {
		'*/tool:shop/buy': {'requests/rolling:1h': 1},
		'server:shop': {'toolCalls/rolling:1h': 3},
		'*': {'requests/rolling:1h': 50},
	};
	const {wire} = await startPriced(t, [counts('rate-limits', limits)]);
	const first = await wire.call('buy');
	t.is(first.headers.get('x-ratelimit-limit-requests'), '1');
	t.is(first.headers.get('x-ratelimit-remaining-requests'), '0');
	const refused = await wire.call('buy');
	t.is(codeOf(refused), 'rate_limited');
	t.is(refused.headers.get('x-ratelimit-remaining-requests'), '0');
	t.true(Number(refused.body.error?.data?.retryAfterMs) > 3_500_000, 'the true time left');
	t.is((await wire.call('search')).headers.get('x-ratelimit-limit-requests'), '50');
	t.is(codeOf(await wire.call('search')), 'ok');
	t.is(codeOf(await wire.call('search')), 'rate_limited', 'the server has had its three');
});

test('calls at a time are held until each has ended, however it ends', async t => {
	const {wire, waiting, release} = await startPriced(t, [counts('rate-limits', {'*/tool:shop/buy': {concurrency: 2}})]);
	await wire.call('search');
	const held = [wire.call('buy', {wait: true}), wire.call('buy', {wait: true})];
	while (waiting() < 2) await new Promise(resolve => setTimeout(resolve, 5));
	t.is(codeOf(await wire.call('buy')), 'rate_limited');
	t.is(codeOf(await wire.call('search')), 'ok');
	release();
	t.deepEqual((await Promise.all(held)).map(codeOf), ['ok', 'ok']);
	t.not(codeOf(await wire.call('buy', {drop: true})), 'rate_limited');
	t.not(codeOf(await wire.call('buy', {fail: true})), 'rate_limited');
	t.is(codeOf(await wire.call('buy')), 'ok');
});

test('what fails gives its count back; what the server answers with an error, or a rule refuses afterwards, does not', async t => {
	const {wire, spent} = await startPriced(t, [
		counts('quotas', {[account]: {'toolCalls/month': 10, 'requests/month': 10}}),
		{use: 'word-list', config: {words: ['xxxx'], action: 'deny'}},
	]);
	t.not(codeOf(await wire.call('search', {drop: true})), 'ok');
	t.is(codeOf(await wire.call('search', {words: 'xxxx'})), 'content_blocked');
	t.deepEqual(spent(account, 'toolCalls'), [0, 0]);
	t.is(codeOf(await wire.call('search', {fail: true})), '-32602');
	t.deepEqual(spent(account, 'toolCalls'), [1, 0]);
	t.is(codeOf(await wire.call('search', {bytes: 4})), 'content_blocked');
	t.deepEqual(spent(account, 'toolCalls'), [2, 0]);
	t.deepEqual(spent(account, 'requests'), [2, 0]);
});

test('a session has only so many tool calls and so much to spend, and another one its own', async t => {
	const {wire, made} = await startPriced(t, [{use: 'session-caps', config: {caps: {'*': {iterations: 1, toolCalls: 3, usd: 0.0125}}}}]);
	const call = (session: string, name: string) => wire.ask('tools/call', {name, arguments: {}}, {'x-sallyport-session': session});
	t.is(codeOf(await call('a', 'buy')), 'ok');
	t.is(codeOf(await call('a', 'search')), 'ok');
	t.is(codeOf(await call('a', 'buy')), 'session_limit_exceeded', 'it has the call and not the money');
	t.is(codeOf(await call('a', 'search')), 'ok');
	t.is(codeOf(await call('a', 'search')), 'session_limit_exceeded', 'it has the money and not the call');
	t.is(codeOf(await call('b', 'buy')), 'ok');
	t.is(codeOf(await wire.call('buy')), 'ok', 'no session, no cap');
	t.is(made(), 5);
});

test('tool calls that models ask for count beside those over MCP, unless only one kind is to', async t => {
	const capped = async (toolCallsOf?: ('mcp' | 'model')[]) => {
		const config = {caps: {'*': {toolCalls: 2}}, ...(toolCallsOf && {toolCallsOf})};
		const {wire, gateway, key} = await startPriced(t, [{use: 'session-caps', config}]);
		const asks = async () => {
			const response = await fetch(`${gateway.url}/v1/chat/completions`, {
				method: 'POST',
				headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-sallyport-session': 'a'},
				body: JSON.stringify({
					model: 'fast',
					messages: [{role: 'user', content: 'call the tool search'}],
					tools: [{type: 'function', function: {name: 'search', parameters: {type: 'object'}}}],
				}),
			});
			return response.status;
		};
		const calls = async () => codeOf(await wire.ask('tools/call', {name: 'search', arguments: {}}, {'x-sallyport-session': 'a'}));
		return {asks, calls};
	};
	const both = await capped();
	t.is(await both.asks(), 200);
	t.is(await both.calls(), 'ok');
	t.is(await both.calls(), 'session_limit_exceeded');
	t.is(await both.asks(), 429);
	const mcp = await capped(['mcp']);
	for (let round = 0; round < 3; round++) t.is(await mcp.asks(), 200);
	t.is(await mcp.calls(), 'ok');
	const model = await capped(['model']);
	for (let round = 0; round < 3; round++) t.is(await model.calls(), 'ok');
	t.is(await model.asks(), 200);
	t.is(await model.asks(), 200);
	t.is(await model.asks(), 429);
});

test('names of tools that clients make up fill nobody’s memory, and cost no limit its place', async t => {
	const {wire, spent} = await startPriced(t, [counts('quotas', {'*/tool:shop/*': {'toolCalls/month': 1_000}})]);
	const long = 'x'.repeat(1_900);
	await Promise.all(Array.from({length: 60}, (_, index) => wire.call(`${long}${index}`)));
	t.is(codeOf(await wire.call('search')), 'ok');
	t.deepEqual(spent(`${account}/tool:shop/*`, 'toolCalls'), [1, 0]);
});
