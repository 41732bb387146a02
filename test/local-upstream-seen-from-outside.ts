import {fork, spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import test from 'ava';
import {openRequestLog} from '../examples/local-upstream/request-log.ts';
import {hi, until, upstreamAndClients} from './helpers/local-upstream.ts';

test('the log holds what arrived, and a client that left before the answer is marked in it', async t => {
	const {post, upstream} = await upstreamAndClients(t);
	await post('/v1/chat/completions?trace=1', {model: 'small', messages: hi}, {'x-mark': 'a'});
	t.like(upstream.requests, [{method: 'POST', path: '/v1/chat/completions?trace=1', headers: {'x-mark': 'a'}, aborted: false}]);
	t.deepEqual(JSON.parse(upstream.requests[0]?.body ?? ''), {model: 'small', messages: hi});

	const init = {method: 'POST', headers: {authorization: 'Bearer k'}, body: JSON.stringify({model: 'fault-slow-5000', messages: hi})};
	const client = new AbortController();
	const left = t.throwsAsync(fetch(`${upstream.url}/v1/chat/completions`, {...init, signal: client.signal}), {any: true});
	await until(() => upstream.counts().total === 2);
	client.abort();
	await left;
	await until(() => upstream.counts().inFlight === 0);
	t.deepEqual(upstream.counts(), {total: 2, models: {small: 1, 'fault-slow-5000': 1}, inFlight: 0, aborted: 1});
	t.true(upstream.requests[1]?.aborted);
	upstream.reset();
	t.deepEqual(upstream.requests, []);
});

test('the log keeps the last 10,000 requests, fewer when they are large, and counts them all', t => {
	const log = openRequestLog();
	const request = {method: 'POST', path: '/', headers: {}, body: '', aborted: false};
	for (let at = 1; at <= 10_001; at++) log.received({...request, at});
	t.is(log.requests.length, 10_000);
	t.is(log.requests[0]?.at, 2);
	const body = 'x'.repeat(30 * 1024 * 1024);
	for (let at = 0; at < 3; at++) log.received({...request, body, at});
	t.is(log.requests.length, 2);
	t.is(log.counts().total, 10_004);
});

const firstLine = async (lines: AsyncIterable<string>): Promise<string> => {
	for await (const line of lines) return line;
	return '';
};
const main = join(import.meta.dirname, '../examples/local-upstream/main.ts');

test('as a process: it prints where it listens, shows its log over HTTP and ends with 0 on SIGTERM', async t => {
	const child = spawn(process.execPath, [main], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	const {listening} = JSON.parse(await firstLine(createInterface(child.stdout)));
	await fetch(`${listening}/v1/models`, {headers: {'x-api-key': 'k'}});
	t.like(await (await fetch(`${listening}/_requests`)).json(), [{path: '/v1/models', headers: {'x-api-key': 'k'}}]);
	await fetch(`${listening}/_requests`, {method: 'DELETE'});
	t.deepEqual(await (await fetch(`${listening}/_counts`)).json(), {total: 0, models: {}, inFlight: 0, aborted: 0});
	child.kill('SIGTERM');
	t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('with its parent: it ends when the pipe to its stdin closes', async t => {
	const child = spawn(process.execPath, [main, '--with-parent'], {stdio: ['pipe', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	await firstLine(createInterface(child.stdout));
	child.stdin.end();
	t.deepEqual(await once(child, 'exit'), [0, null]);
});

test('with its parent: it ends when the IPC channel disconnects, whatever its stdin is', async t => {
	const child = fork(main, ['--with-parent'], {stdio: ['ignore', 'pipe', 'inherit', 'ipc']});
	t.teardown(() => child.kill('SIGKILL'));
	if (!child.stdout) return t.fail();
	await firstLine(createInterface(child.stdout));
	t.is(child.exitCode, null);
	child.disconnect();
	t.deepEqual(await once(child, 'exit'), [0, null]);
});
