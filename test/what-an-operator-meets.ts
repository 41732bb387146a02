import {readFileSync} from 'node:fs';
import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {everythingOverStdio} from './helpers/mcp-servers.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {user} from './helpers/sdks.ts';

const page = readFileSync(new URL('../docs/operate.md', import.meta.url), 'utf8');

/** What every HTTP server sends. */
const usual = new Set(['cache-control', 'connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding']);

test('every header and every metric that a gateway sends is on the page for operators, the metrics with their labels', async t => {
	const gateway = await startGateway(t, {
		servers: {everything: everythingOverStdio()},
		toolPrices: {'everything/*': {usdPerCall: 0.001}},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'*': {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']}}}},
			{use: 'tool-pins', config: {first: {'*': 'trust'}}},
			{use: 'masking', config: {mask: ['email']}},
			{use: 'budgets', config: {window: 'month', limitUsd: {'*': 1}}},
			{use: 'rate-limits', config: {limits: {'*': {'requests/minute': 100, 'tokens/minute': 1_000_000}}}},
		],
	});
	const key = await gateway.key();
	const seen = new Set<string>();
	const ask = async (path: string, body?: unknown, token = key): Promise<number> => {
		const response = await fetch(`${gateway.url}${path}`, {
			method: body === undefined ? 'GET' : 'POST',
			headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'},
			...(body !== undefined && {body: JSON.stringify(body)}),
		});
		for (const name of response.headers.keys()) seen.add(name);
		await response.text();
		return response.status;
	};
	const call = {model: 'fast', messages: user('write to ann@example.com')};
	t.is(await ask('/v1/chat/completions', call), 200);
	t.is(await ask('/v1/chat/completions', {...call, stream: true}), 200);
	t.is(await ask('/v1/chat/completions', {...call, model: 'nowhere'}), 404);
	t.is(await ask('/v1/chat/completions', call, 'vk_unknown'), 401);
	t.is(await ask('/v1/chat/completions', {...call, max_tokens: 1_000_000}), 429);
	t.is(await ask('/v1/chat/completions'), 405);
	for (const path of ['/healthz', '/readyz', '/v1/models']) t.is(await ask(path), 200);
	const wire = wireTo(`${gateway.url}/mcp/everything`, key);
	const session = {'mcp-session-id': await wire.begin()};
	const params = {name: 'echo', arguments: {message: 'hi'}};
	for (const {headers} of [
		await wire.send({jsonrpc: '2.0', id: 1, method: 'tools/call', params}, session),
		await wire.send({jsonrpc: '2.0', id: 2, method: 'tools/list', params: {}}),
		await wire.ask('tools/list'),
	])
		for (const name of headers.keys()) seen.add(name);

	t.true(
		seen.has('x-sallyport-guards') && seen.has('x-sallyport-budget-remaining') && seen.has('x-ratelimit-reset-tokens'),
		[...seen].join(),
	);
	for (const name of seen) t.true(usual.has(name) || page.includes(`\`${name}\``), name);

	const text = await (await fetch(`${gateway.url}/metrics`)).text();
	const metrics = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
	t.true(metrics.includes('sallyport_findings_total'));
	for (const metric of metrics) {
		const row = page.split('\n').find(line => line.includes(`\`${metric}\``));
		t.truthy(row, metric);
		const series = text.split('\n').filter(line => line.startsWith(metric));
		const labels = new Set(series.flatMap(line => [...line.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!)));
		// How the format itself writes histograms and summaries.
		for (const label of ['le', 'quantile']) labels.delete(label);
		for (const label of labels) t.true(row?.includes(`\`${label}\``), `${metric} ${label}`);
	}
});
