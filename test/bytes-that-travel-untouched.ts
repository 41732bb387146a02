import test from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {modelRecords} from './helpers/sdks.ts';

const post = async ({url}: TestGateway, key: string, body: string, path = '/v1/chat/completions') => {
	const response = await fetch(url + path, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body,
	});
	return {status: response.status, text: await response.text(), headers: response.headers};
};

/** Spaces, escapes, unknown fields and numbers that no parser would write again in the same way. */
const odd = (model: string, more = '') =>
	`{ "messages":[{"role":"user","content":"caf\\u00e9 \\/ \\ud83d\\ude00 ü", "x_unknown":[1.0,1e3,-0,12345678901234567890]}],\n"model" : "${model}",\t"metadata":{"__proto__":{"a":null}} ${more}}`;

test('a body nobody rewrote reaches the provider as the very bytes that came', async t => {
	const gateway = await startGateway(t, {models: {echo: ['local/echo']}});
	const key = await gateway.key();
	const body = odd('echo');
	t.is((await post(gateway, key, body)).status, 200);
	t.is(gateway.upstream.requests[0]?.body, body);
});

test('an alias changes the name of the model and no other byte', async t => {
	const gateway = await startGateway(t, {models: {'my "own" model': ['local/words-3']}});
	const key = await gateway.key();
	t.is((await post(gateway, key, odd('my \\"own\\" m\\u006fdel'))).status, 200);
	t.is(gateway.upstream.requests[0]?.body, odd('words-3'));
});

test('a stream asks for its usage, and a client that did not ask does not see it', async t => {
	const gateway = await startGateway(t, {models: {echo: ['local/echo']}});
	const key = await gateway.key();
	for (const more of [
		', "stream":true',
		', "stream":true, "stream_options":null',
		', "stream":true, "stream_options":{"include_usage":false}',
	]) {
		gateway.upstream.reset();
		const {status, text} = await post(gateway, key, odd('echo', more));
		t.is(status, 200);
		t.notRegex(text, /usage/);
		t.regex(text, /\[DONE\]\n\n$/);
		t.like(JSON.parse(gateway.upstream.requests[0]?.body ?? ''), {stream_options: {include_usage: true}});
	}
	t.is(gateway.upstream.requests[0]?.body.includes('[1.0,1e3,-0,12345678901234567890]'), true);
	t.deepEqual(
		(await modelRecords(gateway)).map(({usage, outcome}) => ({source: usage?.source, outcome})),
		[1, 2, 3].map(() => ({source: 'reported', outcome: 'ok'})),
	);
});

test('a stream whose client asked for its usage goes up and down byte for byte', async t => {
	const gateway = await startGateway(t, {models: {echo: ['local/echo']}});
	const key = await gateway.key();
	const body = odd('echo', ', "stream":true, "stream_options":{"include_usage":true}');
	const {text} = await post(gateway, key, body);
	t.is(gateway.upstream.requests[0]?.body, body);
	t.regex(text, /"prompt_tokens"/);
	const direct = await fetch(`${gateway.upstream.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: 'Bearer any-key'},
		body,
	});
	const alike = (stream: string) => stream.replaceAll(/"id":"[^"]+"|"created":\d+/g, '');
	t.is(alike(text), alike(await direct.text()));
	t.like((await modelRecords(gateway))[0], {usage: {source: 'reported'}});
});

test('of a client’s headers only those that a provider needs go on, and of a provider’s only those that a client needs', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const response = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {
			authorization: `Bearer ${key}`,
			'content-type': 'application/json',
			cookie: 'a=b',
			'x-forwarded-for': '10.0.0.1',
			'x-private': 'private',
			'openai-organization': 'org-1',
			traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
		},
		body: odd('fast'),
	});
	await response.text();
	const known = [
		'accept',
		'accept-encoding',
		'authorization',
		'connection',
		'content-length',
		'content-type',
		'host',
		'traceparent',
		'user-agent',
	];
	t.deepEqual(
		Object.keys(gateway.upstream.requests[0]?.headers ?? {}).filter(name => !known.includes(name)),
		[],
	);
	t.deepEqual([...response.headers.keys()].filter(name => !name.startsWith('x-sallyport-')).sort(), [
		'connection',
		'content-length',
		'content-type',
		'date',
		'keep-alive',
		'x-request-id',
	]);
});
