import test, {type ExecutionContext} from 'ava';
import {providerKey, startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, user} from './helpers/sdks.ts';

const start = (t: ExecutionContext, running: 'cut' | 'finish') =>
	startGateway(t, {
		revoked: {running},
		models: {
			long: ['local/words-3000-every-10'],
			short: ['local/words-60-every-10'],
			slow: ['local/fault-slow-9000'],
			sonnet: ['claude/words-3000-every-10'],
		},
		plugins: [{use: 'virtual-keys'}],
	});

type Key = {id: string; key: string; tenant: string};

const create = async (gateway: TestGateway, input: object = {tenant: 'acme', user: 'ada'}) =>
	(await gateway.act('virtual-keys', 'create', {...input})) as Key;

const ask = ({url}: TestGateway, {key}: Pick<Key, 'key'>, model: string) =>
	fetch(`${url}/v1/${model === 'sonnet' ? 'messages' : 'chat/completions'}`, {
		method: 'POST',
		headers: {'x-api-key': key, 'content-type': 'application/json'},
		body: JSON.stringify({model, max_tokens: 30_000, stream: model !== 'slow', messages: user('go on')}),
	});

const codeOf = async (response: Response): Promise<string> => ((await response.json()) as {error: {code: string}}).error.code;

/** A stream that has begun, and everything that comes of it, each piece with its moment. */
const stream = async (gateway: TestGateway, key: Pick<Key, 'key'>, model = 'long') => {
	const response = await ask(gateway, key, model);
	if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
	const pieces: {at: number; text: string}[] = [];
	const decoder = new TextDecoder();
	const reading = (async () => {
		for await (const chunk of response.body!) pieces.push({at: performance.now(), text: decoder.decode(chunk, {stream: true})});
	})();
	await eventually(() => (pieces.length > 3 ? true : undefined));
	const goesOn = async () => {
		const before = pieces.length;
		await eventually(() => (pieces.length > before + 10 ? true : undefined));
	};
	return {pieces, reading, goesOn, text: () => pieces.map(({text}) => text).join('')};
};

/** What is done, and the code that running streams and new requests meet from then on. */
const ends: [what: string, code: string, deed: (gateway: TestGateway, key: Key) => Promise<unknown>][] = [
	['a key that is revoked', 'unauthenticated', ({act}, {id}) => act('virtual-keys', 'revoke', {id})],
	['a key that is blocked', 'key_blocked', ({act}, {id}) => act('virtual-keys', 'block', {id})],
	['a key that has an end in the past', 'key_expired', ({act}, {id}) => act('virtual-keys', 'expire', {id, at: '2026-01-01T00:00:00Z'})],
	['a key for another place', 'origin_not_allowed', ({act}, {id}) => act('virtual-keys', 'update', {id, origins: ['203.0.113.0/24']})],
	['a tenant that is blocked', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'tenants.block', {tenant})],
	['a tenant that is deleted', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'tenants.delete', {tenant})],
	[
		'a tenant that is over',
		'key_expired',
		({act}, {tenant}) => act('virtual-keys', 'tenants.expire', {tenant, at: '2026-01-01T00:00:00Z'}),
	],
	['a team that is blocked', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'teams.block', {tenant, team: 'search'})],
	['a team that is deleted', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'teams.delete', {tenant, team: 'search'})],
	['a user that is blocked', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'users.block', {tenant, user: 'ada'})],
	['a user that is deleted', 'blocked', ({act}, {tenant}) => act('virtual-keys', 'users.delete', {tenant, user: 'ada'})],
];

test('whoever is revoked, blocked, over or deleted gets not one byte more a second later, on a running stream or a new one', async t => {
	const gateway = await start(t, 'cut');
	for (const [number, [what, code, deed]] of ends.entries()) {
		const key = await create(gateway, {tenant: `acme-${number}`, team: 'search', user: 'ada'});
		const {pieces, reading, text} = await stream(gateway, key);
		await deed(gateway, key);
		const done = performance.now();
		t.is(await codeOf(await ask(gateway, key, 'long')), code, what);
		await reading;
		const late = pieces.at(-1)!.at - done;
		t.true(late < 1_000, `${what}: the last byte came after ${late} ms`);
		const last = text().trim().split('\n\n').at(-1)!;
		t.is((JSON.parse(last.slice(last.indexOf('{'))) as {error: {code: string}}).error.code, code, what);
		t.false(text().includes('[DONE]'), what);
		const record = await eventually(async () =>
			(await modelRecords(gateway)).find(({stream: streamed, principal}) => streamed && (principal as {id: string}).id === key.id),
		);
		t.like(record, {outcome: 'denied', error: {code, plugin: 'virtual-keys'}, annotations: {'virtual-keys.recheck': code}});
		t.true((record.usage?.outputTokens ?? 0) > 0, `${what}: what was produced is paid for`);
	}
});

