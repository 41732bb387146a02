import test, {type ExecutionContext} from 'ava';
import type {HttpRequest} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const url = 'https://hooks.example/in';
const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const notice = {account: 'key:key_1', unit: 'microUsd' as const, window: 'day', percent: 80, used: 81, limit: 100};

const start = async (t: ExecutionContext, {answers = [], ...config}: {answers?: (number | Error)[]; [key: string]: unknown} = {}) => {
	const clock = {now: Date.parse('2026-11-22T12:00:00Z')};
	const requests: HttpRequest[] = [];
	const plugin = await startPlugin(import.meta.url, {
		config: {endpoints: [{url}], ...config},
		secrets: {webhook: secret},
		now: () => clock.now,
		async http(request) {
			requests.push(request);
			const answer = answers.shift() ?? 204;
			if (answer instanceof Error) throw answer;
			return {status: answer, headers: {}, body: ''};
		},
	});
	t.teardown(plugin.close);
	/** Resolves when what was begun in the background has come so far. */
	const audit = async (record: object, until: () => boolean = () => true) => {
		t.is(await plugin.ask('on-audit', {record}), undefined);
		const end = performance.now() + 5_000;
		while (!until() && performance.now() < end) await new Promise(resolve => setTimeout(resolve, 5));
		t.true(until());
	};
	const kept = () => Object.keys(plugin.kv()).length;
	/** How often that which waits has been tried. */
	const tries = () => Object.values(plugin.kv() as Record<string, {tries: number}>).map(({tries}) => tries);
	return {plugin, audit, requests, kept, tries, clock, answers, act: plugin.act};
};

test('a limit that was reached is told, signed, under a name of its own, and kept until it is delivered', async t => {
	const {audit, requests, kept} = await start(t);
	await audit({exchange: 'ex_1', outcome: 'ok', notices: [notice]}, () => requests.length === 1 && kept() === 0);
	const [{headers = {}, body = '', ...request} = {url: ''}] = requests;
	t.deepEqual(request, {url, method: 'POST', timeoutMs: 10_000});
	t.regex(headers['webhook-id']!, /^msg_[0-9a-f-]{36}$/);
	t.is(headers['webhook-timestamp'], String(Date.parse('2026-11-22T12:00:00Z') / 1_000));
	t.regex(headers['webhook-signature']!, /^v1,[A-Za-z0-9+/]{43}=$/);
	t.deepEqual(JSON.parse(body), {type: 'limit.reached', timestamp: '2026-11-22T12:00:00.000Z', data: {...notice, exchange: 'ex_1'}});
});

test('a record in which nothing was reached is told to nobody who did not ask for it', async t => {
	const {audit, requests} = await start(t);
	await audit({exchange: 'ex_1', outcome: 'denied', error: {code: 'denied'}});
	await audit({exchange: 'ex_2', outcome: 'ok'});
	t.deepEqual(requests, []);
});

test('exchanges that ended as an endpoint asks for are told to it alone', async t => {
	const other = 'https://other.example/in';
	const {audit, requests} = await start(t, {endpoints: [{url, notices: false, outcomes: ['denied']}, {url: other}]});
	const record = {exchange: 'ex_1', outcome: 'denied', status: 429, error: {code: 'budget_exceeded'}, model: 'fast'};
	await audit({...record, notices: [notice]}, () => requests.length === 2);
	t.deepEqual(requests.map(({url: to, body = ''}) => [to, JSON.parse(body).type, JSON.parse(body).data]).sort(), [
		[url, 'exchange.denied', record],
		[other, 'limit.reached', {...notice, exchange: 'ex_1'}],
	]);
});

test('what was not delivered is tried again with what comes later, and less and less often', async t => {
	const {audit, requests, kept, tries, clock, act} = await start(t, {answers: [500, new Error('down')]});
	await audit({notices: [notice]}, () => requests.length === 1 && tries()[0] === 1);
	await audit({});
	t.is(requests.length, 1, 'not due yet');
	clock.now += 30_000;
	await audit({}, () => requests.length === 2 && tries()[0] === 2);
	clock.now += 119_000;
	await audit({});
	t.is(requests.length, 2);
	t.like(await act('outbox'), {messages: {length: 1, 0: {tries: 2, type: 'limit.reached', url}}});
	clock.now += 1_000;
	await audit({}, () => requests.length === 3 && kept() === 0);
	t.is(new Set(requests.map(({headers}) => headers?.['webhook-id'])).size, 1, 'the receiver can tell that it is the same');
	t.is(new Set(requests.map(({body}) => body)).size, 1);
});

test('after its last try a message is given up', async t => {
	const {audit, requests, kept, tries, act} = await start(t, {answers: Array(20).fill(503)});
	await audit({notices: [notice]}, () => tries()[0] === 1);
	while (kept() > 0) t.deepEqual(await act('flush'), {tried: 1, delivered: 0});
	t.is(requests.length, 8);
	t.deepEqual(await act('flush'), {tried: 0, delivered: 0});
});

test('flush delivers what waits, whether it is due or not', async t => {
	const {audit, act, kept, tries} = await start(t, {answers: [500]});
	await audit({notices: [notice]}, () => tries()[0] === 1);
	t.deepEqual(await act('flush'), {tried: 1, delivered: 1});
	t.is(kept(), 0);
});

test('the outbox holds no more than it may; what is told of exchanges is kept only when it was not delivered', async t => {
	const {audit, requests, kept} = await start(t, {
		keep: 2,
		endpoints: [{url, outcomes: ['ok']}],
		answers: [204, 500, 500, 500],
	});
	await audit({outcome: 'ok'}, () => requests.length === 1);
	t.is(kept(), 0);
	for (let count = 2; count <= 4; count++)
		await audit({outcome: 'ok'}, () => requests.length === count && kept() === Math.min(2, count - 1));
	t.is(kept(), 2);
});

test('test says what each endpoint answered', async t => {
	const {act} = await start(t, {answers: [410]});
	t.deepEqual(await act('test'), {endpoints: [{url, delivered: false, failure: 'answered 410'}]});
	t.deepEqual(await act('test'), {endpoints: [{url, delivered: true}]});
});

test('a secret that is missing or none is said, and nothing is sent unsigned', async t => {
	const {act, requests} = await start(t, {endpoints: [{url, secret: 'other'}]});
	t.like(await act('test'), {endpoints: {0: {delivered: false}}});
	t.deepEqual(requests, []);
});
