import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {eventually, modelRecords, user} from './helpers/sdks.ts';

const start = (t: ExecutionContext, running: 'cut' | 'finish') =>
	startGateway(t, {
		revoked: {running},
		models: {long: ['local/words-3000-every-10'], short: ['local/words-60-every-10'], sonnet: ['claude/words-3000-every-10']},
		plugins: [{use: 'virtual-keys'}],
	});

type Key = {id: string; key: string};

const holder = {tenant: 'acme', team: 'search', user: 'ada'};
const create = async (gateway: TestGateway, input: object = holder) => (await gateway.act('virtual-keys', 'create', {...input})) as Key;

const ask = ({url}: TestGateway, {key}: Pick<Key, 'key'>, model: string) =>
	fetch(`${url}/v1/${model === 'sonnet' ? 'messages' : 'chat/completions'}`, {
		method: 'POST',
		headers: {'x-api-key': key, 'content-type': 'application/json'},
		body: JSON.stringify({model, max_tokens: 30_000, stream: true, messages: user('go on')}),
	});

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
	return {pieces, reading, text: () => pieces.map(({text}) => text).join('')};
};

/** What is done, the code that running streams and new requests meet from then on. */
const ends: Record<string, {of?: object; deed: (gateway: TestGateway, key: Key) => Promise<unknown>; code: string}> = {
	'a key that is revoked': {deed: ({act}, {id}) => act('virtual-keys', 'revoke', {id}), code: 'unauthenticated'},
	'a key that is blocked': {deed: ({act}, {id}) => act('virtual-keys', 'block', {id}), code: 'key_blocked'},
	'a key that is given an end in the past': {
		deed: ({act}, {id}) => act('virtual-keys', 'expire', {id, at: '2026-01-01T00:00:00Z'}),
		code: 'key_expired',
	},
	'a key that is bound to another place': {
		deed: ({act}, {id}) => act('virtual-keys', 'update', {id, origins: ['203.0.113.0/24']}),
		code: 'origin_not_allowed',
	},
	'a tenant that is blocked': {deed: ({act}) => act('virtual-keys', 'tenants.block', {tenant: 'acme'}), code: 'blocked'},
	'a tenant that is deleted': {deed: ({act}) => act('virtual-keys', 'tenants.delete', {tenant: 'acme'}), code: 'blocked'},
	'a tenant that is over': {
		deed: ({act}) => act('virtual-keys', 'tenants.expire', {tenant: 'acme', at: '2026-01-01T00:00:00Z'}),
		code: 'key_expired',
	},
	'a team that is blocked': {deed: ({act}) => act('virtual-keys', 'teams.block', {tenant: 'acme', team: 'search'}), code: 'blocked'},
	'a team that is deleted': {deed: ({act}) => act('virtual-keys', 'teams.delete', {tenant: 'acme', team: 'search'}), code: 'blocked'},
	'a user that is blocked': {deed: ({act}) => act('virtual-keys', 'users.block', {tenant: 'acme', user: 'ada'}), code: 'blocked'},
	'a user that is deleted': {deed: ({act}) => act('virtual-keys', 'users.delete', {tenant: 'acme', user: 'ada'}), code: 'blocked'},
};

for (const [who, {deed, code}] of Object.entries(ends)) {
	test(`${who} gets not one byte more a second later, on a running stream or a new one`, async t => {
		const gateway = await start(t, 'cut');
		const key = await create(gateway);
		const {pieces, reading, text} = await stream(gateway, key);
		await deed(gateway, key);
		const done = performance.now();
		const next = await ask(gateway, key, 'long');
		t.is(((await next.json()) as {error: {code: string}}).error.code, code);
		await reading;
		t.true(pieces.at(-1)!.at - done < 1_000, `the last byte came after ${pieces.at(-1)!.at - done} ms`);
		const last = text().trim().split('\n\n').at(-1)!;
		t.is((JSON.parse(last.slice(last.indexOf('{'))) as {error: {code: string}}).error.code, code);
		t.false(text().includes('[DONE]'));
		const record = await eventually(async () => (await modelRecords(gateway)).find(({stream: streamed}) => streamed));
		t.like(record, {outcome: 'denied', error: {code, plugin: 'virtual-keys'}, annotations: {'virtual-keys.recheck': code}});
		t.true((record.usage?.outputTokens ?? 0) > 0, 'what was produced is paid for');
	});
}

