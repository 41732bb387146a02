import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {records} from '../core/journal/read.ts';
import {verify} from '../core/journal/verify.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {rawExchange} from './helpers/raw-http.ts';
import {eventually} from './helpers/sdks.ts';

/** What stands in the file at this moment, with no flush before. */
const inFile = async ({folder}: TestGateway): Promise<StoredRecord[]> => {
	const all: StoredRecord[] = [];
	for await (const record of records(join(folder, 'journal'))) all.push(record);
	return all;
};

type Asking = {path?: string; method?: string; body?: string; credential?: string; leave?: boolean};

const ask = async (
	{url}: TestGateway,
	key: string,
	{path = '/v1/chat/completions', method = 'POST', body, credential = key, leave}: Asking,
) => {
	const response = await fetch(url + path, {
		method,
		headers: {authorization: `Bearer ${credential}`, 'content-type': 'application/json'},
		body,
	});
	const id = response.headers.get('x-sallyport-exchange') ?? '';
	if (leave) await response.body?.cancel();
	else await response.text().catch(() => 'cut');
	return {id, status: response.status};
};

const chat = (model: string, stream = false) => JSON.stringify({model, messages: [{role: 'user', content: 'hi'}], stream});

const everything: [name: string, asking: Asking, outcome: StoredRecord['outcome']][] = [
	['answered', {body: chat('fast')}, 'ok'],
	['streamed', {body: chat('fast', true)}, 'ok'],
	['after a fallback', {body: chat('twice')}, 'ok'],
	['embeddings', {path: '/v1/embeddings', body: JSON.stringify({model: 'fast', input: 'hi'})}, 'ok'],
	['a list of models', {path: '/v1/models', method: 'GET'}, 'ok'],
	['a model nobody has', {path: '/v1/models/nobody', method: 'GET'}, 'denied'],
	['not granted', {body: chat('secret')}, 'denied'],
	['over budget', {body: chat('dear')}, 'denied'],
	['unauthenticated', {body: chat('fast'), credential: 'vk_nobody'}, 'denied'],
	['unreadable', {body: '{'}, 'denied'],
	['an unknown path', {path: '/v1/nothing', body: '{}'}, 'denied'],
	['a wrong method', {method: 'PUT', body: '{}'}, 'denied'],
	['failed', {body: chat('broken')}, 'failed'],
	['failed in the stream', {body: chat('broken-mid', true)}, 'failed'],
	['refused by the provider', {body: chat('picky')}, 'failed'],
	['left', {body: chat('endless', true), leave: true}, 'aborted'],
];

const models = {
	fast: ['local/echo'],
	twice: ['local/fault-500', 'local/echo'],
	secret: ['local/echo'],
	dear: ['local/dear'],
	broken: ['local/fault-500'],
	'broken-mid': ['local/fault-reset-mid'],
	picky: ['local/fault-422'],
	endless: ['local/fault-endless'],
};

const gatewayOf = (t: ExecutionContext) =>
	startGateway(t, {
		models,
		prices: {
			'local/dear': {inputUsdPerMTok: 1e6, outputUsdPerMTok: 1e6, maxOutputTokens: 1_000},
			'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000},
		},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'*': Object.keys(models).filter(name => name !== 'secret')}}},
			{use: 'budgets', config: {window: 'day', limitUsd: {'*': 5}}},
		],
	});

test('whatever becomes of an exchange, its one record is in the file when its reply has ended', async t => {
	const gateway = await gatewayOf(t);
	const key = await gateway.key();
	for (const [name, asking, outcome] of everything) {
		const {id} = await ask(gateway, key, asking);
		t.regex(id, /^ex_/, name);
		const own = async () => (await inFile(gateway)).filter(({kind, exchange}) => kind === 'exchange' && exchange === id);
		// Whoever left sees no end.
		const found = asking.leave ? await eventually(async () => ((await own()).length > 0 ? own() : undefined)) : await own();
		t.is(found.length, 1, name);
		t.is(found[0]?.outcome, outcome, name);
	}
	const [bad] = await rawExchange(gateway.url, 'NONSENSE\r\n\r\n');
	t.is(bad?.headers['x-sallyport-exchange'], (await inFile(gateway)).at(-1)?.exchange);
});

