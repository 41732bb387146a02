import {gzipSync} from 'node:zlib';
import test from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {modelRecords} from './helpers/sdks.ts';

type Sent = {body?: string | Buffer; headers?: Record<string, string>; path?: string; method?: string};

const send = async ({url}: TestGateway, key: string, {body, headers = {}, path = '/v1/chat/completions', method = 'POST'}: Sent) => {
	const anthropic = path.startsWith('/v1/messages');
	const response = await fetch(url + path, {
		method,
		headers: {...(anthropic ? {'x-api-key': key} : {authorization: `Bearer ${key}`}), 'content-type': 'application/json', ...headers},
		body: body as string | undefined,
	});
	const json = (await response.json()) as {
		type?: string;
		error: {code: string; type: string; message: string; param?: string; help: string};
	};
	return {status: response.status, json, headers: response.headers};
};

const chat = (more: Record<string, unknown>) => JSON.stringify({model: 'fast', messages: [{role: 'user', content: 'hi'}], ...more});
const message = (more: Record<string, unknown>) =>
	JSON.stringify({model: 'sonnet', max_tokens: 10, messages: [{role: 'user', content: 'hi'}], ...more});

test('a body that no two parsers would read alike is refused before anything is decided on it', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const bodies: Record<string, string | Buffer> = {
		empty: '',
		broken: '{"model":"fast",',
		'two values': `${chat({})}{}`,
		'a trailing comma': '{"model":"fast","messages":[],}',
		'a lone surrogate': '{"model":"fast","messages":[{"role":"user","content":"\\ud800"}]}',
		'invalid UTF-8': Buffer.concat([Buffer.from('{"model":"fast","x":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
		'UTF-16': Buffer.from(chat({}), 'utf16le'),
		'a byte order mark': `\ufeff${chat({})}`,
		'duplicate keys': '{"model":"fast","model":"slow","messages":[{"role":"user","content":"hi"}]}',
		'duplicate keys, one escaped': '{"model":"fast","m\\u006fdel":"slow","messages":[{"role":"user","content":"hi"}]}',
		'duplicate keys, deep': '{"model":"fast","messages":[{"role":"user","content":"hi","content":"ho"}]}',
		'10,000 nested arrays': `{"model":"fast","messages":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
		'10,000 nested arrays that never close': `{"model":"fast","messages":${'['.repeat(10_000)}`,
		'a number beyond a double': '{"model":"fast","x":1e999,"messages":[{"role":"user","content":"hi"}]}',
	};
	for (const [name, body] of Object.entries(bodies)) {
		const {status, json, headers} = await send(gateway, key, {body});
		t.is(status, 400, name);
		t.like(json.error, {code: 'invalid_json', type: 'invalid_request_error'}, name);
		t.is(headers.get('x-should-retry'), 'false');
	}
	for (const body of ['[]', '"fast"', 'null', '1']) t.is((await send(gateway, key, {body})).json.error.code, 'invalid_request', body);
	const records = await modelRecords(gateway);
	t.is(records.length, Object.keys(bodies).length + 4);
	t.true(
		records.every(
			({outcome, status, error, principal}) => outcome === 'denied' && status === 400 && error !== undefined && principal !== undefined,
		),
	);
	t.is(gateway.upstream.counts().total, 0);
});

test('a field the gateway relies on has the right type, or is named', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const wrong: [param: string, values: unknown[]][] = [
		['model', [undefined, null, 1, '', {}, ['fast'], 'x'.repeat(400)]],
		['messages', [undefined, null, 'hi', {}, []]],
		['stream', ['true', 1, {}]],
		['n', ['2', 0, -1, 1.5, 1e9]],
		['max_tokens', ['10', 0, -1, 1.5]],
		['max_completion_tokens', ['10', 0, {}]],
		['tools', ['weather', {}, [1]]],
		['stream_options', ['usage', 1, []]],
	];
	for (const [param, values] of wrong) {
		for (const value of values) {
			const {status, json} = await send(gateway, key, {body: chat({[param]: value})});
			t.is(status, 400, `${param}: ${JSON.stringify(value)}`);
			t.like(json.error, {code: 'invalid_request', type: 'invalid_request_error', param}, `${param}: ${JSON.stringify(value)}`);
		}
	}
	for (const [body, param] of [
		[chat({messages: [1]}), 'messages[0]'],
		[chat({messages: [{role: 1, content: 'hi'}]}), 'messages[0].role'],
		[chat({messages: [{role: 'user', content: 1}]}), 'messages[0].content'],
		[chat({Model: 'slow'}), 'model'],
	] as const) {
		t.is((await send(gateway, key, {body})).json.error.param, param);
	}
	for (const input of [undefined, '', [], 1, {}]) {
		const {json} = await send(gateway, key, {path: '/v1/embeddings', body: JSON.stringify({model: 'fast', input})});
		t.like(json.error, {code: 'invalid_request', param: 'input'});
	}
	for (const [field, value] of [
		['max_tokens', undefined],
		['max_tokens', '10'],
		['system', 1],
		['stream', 'yes'],
		['tools', {}],
	] as const) {
		const {status, json} = await send(gateway, key, {path: '/v1/messages', body: message({[field]: value})});
		t.is(status, 400);
		t.is(json.type, 'error');
		t.like(json.error, {type: 'invalid_request_error', code: 'invalid_request', param: field});
	}
	t.true((await modelRecords(gateway)).every(({outcome, error}) => outcome === 'denied' && error?.code === 'invalid_request'));
	t.is(gateway.upstream.counts().total, 0);
});

test('a body of 50 MB is refused, whether it says its length or not', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const large = Buffer.alloc(50 * 1_048_576, 'x');
	const said = await send(gateway, key, {body: large});
	t.is(said.status, 413);
	t.is(said.json.error.code, 'body_too_large');
	const response = await fetch(`${gateway.url}/v1/messages`, {
		method: 'POST',
		headers: {'x-api-key': key, 'content-type': 'application/json'},
		body: new ReadableStream({
			pull(controller) {
				controller.enqueue(large.subarray(0, 1_048_576));
			},
		}),
		duplex: 'half',
	} as RequestInit);
	t.is(response.status, 413);
	t.like(await response.json(), {type: 'error', error: {type: 'request_too_large', code: 'body_too_large'}});
	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome, error}) => `${outcome} ${error?.code}`),
		['denied body_too_large', 'denied body_too_large'],
	);
});

test('an unknown model, path, method or form of a body is told apart', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const cases: [Sent, number, string][] = [
		[{body: chat({model: 'nobody'})}, 404, 'model_not_found'],
		[{body: chat({model: 'nobody/echo'})}, 404, 'model_not_found'],
		[{body: chat({model: '__proto__'})}, 404, 'model_not_found'],
		[{body: chat({model: 'constructor'})}, 404, 'model_not_found'],
		[{body: chat({model: 'local/'})}, 404, 'model_not_found'],
		[{body: chat({model: 'sonnet'})}, 400, 'dialect_mismatch'],
		[{path: '/v1/messages', body: message({model: 'fast'})}, 400, 'dialect_mismatch'],
		[{body: chat({}), headers: {'content-type': 'text/plain'}}, 415, 'unsupported_media_type'],
		[{body: chat({}), headers: {'content-type': 'multipart/form-data; boundary=x'}}, 415, 'unsupported_media_type'],
		[{body: gzipSync(chat({})), headers: {'content-encoding': 'gzip'}}, 415, 'unsupported_media_type'],
		[{body: chat({}), path: '/v1/nothing'}, 404, 'not_found'],
		[{body: chat({}), path: '/'}, 404, 'not_found'],
		[{path: '/v1/models/%zz', method: 'GET'}, 404, 'model_not_found'],
		[{path: '/v1/chat/completions', method: 'GET'}, 405, 'method_not_allowed'],
		[{path: '/v1/chat/completions', method: 'DELETE'}, 405, 'method_not_allowed'],
		[{path: '/v1/messages', method: 'PUT', body: message({})}, 405, 'method_not_allowed'],
		[{path: '/v1/models', method: 'POST', body: '{}'}, 405, 'method_not_allowed'],
	];
	for (const [sent, status, code] of cases) {
		const reply = await send(gateway, key, sent);
		t.is(reply.status, status, JSON.stringify(sent));
		t.is(reply.json.error.code, code, JSON.stringify(sent));
		t.is(reply.json.type, sent.path?.startsWith('/v1/messages') ? 'error' : undefined);
		if (status === 405) t.regex(reply.headers.get('allow') ?? '', sent.path === '/v1/models' ? /GET/ : /^POST$/);
		t.false(JSON.stringify(reply.json).includes(key));
	}
	const records = await modelRecords(gateway);
	t.deepEqual(
		records.map(({error, status}) => [status, error?.code]),
		cases.map(([, status, code]) => [status, code]),
	);
	t.true(records.every(({outcome}) => outcome === 'denied'));
	t.is(gateway.upstream.counts().total, 0);
});

test('a credential that is missing, empty, huge, unknown or not the only one opens nothing', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	const other = await gateway.key();
	const credentials: Record<string, Record<string, string>> = {
		missing: {},
		empty: {authorization: ''},
		'a scheme alone': {authorization: 'Bearer'},
		'a scheme and a space': {authorization: 'Bearer '},
		huge: {authorization: `Bearer ${'k'.repeat(20_000)}`},
		unknown: {authorization: 'Bearer vk_unknown'},
		'the key without a scheme': {authorization: key},
		'the key and more': {authorization: `Bearer ${key} ${other}`},
		'two keys': {authorization: `Bearer ${key}`, 'x-api-key': other},
		'a key and an empty one': {authorization: `Bearer ${key}`, 'x-api-key': ''},
		'the admin key': {authorization: `Bearer ${gateway.adminKey}`},
	};
	for (const [name, headers] of Object.entries(credentials)) {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {'content-type': 'application/json', ...headers},
			body: chat({}),
		});
		t.is(response.status, 401, name);
		t.is(response.headers.get('www-authenticate'), 'Bearer');
		t.like(await response.json(), {error: {code: 'unauthenticated', type: 'authentication_error'}}, name);
	}
	const same = await fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {'content-type': 'application/json', authorization: `Bearer ${key}`, 'x-api-key': key},
		body: chat({}),
	});
	t.is(same.status, 200);
	const records = await modelRecords(gateway);
	t.is(records.length, Object.keys(credentials).length + 1);
	t.true(
		records.slice(0, -1).every(({outcome, error, principal}) => outcome === 'denied' && error?.code === 'unauthenticated' && !principal),
	);
	t.is(gateway.upstream.counts().total, 1);
});