test('whatever a parent meets, its children meet in the same instant', async t => {
	for (const action of ['block', 'revoke']) {
		const gateway = await start(t, 'cut');
		const parent = await create(gateway, {...holder, mayMint: 2});
		const child = (await gateway.act('virtual-keys', 'mint', {parent: parent.id, mayMint: true})) as Key;
		const grandchild = (await gateway.act('virtual-keys', 'mint', {parent: child.id})) as Key;
		const streams = [await stream(gateway, child), await stream(gateway, grandchild)];
		await gateway.act('virtual-keys', action, {id: parent.id});
		const done = performance.now();
		const codes = await Promise.all(
			[parent, child, grandchild].map(
				async key => ((await (await ask(gateway, key, 'long')).json()) as {error: {code: string}}).error.code,
			),
		);
		t.deepEqual(codes, Array(3).fill(action === 'block' ? 'key_blocked' : 'unauthenticated'));
		await Promise.all(streams.map(({reading}) => reading));
		for (const {pieces} of streams) t.true(pieces.at(-1)!.at - done < 1_000);
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

test('a key that ends in the middle of a stream ends the stream, unless its end was moved', async t => {
	const gateway = await start(t, 'cut');
	const short = (await create(gateway, {ttlSeconds: 1})) as Key;
	const moved = (await create(gateway, {ttlSeconds: 1})) as Key;
	const cut = await stream(gateway, short, 'long');
	const goesOn = await stream(gateway, moved, 'long');
	const begun = performance.now();
	await gateway.act('virtual-keys', 'expire', {id: moved.id, at: null});
	await cut.reading;
	t.true(performance.now() - begun < 2_500);
	t.true(cut.text().includes('key_expired'));
	const before = goesOn.pieces.length;
	await eventually(() => (goesOn.pieces.length > before + 20 ? true : undefined));
	await gateway.act('virtual-keys', 'revoke', {id: moved.id});
	await goesOn.reading;
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

test('a stream of somebody else goes on', async t => {
	const gateway = await start(t, 'cut');
	const [one, other] = [await create(gateway), await create(gateway, {tenant: 'other', user: 'ada'})];
	const cut = await stream(gateway, one);
	const goesOn = await stream(gateway, other);
	await gateway.act('virtual-keys', 'tenants.block', {tenant: 'acme'});
	await cut.reading;
	t.false(goesOn.text().includes('error'));
	const before = goesOn.pieces.length;
	await eventually(() => (goesOn.pieces.length > before + 20 ? true : undefined));
	await gateway.act('virtual-keys', 'revoke', {id: other.id});
	await goesOn.reading;
});

test('an answer that does not stream is ended too', async t => {
	const gateway = await startGateway(t, {
		revoked: {running: 'cut'},
		models: {slow: ['local/fault-slow-9000']},
		plugins: [{use: 'virtual-keys'}],
	});
	const key = await create(gateway);
	const asked = fetch(`${gateway.url}/v1/chat/completions`, {
		method: 'POST',
		headers: {'x-api-key': key.key, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'slow', messages: user('hi')}),
	});
	await eventually(() => ([...gateway.gateway.running].some(({opened}) => opened) ? true : undefined));
	const begun = performance.now();
	await gateway.act('virtual-keys', 'block', {id: key.id});
	const response = await asked;
	t.is(response.status, 403);
	t.true(performance.now() - begun < 1_000);
	t.is(((await response.json()) as {error: {code: string}}).error.code, 'key_blocked');
});
