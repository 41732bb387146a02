import {createHash} from 'node:crypto';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {hashOf} from '../core/admin/key.ts';
import {freshFolder} from './helpers/config-file.ts';
import {providerKey, startGateway, type TestGateway} from './helpers/gateway.ts';
import {openaiClient, user} from './helpers/sdks.ts';

const plugins = [
	{use: 'virtual-keys'},
	{use: 'grants', config: {allow: {'*': ['*']}}},
	{use: 'budgets', config: {window: 'month' as const, limitUsd: {'*': 1}}},
];

type Asking = {key?: string; body?: string; method?: string; headers?: Record<string, string>};
type Problem = {status: number; type: string; body: Record<string, unknown>; headers: Headers};

const ask = async (
	{url, adminKey}: TestGateway,
	path: string,
	{key = adminKey, body, method = 'POST', headers}: Asking = {},
): Promise<Problem> => {
	const response = await fetch(`${url}${path}`, {
		method,
		headers: {...(key && {authorization: `Bearer ${key}`}), ...(body !== undefined && {'content-type': 'application/json'}), ...headers},
		body,
	});
	const type = response.headers.get('content-type') ?? '';
	return {status: response.status, type, body: (await response.json()) as Record<string, unknown>, headers: response.headers};
};

const action = (plugin: string, name: string): string => `/admin/plugins/${plugin}/actions/${name}`;

/** What operators did, without the making of the first admin key. */
const adminRecords = async (gateway: TestGateway) => (await gateway.journal()).filter(({kind}) => kind === 'admin').slice(1);

const withoutChanges = (event: unknown): unknown => {
	const {changes, ...rest} = event as Record<string, unknown>;
	return rest;
};

test('without the admin key nothing of an operator is answered, and no plugin is asked', async t => {
	const gateway = await startGateway(t, {plugins});
	const virtualKey = await gateway.key();
	const before = (await adminRecords(gateway)).length;
	const paths: [string, string][] = [
		['GET', '/admin/plugins'],
		['GET', '/admin/openapi.json'],
		['POST', action('virtual-keys', 'create')],
		['POST', action('virtual-keys', 'nothing')],
		['POST', action('nobody', 'create')],
	];
	const wrong: Asking[] = [
		{key: ''},
		{key: virtualKey},
		{key: providerKey},
		{key: `${gateway.adminKey}x`},
		{key: gateway.adminKey!.slice(0, -1)},
		{key: gateway.adminKey!.toUpperCase()},
		{key: hashOf(gateway.adminKey!)},
		{key: '', headers: {authorization: gateway.adminKey!}},
		{key: '', headers: {authorization: `Basic ${gateway.adminKey}`}},
		{key: '', headers: {'x-api-key': gateway.adminKey!}},
	];
	for (const [method, path] of paths) {
		for (const asking of wrong) {
			const {status, type, body, headers} = await ask(gateway, path, {...asking, method});
			t.is(status, 401, path);
			t.is(type, 'application/problem+json');
			t.like(body, {type: 'urn:sallyport:error:unauthenticated', title: 'unauthenticated', status: 401, code: 'unauthenticated'});
			t.regex(String(body.instance), /^urn:sallyport:exchange:ex_/);
			t.is(headers.get('www-authenticate'), 'Bearer');
		}
	}
	t.is((await adminRecords(gateway)).length, before);
	// It is no key for models either.
	await t.throwsAsync(openaiClient(gateway, {apiKey: gateway.adminKey!}).chat.completions.create({model: 'fast', messages: user('hi')}), {
		message: /401/,
	});
});