test('whatever a parent meets, its children meet in the same instant', async t => {
	const gateway = await start(t, 'cut');
	for (const [action, code] of [
		['block', 'key_blocked'],
		['revoke', 'unauthenticated'],
	] as const) {
		const parent = await create(gateway, {tenant: 'acme', mayMint: 2});
		const child = (await gateway.act('virtual-keys', 'mint', {parent: parent.id, mayMint: true})) as Key;
		const grandchild = (await gateway.act('virtual-keys', 'mint', {parent: child.id})) as Key;
		const streams = [await stream(gateway, child), await stream(gateway, grandchild)];
		await gateway.act('virtual-keys', action, {id: parent.id});
		const done = performance.now();
		for (const key of [parent, child, grandchild]) t.is(await codeOf(await ask(gateway, key, 'long')), code);
		for (const {pieces, reading} of streams) {
			await reading;
			t.true(pieces.at(-1)!.at - done < 1_000);
		}
	}
});

test('an Anthropic stream that is cut ends with an error event its SDK reads', async t => {
	const gateway = await start(t, 'cut');
	const key = await create(gateway);
	const {reading, text} = await stream(gateway, key, 'sonnet');
	await gateway.act('virtual-keys', 'block', {id: key.id});
	await reading;
	const [last] = text().trim().split('\n\n').slice(-1);
	t.regex(last!, /^event: error\ndata: /);
	t.like(JSON.parse(last!.slice(last!.indexOf('{'))), {type: 'error', error: {type: 'permission_error'}});
});

test('a key that ends in the middle of a stream ends the stream, unless its end was moved meanwhile', async t => {
	const gateway = await start(t, 'cut');
	const [short, moved] = [await create(gateway), await create(gateway)];
	const [cut, kept] = [await stream(gateway, short), await stream(gateway, moved)];
	const at = new Date(Date.now() + 1_500).toISOString();
	for (const {id} of [short, moved]) await gateway.act('virtual-keys', 'expire', {id, at});
	await gateway.act('virtual-keys', 'expire', {id: moved.id, at: null});
	await cut.reading;
	t.true(Date.now() >= Date.parse(at));
	t.true(cut.text().includes('key_expired'));
	await kept.goesOn();
	t.false(kept.text().includes('error'));
	await gateway.act('virtual-keys', 'revoke', {id: moved.id});
	await kept.reading;
});

test('where running exchanges may finish, a stream goes on to its end, and its record says what stood against it', async t => {
	const gateway = await start(t, 'finish');
	const key = await create(gateway);
	const {reading, text} = await stream(gateway, key, 'short');
	await gateway.act('virtual-keys', 'tenants.block', {tenant: 'acme'});
	t.is((await ask(gateway, key, 'short')).status, 403);
	await reading;
	t.true(text().includes('[DONE]'));
	const record = await eventually(async () => (await modelRecords(gateway)).find(({outcome}) => outcome === 'ok'));
	t.like(record, {annotations: {'virtual-keys.recheck': 'blocked'}});
	t.like(record.rulings?.at(-1), {plugin: 'virtual-keys', hook: 'pre-auth', verdict: 'deny', code: 'blocked', mode: 'observe'});
});

test('a model or a provider that is not granted any more ends the streams that use it, and no others', async t => {
	const gateway = await startGateway(t, baseUrl => ({
		revoked: {running: 'cut'},
		providers: {local: {speaks: 'openai', baseUrl, key: providerKey}, other: {speaks: 'openai', baseUrl, key: providerKey}},
		models: {long: ['local/words-3000-every-10', 'other/words-3000-every-10'], more: ['other/words-3000-every-10']},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': ['*']}}}],
	}));
	const key = await create(gateway);
	const [ofLocal, ofOther] = [await stream(gateway, key, 'long'), await stream(gateway, key, 'more')];
	await gateway.act('grants', 'allow', {scope: 'tenant:acme', providers: ['other']});
	await ofLocal.reading;
	t.true(ofLocal.text().includes('provider_not_granted'));
	await ofOther.goesOn();
	await gateway.act('grants', 'allow', {scope: `key:${key.id}`, models: ['long']});
	await ofOther.reading;
	t.true(ofOther.text().includes('model_not_granted'));
	const records = await eventually(async () => {
		const all = await modelRecords(gateway);
		return all.length === 2 ? all : undefined;
	});
	t.deepEqual(
		records.map(({error}) => error),
		[
			{code: 'provider_not_granted', plugin: 'grants'},
			{code: 'model_not_granted', plugin: 'grants', rule: `key:${key.id}`},
		],
	);
});

test('a stream of somebody else goes on', async t => {
	const gateway = await start(t, 'cut');
	const [one, other] = [await create(gateway), await create(gateway, {tenant: 'other', user: 'ada'})];
	const [cut, kept] = [await stream(gateway, one), await stream(gateway, other)];
	await gateway.act('virtual-keys', 'tenants.block', {tenant: 'acme'});
	await cut.reading;
	await kept.goesOn();
	t.false(kept.text().includes('error'));
	await gateway.act('virtual-keys', 'revoke', {id: other.id});
	await kept.reading;
});

test('an answer that does not stream is ended too', async t => {
	const gateway = await start(t, 'cut');
	const key = await create(gateway);
	const begun = performance.now();
	const asked = ask(gateway, key, 'slow');
	await eventually(() => ([...gateway.gateway.running].some(({opened}) => opened) ? true : undefined));
	await gateway.act('virtual-keys', 'block', {id: key.id});
	const response = await asked;
	t.is(response.status, 403);
	t.is(await codeOf(response), 'key_blocked');
	t.true(performance.now() - begun < 9_000, 'before its upstream had said anything');
});
