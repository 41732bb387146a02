import {once} from 'node:events';
import {createServer, request} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {records} from '../core/journal/read.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords} from './helpers/sdks.ts';

type Asked = {status: number; text: string};

const stream = async ({url}: TestGateway, key: string, model: string, more: Record<string, unknown> = {}): Promise<Asked> => {
	const response = await fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
		body: JSON.stringify({model, messages: [{role: 'user', content: 'hi'}], stream: true, ...more}),
	});
	let text = '';
	try {
		for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) text += piece;
	} catch {
		text += '(cut)';
	}
	return {status: response.status, text};
};

const dataOf = (text: string): Record<string, unknown>[] =>
	text
		.split('\n\n')
		.filter(event => event.startsWith('data: {'))
		.map(event => JSON.parse(event.slice('data: '.length)));

const wordsOf = (text: string): string =>
	dataOf(text)
		.flatMap(({choices}) => (choices ?? []) as {delta: {content?: string}}[])
		.map(({delta}) => delta.content ?? '')
		.join('');

const errorOf = (text: string) => dataOf(text).find(({error}) => error)?.error as {code: string; type: string} | undefined;

const words = (count: number): string => Array.from({length: count}, (_, index) => `word${index + 1}`).join(' ');

const guards = [
	{use: 'virtual-keys'},
	{use: 'grants', config: {allow: {'*': ['*']}}},
	{use: 'masking', config: {mask: ['email', 'card', 'iban', 'phone', 'us-ssn', 'ip', 'api-key'], reversible: true}},
	{use: 'budgets', config: {window: 'day' as const, limitUsd: {'*': 1_000}}},
];

const watched = (t: ExecutionContext) => startGateway(t, {plugins: guards});
const plain = (t: ExecutionContext) => startGateway(t);

test.serial('256 streams at once lose nothing and mix nothing, with every plugin on', async t => {
	const gateway = await watched(t);
	const key = await gateway.key();
	const counts = Array.from({length: 256}, (_, index) => 30 + (index % 40));
	const texts = await Promise.all(counts.map(count => stream(gateway, key, `local/words-${count}`)));
	for (const [index, {text}] of texts.entries()) {
		t.is(wordsOf(text), words(counts[index]!), text.slice(0, 600));
		t.true(text.endsWith('data: [DONE]\n\n'));
	}
	const ended = await modelRecords(gateway);
	t.is(ended.length, 256);
	t.true(ended.every(({outcome, usage}) => outcome === 'ok' && usage?.source === 'reported'));
	t.is(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'day').reserved, 0);
});

test('a stream that was cut into bytes anywhere is whole, watched or not', async t => {
	for (const open of [plain, watched]) {
		const gateway = await open(t);
		const key = await gateway.key();
		for (const model of ['local/bytes-1', 'local/bytes-7', 'local/chars', 'local/split-3']) {
			for (const more of [{}, {stream_options: {include_usage: true}}]) {
				const content = 'grüße 😀 an alle';
				const {text} = await stream(gateway, key, model, {...more, messages: [{role: 'user', content}]});
				t.is(wordsOf(text), `You said: ${content}`, model);
			}
		}
		t.true((await modelRecords(gateway)).every(({usage, outcome}) => outcome === 'ok' && usage?.source === 'reported'));
	}
});

const faults: [model: string, code: string][] = [
	['fault-malformed', 'upstream_malformed'],
	['fault-reset-mid', 'upstream_failed'],
	['fault-error-mid', 'upstream_failed'],
	['fault-stall', 'upstream_timeout'],
];

test('a stream that breaks ends in a typed error event and no end of its own, watched or not', async t => {
	for (const plugins of [[{use: 'virtual-keys'}], guards]) {
		const gateway = await startGateway(t, baseUrl => ({
			plugins,
			providers: {local: {speaks: 'openai', baseUrl, key: 'sk-0123456789abcdef', idleMs: 500}},
		}));
		const key = await gateway.key();
		for (const [model, code] of faults) {
			const {status, text} = await stream(gateway, key, `local/${model}`);
			t.is(status, 200);
			t.like(errorOf(text), {code, type: 'server_error'}, model);
			t.false(text.includes('[DONE]'), model);
			t.regex(`${words(50)} `, new RegExp(`^${wordsOf(text)}`), model);
			const record = (await modelRecords(gateway)).at(-1);
			t.like(record, {outcome: 'failed', error: {code}, stream: true, usage: {source: 'estimated'}});
			t.true((record?.costMicroUsd ?? 0) > 0);
		}
		t.is(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'day').reserved, 0);
	}
});

test('an answer whose usage nobody reports is counted all the same, and says that it is a guess', async t => {
	const gateway = await plain(t);
	const key = await gateway.key();
	const {text} = await stream(gateway, key, 'local/fault-no-usage');
	t.is(wordsOf(text), 'You said: hi');
	const whole = await stream(gateway, key, 'local/fault-no-usage', {stream: false});
	t.regex(whole.text, /You said: hi/);
	for (const record of await modelRecords(gateway)) {
		t.like(record, {outcome: 'ok', usage: {source: 'estimated'}});
		t.true((record.usage?.outputTokens ?? 0) >= 3);
		t.true((record.costMicroUsd ?? 0) > 0);
	}
});