test('what is wrong with an action is said with its code, and with the field that is to blame', async t => {
	const gateway = await startGateway(t, {plugins});
	const cases: [path: string, body: string | undefined, status: number, code: string, detail: RegExp][] = [
		[action('nobody', 'create'), '{}', 404, 'not_found', /nobody/],
		[action('virtual-keys', 'no-such'), '{}', 404, 'not_found', /no-such/],
		[action('virtual-keys', 'constructor'), '{}', 404, 'not_found', /constructor/],
		[action('virtual-keys', '__proto__'), '{}', 404, 'not_found', /__proto__/],
		[action('virtual-keys', 'get'), undefined, 400, 'invalid_request', /^id: /],
		[action('virtual-keys', 'get'), '{"id": 7}', 400, 'invalid_request', /^id: /],
		[action('virtual-keys', 'get'), `{"id": "key_${'0'.repeat(32)}"}`, 404, 'not_found', /key_0/],
		[action('virtual-keys', 'create'), '{"tenant": "a/b"}', 400, 'invalid_request', /^tenant: /],
		[action('virtual-keys', 'create'), '{"tags": ["a", 7]}', 400, 'invalid_request', /^tags\.1: /],
		[action('virtual-keys', 'create'), '{"tennant": "acme"}', 400, 'invalid_request', /tennant/],
		[action('virtual-keys', 'create'), '{"ttlSeconds": 1, "expiresAt": "2999-01-01T00:00:00Z"}', 400, 'invalid_request', /not both/],
		[action('grants', 'allow'), '{"scope": "team:acme", "models": ["*"]}', 400, 'invalid_request', /^scope: /],
		[action('budgets', 'set'), '{"account": "tenant:a", "limitUsd": -1}', 400, 'invalid_request', /^limitUsd: /],
		[action('budgets', 'set'), '{"account": "tenant:a"}', 400, 'invalid_request', /^limitUsd: /],
		[action('virtual-keys', 'create'), '{"tenant": ', 400, 'invalid_json', /./],
		[action('virtual-keys', 'create'), '[]', 400, 'invalid_request', /object/],
		[action('virtual-keys', 'create'), '{"tenant": "a", "tenant": "b"}', 400, 'invalid_json', /duplicate/],
		['/admin/nothing', '{}', 404, 'not_found', /./],
	];
	for (const [path, body, status, code, detail] of cases) {
		const answer = await ask(gateway, path, {body});
		t.like(answer.body, {status, code, type: `urn:sallyport:error:${code}`}, `${path} ${body}`);
		t.is(answer.status, status);
		t.is(answer.type, 'application/problem+json');
		t.regex(String(answer.body.detail), detail, `${path} ${body}`);
		t.is(answer.headers.get('x-should-retry'), 'false');
	}
	const wrongMethod = await ask(gateway, action('virtual-keys', 'list'), {method: 'GET'});
	t.is(wrongMethod.status, 405);
	t.is(wrongMethod.headers.get('allow'), 'POST');
	const wrongType = await ask(gateway, action('virtual-keys', 'list'), {body: '{}', headers: {'content-type': 'text/plain'}});
	t.is(wrongType.status, 415);
	t.deepEqual((await gateway.act('virtual-keys', 'list')).keys, []);
});

test('an action is on the record: who, what, with which input, and how it ended', async t => {
	const gateway = await startGateway(t, {plugins});
	const {id} = await gateway.act('virtual-keys', 'create', {tenant: 'acme', team: 'search'});
	await gateway.act('budgets', 'set', {account: 'team:acme/search', limitUsd: 5});
	await t.throwsAsync(gateway.act('virtual-keys', 'block', {id: 'nobody'}));
	const list = await ask(gateway, action('virtual-keys', 'list'));
	const records = await adminRecords(gateway);
	t.deepEqual(
		records.map(({outcome, error, event}) => ({outcome, error, event: withoutChanges(event)})),
		[
			{
				outcome: 'ok',
				error: undefined,
				event: {plugin: 'virtual-keys', action: 'create', input: {tenant: 'acme', team: 'search'}, actor: 'first-owner'},
			},
			{
				outcome: 'ok',
				error: undefined,
				event: {plugin: 'budgets', action: 'set', input: {account: 'team:acme/search', limitUsd: 5}, actor: 'first-owner'},
			},
			{
				outcome: 'failed',
				error: {code: 'invalid_request', plugin: 'virtual-keys'},
				event: {plugin: 'virtual-keys', action: 'block', input: {id: 'nobody'}, actor: 'first-owner'},
			},
			{outcome: 'ok', error: undefined, event: {plugin: 'virtual-keys', action: 'list', input: {}, actor: 'first-owner'}},
		],
	);
	t.is(records.at(-1)?.exchange, list.headers.get('x-sallyport-exchange') ?? '');
	t.like(await gateway.act('virtual-keys', 'get', {id}), {createdBy: 'first-owner', tenant: 'acme'});
	// Each has the record of its exchange too.
	const ends = (await gateway.journal()).filter(({kind, surface}) => kind === 'exchange' && surface === 'admin');
	t.deepEqual(
		ends.slice(0, 4).map(({exchange, outcome}) => ({exchange, outcome})),
		records.slice(0, 4).map(({exchange}, index) => ({exchange, outcome: index === 2 ? 'denied' : 'ok'})),
	);
});

