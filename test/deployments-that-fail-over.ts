import test, {type ExecutionContext} from 'ava';
import {freePort} from './helpers/free-port.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords} from './helpers/sdks.ts';

const ask = async (
	{url}: TestGateway,
	key: string,
	model: string,
	{headers = {}, ...more}: {headers?: Record<string, string>; stream?: boolean} = {},
) => {
	const response = await fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers},
		body: JSON.stringify({model, messages: [{role: 'user', content: 'hi'}], ...more}),
	});
	return {status: response.status, headers: response.headers, text: await response.text().catch(() => 'cut')};
};

const gatewayOf = async (t: ExecutionContext, models: Record<string, string[]>): Promise<TestGateway> => {
	const port = await freePort();
	return startGateway(t, baseUrl => ({
		models,
		providers: {
			local: {speaks: 'openai', baseUrl, key: 'sk-local-0123456789', timeoutMs: 300},
			patient: {speaks: 'openai', baseUrl, key: 'sk-local-0123456789'},
			locked: {speaks: 'openai', baseUrl, key: 'wrong-key'},
			nobody: {speaks: 'openai', baseUrl: `http://127.0.0.1:${port}/v1`, key: 'sk-nobody-0123456789'},
		},
	}));
};

test('the next deployment is asked when one is not there, late, limited, failing or cut off', async t => {
	const models = {
		'not-there': ['nobody/echo', 'local/echo'],
		late: ['local/fault-slow-5000', 'local/echo'],
		limited: ['local/fault-429', 'local/echo'],
		failing: ['local/fault-500', 'local/fault-503', 'local/echo'],
		'cut-off': ['local/fault-reset', 'local/echo'],
	};
	const gateway = await gatewayOf(t, models);
	const key = await gateway.key();
	const expected = {
		'not-there': [{error: 'upstream_unreachable'}, {status: 200}],
		late: [{error: 'upstream_timeout'}, {status: 200}],
		limited: [{status: 429, error: 'upstream_rate_limited'}, {status: 200}],
		failing: [{status: 500, error: 'upstream_failed'}, {status: 503, error: 'upstream_failed'}, {status: 200}],
		'cut-off': [{error: 'upstream_failed'}, {status: 200}],
	};
	for (const [model, attempts] of Object.entries(expected)) {
		for (const stream of [false, true]) {
			const {status, headers, text} = await ask(gateway, key, model, {stream});
			t.is(status, 200, model);
			t.regex(text, stream ? /"said:|said/ : /You said: hi/);
			t.is(headers.get('x-sallyport-route'), `local/echo; attempts=${attempts.length}`);
			const record = (await modelRecords(gateway)).at(-1);
			t.like(record, {outcome: 'ok', model, deployment: 'local/echo'});
			t.deepEqual(
				record?.attempts?.map(({status, error}) => ({...(status && {status}), ...(error && {error})})),
				attempts.map(({...attempt}) => attempt),
			);
			t.deepEqual(
				record?.attempts?.map(({deployment}) => deployment),
				models[model as keyof typeof models],
			);
		}
	}
});

test('when all deployments fail the client is told of the last, typed, and what was tried is on the record', async t => {
	const gateway = await gatewayOf(t, {all: ['nobody/echo', 'local/fault-500', 'local/fault-429-3'], none: ['nobody/echo']});
	const key = await gateway.key();
	const {status, headers, text} = await ask(gateway, key, 'all');
	t.is(status, 429);
	t.like(JSON.parse(text).error, {code: 'upstream_rate_limited', type: 'rate_limit_error'});
	t.is(headers.get('retry-after'), '3');
	t.is(headers.get('x-should-retry'), 'true');
	const unreachable = await ask(gateway, key, 'none');
	t.is(unreachable.status, 502);
	t.notRegex(unreachable.text, /127\.0\.0\.1|ECONNREFUSED/);
	const [first, second] = await modelRecords(gateway);
	t.is(first?.attempts?.length, 3);
	t.like(first, {outcome: 'failed', status: 429, error: {code: 'upstream_rate_limited'}});
	t.is(first?.deployment, undefined);
	t.like(second, {outcome: 'failed', status: 502, error: {code: 'upstream_unreachable'}});
});

test('after the first byte no other deployment is asked', async t => {
	const gateway = await gatewayOf(t, {half: ['local/fault-reset-mid', 'local/echo'], bad: ['local/fault-malformed', 'local/echo']});
	const key = await gateway.key();
	for (const model of ['half', 'bad']) {
		const whole = await ask(gateway, key, model);
		t.is(whole.status, 502);
		const streamed = await ask(gateway, key, model, {stream: true});
		t.is(streamed.status, 200);
		t.regex(streamed.text, /"error"/);
		t.notRegex(streamed.text, /\[DONE\]/);
	}
	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome, attempts}) => ({outcome, attempts: attempts?.length})),
		[1, 2, 3, 4].map(() => ({outcome: 'failed', attempts: 1})),
	);
	t.is(gateway.upstream.counts().total, 4);
});

test('a provider that refuses the gateway’s own key is not quoted, and not left for another', async t => {
	const gateway = await gatewayOf(t, {locked: ['locked/echo', 'local/echo']});
	const key = await gateway.key();
	const {status, headers, text} = await ask(gateway, key, 'locked');
	t.is(status, 502);
	t.like(JSON.parse(text).error, {code: 'upstream_refused'});
	t.is(headers.get('x-should-retry'), 'false');
	t.notRegex(text, /wrong-key|Incorrect API key|openai\.com/);
	t.is(gateway.upstream.counts().total, 1);
});

test('what a provider says against the request itself is handed on and not tried elsewhere', async t => {
	const gateway = await gatewayOf(t, {picky: ['local/fault-400', 'local/echo']});
	const {status, headers, text} = await ask(gateway, await gateway.key(), 'picky');
	t.is(status, 400);
	t.regex(text, /was not accepted/);
	t.is(headers.get('x-should-retry'), 'false');
	t.is(gateway.upstream.counts().total, 1);
	t.like((await modelRecords(gateway))[0], {outcome: 'failed', status: 400, costMicroUsd: 0});
});

test('a client may wait for less than the provider’s timeout, and for nothing else', async t => {
	const gateway = await gatewayOf(t, {slow: ['patient/fault-slow-5000']});
	const key = await gateway.key();
	const begun = performance.now();
	const {status, text} = await ask(gateway, key, 'slow', {headers: {'x-sallyport-timeout-ms': '100'}});
	t.is(status, 504);
	t.like(JSON.parse(text).error, {code: 'upstream_timeout'});
	t.true(performance.now() - begun < 3_000);
	for (const wrong of ['0', '-1', '1.5', 'soon', '1e9', '']) {
		const refused = await ask(gateway, key, 'slow', {headers: {'x-sallyport-timeout-ms': wrong}});
		t.is(refused.status, 400, wrong);
		t.like(JSON.parse(refused.text).error, {code: 'invalid_request', param: 'x-sallyport-timeout-ms'});
	}
	await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
	t.is(gateway.upstream.counts().total, 1);
});
