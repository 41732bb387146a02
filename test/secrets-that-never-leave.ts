import {hash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {providerKey, startGateway} from './helpers/gateway.ts';
import {modelRecords} from './helpers/sdks.ts';

const faults = [
	...['echo', 'fault-400', 'fault-401', 'fault-403', 'fault-404', 'fault-413', 'fault-429', 'fault-500', 'fault-503', 'fault-529'],
	...['fault-reset', 'fault-reset-mid', 'fault-error-mid', 'fault-malformed', 'fault-stall', 'fault-no-usage', 'fault-calls-weather'],
	...['fault-echo-headers', 'fault-slow-2000', 'fault-unheard-of', `say:${Buffer.from(`the key is ${providerKey}`).toString('base64url')}`],
];

/** All that the client of one request sees. */
const seen = async (
	url: string,
	{method = 'POST', headers = {}, body}: {method?: string; headers?: Record<string, string>; body?: string} = {},
) => {
	const response = await fetch(url, {method, headers: {'content-type': 'application/json', ...headers}, body});
	const text = await response.text().catch((error: Error) => `cut: ${error.message}`);
	return {status: response.status, all: `${JSON.stringify([...response.headers])}\n${text}`};
};

test('no key, and no hash of one, is in any reply, log line or record, whatever goes wrong', async t => {
	const gateway = await startGateway(t, baseUrl => ({
		providers: {
			local: {speaks: 'openai', baseUrl, key: providerKey, timeoutMs: 200, idleMs: 200},
			claude: {speaks: 'anthropic', baseUrl, key: providerKey, timeoutMs: 200, idleMs: 200},
			locked: {speaks: 'openai', baseUrl, key: 'wrong-key'},
			'claude-locked': {speaks: 'anthropic', baseUrl, key: 'wrong-key'},
			nobody: {speaks: 'openai', baseUrl: 'http://127.0.0.1:9/v1', key: providerKey},
		},
		models: {fast: ['local/echo']},
	}));
	const key = await gateway.key();
	const blocked = await gateway.act('virtual-keys', 'create');
	await gateway.act('virtual-keys', 'block', {id: blocked.id});
	const secrets = [providerKey, 'wrong-key', key, String(blocked.key), String(gateway.adminKey)];
	const forbidden = [
		...secrets,
		...secrets.map(secret => hash('sha256', secret, 'hex')),
		...secrets.map(secret => hash('sha256', secret, 'base64')),
	];
	const check = (what: string, text: string) => {
		for (const [place, secret] of forbidden.entries()) t.false(text.includes(secret), `secret ${place} in ${what}: ${text.slice(0, 500)}`);
	};

	const replies: Promise<void>[] = [];
	let asked = 0;
	const ask = (url: string, more: Parameters<typeof seen>[1] = {}) => {
		asked += 1;
		replies.push(seen(gateway.url + url, more).then(({all}) => check(`${url} ${more.body}`, all)));
	};
	for (const stream of [false, true]) {
		for (const fault of faults) {
			const messages = [{role: 'user', content: 'hi'}];
			ask('/v1/chat/completions', {
				headers: {authorization: `Bearer ${key}`},
				body: JSON.stringify({model: `local/${fault}`, messages, stream}),
			});
			ask('/v1/messages', {
				headers: {'x-api-key': key},
				body: JSON.stringify({model: `claude/${fault}`, max_tokens: 60, messages, stream}),
			});
		}
		for (const model of ['locked/echo', 'nobody/echo']) {
			const body = JSON.stringify({model, messages: [{role: 'user', content: 'hi'}], stream});
			ask('/v1/chat/completions', {headers: {authorization: `Bearer ${key}`}, body});
			ask('/v1/chat/completions', {headers: {authorization: `Bearer ${blocked.key}`}, body});
			ask('/v1/chat/completions', {headers: {authorization: key}, body});
			ask('/v1/chat/completions', {headers: {authorization: `Bearer ${key}`, 'x-api-key': String(blocked.key)}, body});
			ask('/v1/chat/completions', {headers: {authorization: `Bearer ${gateway.adminKey}`}, body});
		}
		const body = JSON.stringify({model: 'claude-locked/echo', max_tokens: 5, messages: [{role: 'user', content: 'hi'}], stream});
		ask('/v1/messages', {headers: {'x-api-key': key}, body});
	}
	ask(`/v1/models?key=${key}`, {method: 'GET'});
	ask(`/v1/${key}`, {method: 'GET'});
	ask('/v1/models', {method: 'GET', headers: {authorization: `Bearer ${key}`}});
	ask('/admin/plugins', {method: 'GET', headers: {authorization: `Bearer ${key}`}});
	ask('/admin/plugins', {method: 'GET', headers: {authorization: `Bearer ${gateway.adminKey}`}});
	ask('/admin/openapi.json', {method: 'GET', headers: {authorization: `Bearer ${gateway.adminKey}`}});
	ask('/admin/plugins/virtual-keys/actions/list', {headers: {authorization: `Bearer ${gateway.adminKey}`}, body: '{}'});
	ask('/admin/plugins/virtual-keys/actions/get', {
		headers: {authorization: `Bearer ${gateway.adminKey}`},
		body: JSON.stringify({id: blocked.id}),
	});
	ask('/metrics', {method: 'GET'});
	ask('/healthz', {method: 'GET'});
	ask('/readyz', {method: 'GET'});
	await Promise.all(replies);

	t.is((await gateway.journal()).filter(({kind}) => kind === 'exchange').length, asked - 3 + 3);
	for (const file of await readdir(join(gateway.folder, 'journal'))) {
		if (file.endsWith('.jsonl')) check(file, await readFile(join(gateway.folder, 'journal', file), 'utf8'));
	}
	check('the log', gateway.logged());
	t.true((await modelRecords(gateway)).some(({error}) => error?.code === 'upstream_malformed'));
});

test('a provider that repeats the gateway’s key answers nothing, in a stream neither', async t => {
	const gateway = await startGateway(t, {models: {echo: ['local/fault-echo-headers'], 'claude-echo': ['claude/fault-echo-headers']}});
	const key = await gateway.key();
	const body = (stream: boolean) => JSON.stringify({model: 'echo', messages: [{role: 'user', content: 'hi'}], stream});
	const whole = await seen(`${gateway.url}/v1/chat/completions`, {headers: {authorization: `Bearer ${key}`}, body: body(false)});
	t.is(whole.status, 502);
	t.regex(whole.all, /upstream_malformed/);
	const streamed = await seen(`${gateway.url}/v1/chat/completions`, {headers: {authorization: `Bearer ${key}`}, body: body(true)});
	t.regex(streamed.all, /upstream_malformed/);
	const anthropic = await seen(`${gateway.url}/v1/messages`, {
		headers: {'x-api-key': key},
		body: JSON.stringify({model: 'claude-echo', max_tokens: 500, messages: [{role: 'user', content: 'hi'}], stream: true}),
	});
	t.regex(anthropic.all, /upstream_malformed/);
	t.deepEqual(
		(await modelRecords(gateway)).map(({outcome, error}) => `${outcome} ${error?.code}`),
		[1, 2, 3].map(() => 'failed upstream_malformed'),
	);
});