test('no secret is in the journal, the log, or an answer other than the one that creates it', async t => {
	const gateway = await startGateway(t, {plugins});
	const created = await gateway.act('virtual-keys', 'create');
	const key = String(created.key);
	const rotated = String((await gateway.act('virtual-keys', 'rotate', {id: created.id, graceSeconds: 60})).key);
	t.true(/^vk_/.test(key) && /^vk_/.test(rotated) && key !== rotated);
	await openaiClient(gateway, {apiKey: rotated}).chat.completions.create({model: 'fast', messages: user('hi')});
	const secrets = [key, rotated, gateway.adminKey!, providerKey].flatMap(secret => [
		secret,
		createHash('sha256').update(secret).digest('hex'),
	]);
	const said = [
		await ask(gateway, action('virtual-keys', 'list')),
		await ask(gateway, action('virtual-keys', 'get'), {body: JSON.stringify({id: created.id})}),
		await ask(gateway, '/admin/plugins', {method: 'GET'}),
		await ask(gateway, '/admin/openapi.json', {method: 'GET'}),
		// A key where its id belongs, a hash, a key as a name and as a field.
		...(await Promise.all(
			[{id: key}, {id: secrets[1]}, {name: `see ${key}.`}, {[key]: 1}, {metadata: {[key]: key}}].map(async input => {
				const {body, ...rest} = await ask(gateway, action('virtual-keys', 'block'), {body: JSON.stringify(input)});
				// The caller's own words: a field that is not known is named to whoever sent it.
				return {...rest, body: JSON.stringify(input).startsWith(`{"${key}"`) ? '' : body};
			}),
		)),
		await (await fetch(`${gateway.url}/metrics`)).text(),
	];
	const places = {answers: JSON.stringify(said), journal: JSON.stringify(await gateway.journal()), log: gateway.logged()};
	for (const [place, text] of Object.entries(places))
		for (const secret of secrets) t.false(text.includes(secret), `${secret} is in the ${place}`);
	t.regex(places.journal, /characters that may be a secret/);
});

test('what runs is shown: version, digest, what each reads and may use, and its actions', async t => {
	const gateway = await startGateway(t, {plugins: [...plugins, {...plugins[2]!, as: 'daily', mode: 'observe' as const}]});
	const {body, status} = await ask(gateway, '/admin/plugins', {method: 'GET'});
	t.is(status, 200);
	const list = body.plugins as Record<string, unknown>[];
	t.deepEqual(
		list.map(({name, plugin, mode, tier, runtime}) => ({name, plugin, mode, tier, runtime})),
		[
			{name: 'virtual-keys', plugin: 'virtual-keys', mode: 'enforce', tier: 'inline', runtime: 'isolate'},
			{name: 'grants', plugin: 'grants', mode: 'enforce', tier: 'inline', runtime: 'isolate'},
			{name: 'budgets', plugin: 'budgets', mode: 'enforce', tier: 'inline', runtime: 'isolate'},
			{name: 'daily', plugin: 'budgets', mode: 'observe', tier: 'inline', runtime: 'isolate'},
		],
	);
	for (const {digest, version, actions, hooks} of list) {
		t.regex(String(digest), /^sha256:[0-9a-f]{64}$/);
		t.regex(String(version), /^\d+\.\d+\.\d+/);
		t.true(Array.isArray(actions) && actions.length > 0);
		t.true(Object.keys(hooks as object).length > 0);
	}
	t.deepEqual((list[2]!.hooks as Record<string, string[]>)['post-response'], ['costMicroUsd', 'attempts']);
});

/** An action of this plugin fails with whatever code it is asked to fail with. */
const thrower = {
	'manifest.json': JSON.stringify({name: 'thrower', version: '1.0.0', sdk: 1, runtime: 'isolate', capabilities: [], hooks: {}}),
	'index.ts': `
		const anything = {safeParse: (data: unknown) => ({success: true, data})};
		export default {actions: {fail: {description: 'Fails.', input: anything, run({code}: {code: unknown}) { throw Object.assign(new Error('no'), {sallyport: code}); }}}};
	`,
};

test('a code that is not in the catalogue is plugin_failed, in either tier', async t => {
	const folder = join(freshFolder(t), 'thrower');
	await mkdir(folder);
	for (const [name, text] of Object.entries(thrower)) await writeFile(join(folder, name), text);
	const outside = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: folder}]});
	const digest = outside.gateway.house.introduce()[1]!.digest;
	const inside = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: folder, tier: 'inline', trust: digest}]});
	for (const gateway of [outside, inside]) {
		for (const code of ['made_up', 'constructor', 'toString', '__proto__', '', 7, null, {}]) {
			const {status, type, body} = await ask(gateway, action('thrower', 'fail'), {body: JSON.stringify({code})});
			t.is(type, 'application/problem+json');
			t.like(body, {code: 'plugin_failed', plugin: 'thrower'}, String(code));
			t.is(status, 503);
		}
		t.is((await ask(gateway, action('thrower', 'fail'), {body: '{"code": "conflict"}'})).status, 409);
	}
	t.deepEqual(
		[outside, inside].map(({gateway}) => gateway.house.introduce()[1]!.tier),
		['process', 'inline'],
	);
});