test('many exchanges at once leave one record each, after what they opened, in a chain that holds', async t => {
	const gateway = await gatewayOf(t);
	const key = await gateway.key();
	const before = (await gateway.journal()).length;
	const asked = await Promise.all(Array.from({length: 160}, (_, index) => ask(gateway, key, everything[index % everything.length]![1])));
	await eventually(() => (gateway.gateway.running.size === 0 ? true : undefined));
	const all = (await gateway.journal()).slice(before);
	const ended = all.filter(({kind}) => kind === 'exchange');
	t.deepEqual(ended.map(({exchange}) => String(exchange)).sort(), asked.map(({id}) => id).sort());

	const opened = new Map(all.filter(({kind}) => kind === 'opened').map(({exchange, seq}) => [exchange, seq]));
	for (const {exchange, attempts, seq, outcome} of ended) {
		t.is(opened.has(exchange), attempts !== undefined, outcome);
		if (attempts) t.true(opened.get(exchange)! < seq);
	}
	t.is(gateway.upstream.counts().total, ended.flatMap(({attempts = []}) => attempts).length);
	const held = gateway.gateway.ledger.balance('tenant:default', 'microUsd', 'day');
	t.is(held.reserved, 0);
	await gateway.stop();
	t.like(await verify(join(gateway.folder, 'journal')), {ok: true});
});

test('an upstream is not reached before the record that it is about to be', async t => {
	const gateway = await startGateway(t, {models: {slow: ['local/fault-slow-300']}});
	const key = await gateway.key();
	const asked = ask(gateway, key, {body: chat('slow')});
	await eventually(() => (gateway.upstream.counts().inFlight === 1 ? true : undefined));
	const opened = (await inFile(gateway)).at(-1);
	t.like(opened, {kind: 'opened', model: 'slow', operation: 'chat'});
	t.is(opened?.exchange, (await asked).id);
});

test('an action is on the record with its input, who did it and how it went, but not with the key it made', async t => {
	const gateway = await startGateway(t);
	const {key, id} = await gateway.act('virtual-keys', 'create', {tenant: 'acme', name: 'ci'});
	await t.throwsAsync(gateway.act('virtual-keys', 'block', {id: 'key_00000000000000000000000000000000'}));
	await t.throwsAsync(gateway.act('virtual-keys', 'create', {tenant: 7}));
	await t.throwsAsync(gateway.act('nobody', 'create'));
	await gateway.act('virtual-keys', 'revoke', {id});
	const actions = (await gateway.journal()).filter(({kind}) => kind === 'admin');
	const withoutChanges = (event: unknown) => ({...(event as object), changes: undefined});
	t.deepEqual(
		actions.map(({event, outcome, error}) => [JSON.parse(JSON.stringify(withoutChanges(event))), outcome, error?.code]),
		[
			[{what: 'first admin key made', admin: 'first-owner', actor: 'first start'}, 'ok', undefined],
			[{plugin: 'virtual-keys', action: 'create', input: {tenant: 'acme', name: 'ci'}, actor: 'first-owner'}, 'ok', undefined],
			[
				{plugin: 'virtual-keys', action: 'block', input: {id: 'key_00000000000000000000000000000000'}, actor: 'first-owner'},
				'failed',
				'not_found',
			],
			[{plugin: 'virtual-keys', action: 'create', input: {tenant: 7}, actor: 'first-owner'}, 'failed', 'invalid_request'],
			[{plugin: 'nobody', action: 'create', input: {}, actor: 'first-owner'}, 'failed', 'not_found'],
			[{plugin: 'virtual-keys', action: 'revoke', input: {id}, actor: 'first-owner'}, 'ok', undefined],
		],
	);
	t.false(JSON.stringify(await gateway.journal()).includes(String(key)));
	t.is((await gateway.journal()).filter(({kind, surface}) => kind === 'exchange' && surface === 'admin').length, 5);
});

test('a wrong admin key does nothing, and that is on the record', async t => {
	const gateway = await startGateway(t);
	const key = await gateway.key();
	for (const credential of ['', 'adm_wrong', key]) {
		const {status, id} = await ask(gateway, key, {path: '/admin/plugins/virtual-keys/actions/create', body: '{}', credential});
		t.is(status, 401);
		t.like((await inFile(gateway)).at(-1), {
			kind: 'exchange',
			exchange: id,
			surface: 'admin',
			outcome: 'denied',
			error: {code: 'unauthenticated'},
		});
	}
	t.is(((await gateway.act('virtual-keys', 'list')).keys as unknown[]).length, 1);
});
