import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {modelRecords, user} from './helpers/sdks.ts';

type Key = {id: string; key: string};

const create = async (gateway: TestGateway, input: object = {}) => (await gateway.act('virtual-keys', 'create', {...input})) as Key;

const ask = async ({url}: TestGateway, headers: Record<string, string>) => {
	const response = await fetch(`${url}/v1/chat/completions`, {
		method: 'POST',
		headers: {'content-type': 'application/json', ...headers},
		body: JSON.stringify({model: 'fast', messages: user('hi')}),
	});
	const {error} = (await response.json()) as {error?: {code: string; message: string}};
	return {status: response.status, code: error?.code, message: error?.message};
};

const start = (t: ExecutionContext, more: object = {}) => startGateway(t, {plugins: [{use: 'virtual-keys'}], ...more});

test('a key comes as a bearer, as x-api-key or as x-goog-api-key; two that differ are refused, the same one twice is not', async t => {
	const gateway = await start(t);
	const [{key}, other] = [await create(gateway), await create(gateway)];
	const same: Record<string, string>[] = [
		{authorization: `Bearer ${key}`},
		{'x-api-key': key},
		{'x-goog-api-key': key},
		{authorization: `bearer ${key}`, 'x-goog-api-key': key},
	];
	for (const headers of same) t.is((await ask(gateway, headers)).status, 200, JSON.stringify(Object.keys(headers)));
	const different: Record<string, string>[] = [
		{authorization: `Bearer ${key}`, 'x-api-key': other.key},
		{'x-api-key': key, 'x-goog-api-key': other.key},
		{authorization: `Bearer ${key}`, 'x-goog-api-key': 'vk_made-up'},
		{authorization: 'Basic', 'x-api-key': key},
	];
	for (const headers of different) t.like(await ask(gateway, headers), {status: 401, code: 'unauthenticated'});
});

test('a key opens from the addresses it is for, and is told of no other', async t => {
	const gateway = await start(t, {proxy: 'trust'});
	const {key} = await create(gateway, {origins: ['203.0.113.0/24', '2001:db8::/32']});
	const from = (address: string) => ask(gateway, {'x-api-key': key, 'x-forwarded-for': address});
	for (const address of ['203.0.113.9', '2001:db8::9', '::ffff:203.0.113.9', '10.0.0.1, 203.0.113.9'])
		t.is((await from(address)).status, 200, address);
	for (const address of ['203.0.114.9', '2001:db9::9', '::ffff:203.0.114.9', '203.0.113.9, 10.0.0.1']) {
		const refused = await from(address);
		t.like(refused, {status: 403, code: 'origin_not_allowed'}, address);
		t.false(refused.message!.includes('203.0.113'));
	}
	t.like(await ask(gateway, {'x-api-key': key}), {status: 403, code: 'origin_not_allowed'});
});

test('an address that a client makes up counts for nothing where no proxy is trusted', async t => {
	const gateway = await start(t);
	const {key} = await create(gateway, {origins: ['203.0.113.0/24']});
	t.is((await ask(gateway, {'x-api-key': key, 'x-forwarded-for': '203.0.113.9'})).code, 'origin_not_allowed');
	t.is((await ask(gateway, {'x-api-key': (await create(gateway, {origins: ['127.0.0.1']})).key})).status, 200);
});

test('tags that a client names count when its key is trusted with them, and change nothing otherwise', async t => {
	const gateway = await start(t);
	const [plain, trusted] = [await create(gateway, {tags: ['own']}), await create(gateway, {tags: ['own'], mayTag: true})];
	const tags = {'x-sallyport-tags': 'project:x, batch,own'};
	t.is((await ask(gateway, {'x-api-key': plain.key, ...tags})).status, 200);
	t.is((await ask(gateway, {'x-api-key': trusted.key, ...tags})).status, 200);
	const [ignored, taken] = await modelRecords(gateway);
	t.deepEqual(ignored?.tags, ['own']);
	t.like(ignored, {annotations: {'tags.ignored': true}});
	t.deepEqual(taken?.tags, ['own', 'project:x', 'batch']);
	for (const wrong of ['a b', 'x'.repeat(201), Array(21).fill('a').join(), ',', 'a,,b', '"quoted"'])
		t.like(await ask(gateway, {'x-api-key': trusted.key, 'x-sallyport-tags': wrong}), {status: 400, code: 'invalid_request'}, wrong);
});

test('a rule for a key is a rule for those that were minted from it', async t => {
	const gateway = await startGateway(t, {});
	const parent = await create(gateway, {mayMint: true});
	const child = (await gateway.act('virtual-keys', 'mint', {parent: parent.id})) as Key;
	const guarded = await startGateway(
		t,
		{
			plugins: [{use: 'virtual-keys'}, {use: 'budgets', when: {key: parent.id}, config: {window: 'month', limitUsd: {'*': 0.000001}}}],
		},
		{folder: await copied(t, gateway.folder)},
	);
	t.is((await ask(guarded, {'x-api-key': parent.key})).code, 'budget_exceeded');
	t.is((await ask(guarded, {'x-api-key': child.key})).code, 'budget_exceeded');
	t.is((await ask(guarded, {'x-api-key': (await create(gateway)).key})).code, 'unauthenticated');
});

/** A folder with the same store, for a gateway with another config. */
const copied = async (t: ExecutionContext, folder: string): Promise<string> => {
	const {cp, mkdtemp, rm} = await import('node:fs/promises');
	const {tmpdir} = await import('node:os');
	const {join} = await import('node:path');
	const copy = await mkdtemp(join(tmpdir(), 'sallyport-copy-'));
	for (const file of ['store.db', 'store.db-wal', 'store.db-shm'])
		await cp(join(folder, file), join(copy, file), {force: true}).catch(() => undefined);
	t.teardown(() => rm(copy, {recursive: true, force: true}));
	return copy;
};