test('a client that leaves an answer without end ends it, watched or not', async t => {
	for (const open of [plain, watched]) {
		const gateway = await open(t);
		const key = await gateway.key();
		const leaving = new AbortController();
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'local/fault-endless', messages: [{role: 'user', content: 'hi'}], stream: true}),
			signal: leaving.signal,
		});
		const reader = response.body!.getReader();
		if (open === plain) await reader.read();
		leaving.abort();
		await eventually(() => (gateway.upstream.counts().aborted === 1 ? true : undefined));
		t.like(await eventually(async () => (await modelRecords(gateway))[0]), {outcome: 'aborted', error: {code: 'client_closed'}});
		t.is(gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'day').reserved, 0);
	}
});

/** A client that takes nothing until it is told to. */
const slowReader = ({url}: TestGateway, key: string, model: string) => {
	const body = JSON.stringify({model, messages: [{role: 'user', content: 'hi'}], stream: true});
	const {hostname, port} = new URL(url);
	const headers = {authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body)};
	return new Promise<{read(): Promise<number>; leave(): void}>((resolve, reject) => {
		const asked = request({hostname, port, path: '/v1/chat/completions', method: 'POST', headers}, response => {
			response.pause();
			resolve({
				async read() {
					let bytes = 0;
					for await (const piece of response) bytes += piece.length;
					return bytes;
				},
				leave: () => asked.destroy(),
			});
		});
		asked.on('error', reject).end(body);
	});
};

/** A provider that says as much as anybody takes. */
const talkative = async (t: ExecutionContext) => {
	const event = `data: ${JSON.stringify({id: 'x', choices: [{index: 0, delta: {content: 'x'.repeat(900)}, finish_reason: null}]})}\n\n`;
	const many = Buffer.from(event.repeat(64));
	const said = {bytes: 0, left: false};
	const server = createServer((_, res) => {
		const talk = () => {
			while (!said.left) {
				said.bytes += many.length;
				if (!res.write(many)) return;
			}
		};
		res.on('drain', talk).on('close', () => {
			said.left = true;
		});
		res.writeHead(200, {'content-type': 'text/event-stream'});
		talk();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	return {said, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`};
};

test('a client that does not read slows the upstream down instead of filling the memory', async t => {
	const {said, baseUrl} = await talkative(t);
	const gateway = await startGateway(t, {providers: {local: {speaks: 'openai', baseUrl, key: 'sk-0123456789abcdef'}}});
	const reader = await slowReader(gateway, await gateway.key(), 'local/any');
	const pause = () => new Promise(resolve => setTimeout(resolve, 300));
	for (let before = -1; said.bytes !== before; await pause()) before = said.bytes;
	// What the sockets of two connections hold, and little more.
	t.true(said.bytes > 0 && said.bytes < 48 * 1_048_576, `${said.bytes} bytes`);
	const until = said.bytes;
	const reading = reader.read().catch(() => 0);
	await eventually(() => (said.bytes > until ? true : undefined));
	reader.leave();
	await eventually(() => (said.left ? true : undefined));
	await reading;
	t.like(await eventually(async () => (await modelRecords(gateway))[0]), {outcome: 'aborted'});
});

test('a gateway that stops lets running streams end and takes nothing new', async t => {
	const gateway = await watched(t);
	const key = await gateway.key();
	const streams = Array.from({length: 8}, () => stream(gateway, key, 'local/words-20-every-20'));
	await eventually(() => (gateway.upstream.counts().inFlight === 8 ? true : undefined));
	const stopped = gateway.stop();
	await t.throwsAsync(stream(gateway, key, 'local/echo'));
	for (const {text} of await Promise.all(streams)) {
		t.is(wordsOf(text), words(20));
		t.true(text.endsWith('data: [DONE]\n\n'));
	}
	await stopped;
});

test('a gateway that has waited long enough cuts what still runs, with an error its client can read', async t => {
	const gateway = await startGateway(t, {limits: {drainMs: 100}, plugins: guards, models: {slow: ['local/fault-slow-9000']}});
	const key = await gateway.key();
	const endless = stream(gateway, key, 'local/fault-endless');
	const waiting = stream(gateway, key, 'slow');
	const wholeWaiting = stream(gateway, key, 'slow', {stream: false});
	await eventually(() => (gateway.upstream.counts().inFlight === 3 ? true : undefined));
	const begun = performance.now();
	await gateway.stop();
	t.true(performance.now() - begun < 2_500);
	t.like(errorOf((await endless).text), {code: 'shutting_down'});
	for (const {status, text} of await Promise.all([waiting, wholeWaiting])) {
		t.is(status, 503);
		t.is(JSON.parse(text).error.code, 'shutting_down');
	}
	const ends: string[] = [];
	for await (const {kind, stream, error, outcome} of records(`${gateway.folder}/journal`)) {
		if (kind === 'exchange' && error) ends.push(`${outcome} ${error.code} ${stream}`);
	}
	t.deepEqual(ends.sort(), ['failed shutting_down false', 'failed shutting_down true', 'failed shutting_down true']);
});
