import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {calls} from './helpers/admins.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';

type Told = {plugin: string; hook: string; verdict: string; code?: string; rule?: string; message?: string; [field: string]: unknown};
type Explained = {
	allowed: boolean;
	decidedBy?: {plugin?: string; rule?: string; code?: string; status?: number; message?: string};
	plugins: Told[];
	deployments?: string[];
	principal?: Record<string, unknown>;
	[field: string]: unknown;
};

const grants = {
	use: 'grants',
	config: {allow: {'*': {models: ['fast', 'sonnet', 'embed'], providers: ['local', 'claude']}, 'team:acme/search': ['fast']}},
};
const budgets = {use: 'budgets', config: {window: 'month' as const, limitUsd: {'tenant:acme': 1, 'team:acme/poor': 0.000_01}}};

const setup = async (t: ExecutionContext, plugins: GatewayConfigInput['plugins'] = [{use: 'virtual-keys'}, grants, budgets]) => {
	const gateway = await startGateway(t, baseUrl => ({
		providers: {
			local: {speaks: 'openai', baseUrl, key: 'sk-of-the-local-one'},
			claude: {speaks: 'anthropic', baseUrl, key: 'sk-of-the-other-one'},
			far: {speaks: 'openai', baseUrl, key: 'sk-of-the-far-one'},
		},
		models: {fast: ['far/echo', 'local/echo'], sonnet: ['claude/echo'], hidden: ['local/echo'], embed: ['local/embed']},
		prices: Object.fromEntries(
			['local/*', 'far/*', 'claude/*'].map(name => [name, {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000}]),
		),
		plugins,
	}));
	const explain = async (question: object, key?: string) => {
		const {status, body} = await calls(gateway)<Explained>('/admin/explain', {model: 'fast', ...question}, {key});
		return {status, code: body.code, ...body};
	};
	/** What a request is really told. */
	const call = async (key: string, body: object) => {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({messages: [{role: 'user', content: 'Hello.'}], ...body}),
		});
		return {
			status: response.status,
			...((await response.json()) as {error?: {code: string; message: string; plugin?: string; rule?: string}}),
		};
	};
	return {gateway, explain, call};
};

const verdicts = ({plugins}: Explained) => plugins.map(({plugin, hook, verdict}) => `${plugin} ${hook} ${verdict}`);

test('a request that would pass is told so, with the rule that grants it and what it would set aside', async t => {
	const {gateway, explain} = await setup(t);
	const {id} = await gateway.act('virtual-keys', 'create', {tenant: 'acme', team: 'search'});
	const said = await explain({key: id, maxTokens: 50});
	t.true(said.allowed);
	t.deepEqual(said.decidedBy, {plugin: 'grants', rule: 'team:acme/search'});
	t.deepEqual(verdicts(said), [
		'virtual-keys pre-auth identify',
		'virtual-keys pre-request allow',
		'grants pre-request route',
		'budgets pre-request allow',
	]);
	t.deepEqual(said.deployments, ['local/echo']);
	t.like(said.plugins[2], {plan: ['local/echo'], details: {granted: true, decidedBy: 'team:acme/search', plan: ['local/echo']}});
	const [reserve] = said.plugins[3]!.wouldReserve as Record<string, unknown>[];
	t.like(reserve, {account: 'tenant:acme', unit: 'microUsd', limit: 1_000_000, window: 'month', used: 0, fits: true});
	t.true((reserve!.amount as number) >= 100);
	t.like(said.principal, {id, tenant: 'acme', team: 'search', key: id});
	t.is(said.principal?.accounts, undefined);
});

test('what explain says of a refusal is what the request is told', async t => {
	const {gateway, explain, call} = await setup(t);
	for (const [holder, asking] of [
		[{tenant: 'acme', team: 'search'}, {model: 'sonnet-4'}],
		[{tenant: 'acme', team: 'search'}, {model: 'embed'}],
		[{tenant: 'acme', team: 'search'}, {model: 'hidden'}],
		[{tenant: 'acme'}, {model: 'far/echo'}],
		[{tenant: 'acme'}, {model: 'sonnet'}],
		[
			{tenant: 'acme', team: 'poor'},
			{model: 'fast', max_tokens: 100},
		],
		[{tenant: 'acme'}, {model: 'fast', max_tokens: 10_000_000}],
	] as [Record<string, string>, {model: string; max_tokens?: number}][]) {
		const {key, id} = await gateway.act('virtual-keys', 'create', holder);
		const {max_tokens: maxTokens, model} = asking;
		const {error, status} = await call(String(key), asking);
		const said = await explain({key: id, model, operation: 'chat', ...(maxTokens && {maxTokens})});
		t.false(said.allowed, model);
		const {plugin, rule, code, message} = error ?? {};
		t.deepEqual(said.decidedBy, JSON.parse(JSON.stringify({plugin, rule, code, status, message})), JSON.stringify(asking));
	}
});

test('a blocked, an expired and a revoked key are explained as their holders are told', async t => {
	const {gateway, explain} = await setup(t);
	for (const [change, code] of [
		['block', 'key_blocked'],
		['expire', 'key_expired'],
		['revoke', 'unauthenticated'],
	] as const) {
		const {id} = await gateway.act('virtual-keys', 'create', {tenant: 'acme'});
		await gateway.act('virtual-keys', change, {id, ...(change === 'expire' && {at: '2020-01-01T00:00:00Z'})});
		const said = await explain({key: id});
		t.like(said, {allowed: false, decidedBy: {plugin: 'virtual-keys', code}}, change);
		t.like(said.plugins, [{plugin: 'virtual-keys', hook: 'pre-auth', verdict: 'deny', code}]);
	}
	t.is((await explain({key: `key_${'0'.repeat(32)}`})).status, 404);
	t.is((await explain({key: await gateway.key()})).status, 400);
	t.is((await explain({})).status, 400);
	t.is((await explain({key: 'key_1', principal: {tenant: 'acme'}})).status, 400);
	t.is((await explain({principal: {tenant: 'acme'}, operation: 'models'})).status, 400);
});

test('a principal can be spelled out, and each operation be asked about', async t => {
	const {explain} = await setup(t);
	t.like(await explain({principal: {tenant: 'acme', team: 'search', user: 'ada'}}), {
		allowed: true,
		operation: 'chat',
		principal: {id: 'ada', tenant: 'acme'},
	});
	t.like(await explain({principal: {tenant: 'acme'}, model: 'sonnet'}), {
		allowed: true,
		operation: 'messages',
		deployments: ['claude/echo'],
	});
	t.like(await explain({principal: {tenant: 'acme'}, model: 'sonnet', operation: 'count_tokens'}), {allowed: true});
	t.like(await explain({principal: {tenant: 'acme'}, model: 'embed', operation: 'embeddings'}), {allowed: true});
	t.like(await explain({principal: {tenant: 'acme'}, model: 'nobody-serves-it'}), {
		allowed: false,
		decidedBy: {code: 'model_not_found', status: 404},
		plugins: [],
	});
});

/** Leaves every trace that a plugin can. */
const tracer = {
	'manifest.json': JSON.stringify({
		name: 'tracer',
		version: '1.0.0',
		sdk: 1,
		runtime: 'isolate',
		capabilities: ['kv', 'http', 'log', 'metrics'],
		hooks: {'pre-request': {reads: ['model', 'tags']}},
		limits: {timeoutMs: 20_000},
	}),
	'index.ts': `import * as z from 'zod';
import {allow, definePlugin} from 'sallyport/plugin-sdk';
let calls = 0;
export default definePlugin({
	config: z.strictObject({url: z.string()}),
	hooks: {
		async 'pre-request'({model}, {kv, http, log, metrics, config}) {
			calls++;
			await kv.put({seen: calls, ['model:' + model]: true});
			const {error} = await http.fetch({url: config.url});
			log.warn('tracer was here');
			metrics.count('traced');
			return allow({tag: ['traced'], put: {effect: calls}, annotate: {seen: kv.get('seen') ?? 0, sent: error ? error.message : 'sent'}});
		},
	},
	actions: {seen: {description: 'What it has seen.', access: 'read', input: z.strictObject({}), run: (_, {kv}) => ({seen: kv.get('seen') ?? null, effect: kv.get('effect') ?? null})}},
});`,
};

for (const tier of ['own process', 'inline'] as const)
	test(`nothing is reserved, stored, sent, logged or counted (${tier})`, async t => {
		const folder = join(freshFolder(t), 'tracer');
		await mkdir(folder);
		for (const [name, text] of Object.entries(tracer)) await writeFile(join(folder, name), text);
		const entry = {
			use: folder,
			config: {url: 'http://127.0.0.1:9/'},
			grants: {kv: true as const, log: true as const, metrics: true as const, http: ['127.0.0.1:9']},
		};
		const probe = tier === 'inline' ? await startGateway(t, {plugins: [{use: 'virtual-keys'}, entry]}) : undefined;
		const trust = probe?.gateway.house.introduce().at(1)?.digest;
		const own = {...entry, ...(trust && {tier: 'inline' as const, trust})};
		const tagged = {...grants, as: 'of-tagged', when: {tag: 'traced'}, config: {allow: {'*': ['*']}}};
		const {gateway, explain} = await setup(t, [{use: 'virtual-keys'}, own, tagged, budgets]);
		const {id} = await gateway.act('virtual-keys', 'create', {tenant: 'acme'});
		const before = {records: (await gateway.journal()).length, upstream: gateway.upstream.requests.length};
		const kv = await gateway.act('tracer', 'seen');

		for (const _ of [1, 2, 3]) {
			const said = await explain({key: id});
			t.true(said.allowed, JSON.stringify(said.decidedBy));
			t.like(said.plugins[2], {plugin: 'tracer', verdict: 'allow', wouldTag: ['traced'], wouldPut: 1});
			t.like(said.plugins[2], {wouldAnnotate: {sent: 'explain sends nothing'}});
			t.like(said.plugins[3], {plugin: 'of-tagged', verdict: 'allow'});
		}
		t.deepEqual(await gateway.act('tracer', 'seen'), kv);
		t.deepEqual(kv, {seen: null, effect: null});
		t.is((await gateway.act('budgets', 'get', {account: 'tenant:acme'})).reservedUsd, 0);
		t.is(gateway.upstream.requests.length, before.upstream);
		t.false(gateway.logged().includes('tracer was here'));
		const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
		t.false(/traced|operation="chat"/.test(metrics));
		const records = (await gateway.journal()).slice(before.records);
		t.deepEqual([...new Set(records.map(({kind, surface}) => `${kind} ${surface ?? ''}`))].sort(), ['admin ', 'exchange admin']);
		const explained = records.find(({event}) => (event as {what?: string} | undefined)?.what === 'explained');
		t.like(explained, {outcome: 'ok', event: {actor: 'first-owner', allowed: true, input: {key: id, model: 'fast'}}});
	});

test('an explanation is of the plugins as they stand now, whatever was explained before', async t => {
	const {gateway, explain} = await setup(t);
	const who = {principal: {tenant: 'acme'}, model: 'hidden'};
	t.like(await explain(who), {allowed: false, decidedBy: {plugin: 'grants', rule: '*'}});
	await gateway.act('grants', 'allow', {scope: '*', models: ['*'], providers: null});
	t.true((await explain(who)).allowed);
	await gateway.act('budgets', 'set', {account: 'tenant:acme', limitUsd: 0});
	t.like(await explain(who), {allowed: false, decidedBy: {plugin: 'budgets', code: 'budget_exceeded'}});
});

test('a plugin that only observes, one out of scope and one that is not asked any more are told apart', async t => {
	const {explain} = await setup(t, [
		{use: 'virtual-keys'},
		{...grants, as: 'watching', mode: 'observe', config: {allow: {}}},
		{...grants, as: 'elsewhere', when: {tenant: 'other'}},
		grants,
		budgets,
	]);
	const said = await explain({principal: {tenant: 'acme', team: 'search'}, model: 'sonnet'});
	t.deepEqual(said.plugins.map(({plugin, verdict, mode}) => ({plugin, verdict, mode})).slice(1), [
		{plugin: 'watching', verdict: 'deny', mode: 'observe'},
		{plugin: 'elsewhere', verdict: 'out of scope', mode: undefined},
		{plugin: 'grants', verdict: 'deny', mode: undefined},
		{plugin: 'budgets', verdict: 'not asked', mode: undefined},
	]);
	t.like(said.plugins[1], {code: 'model_not_granted', message: 'The model "sonnet" is not granted to this key.'});
	t.like(said.decidedBy, {plugin: 'grants', rule: 'team:acme/search', code: 'model_not_granted'});
});

test('an admin of a tenant has only its own explained, and learns nothing of the rest', async t => {
	const {gateway, explain} = await setup(t);
	const {body} = await calls(gateway)('/admin/admins', {name: 'olga', role: 'admin', tenant: 'acme'});
	const auditor = (await calls(gateway)('/admin/admins', {name: 'rita', role: 'auditor'})).body;
	const mine = await gateway.act('virtual-keys', 'create', {tenant: 'acme', team: 'search'});
	const theirs = await gateway.act('virtual-keys', 'create', {tenant: 'other', team: 'secret-team'});
	t.like(await explain({key: mine.id}, body.key), {allowed: true, decidedBy: {rule: 'team:acme/search'}});
	const guessed = await explain({key: theirs.id}, body.key);
	const invented = await explain({key: `key_${'0'.repeat(32)}`}, body.key);
	t.deepEqual([guessed.status, invented.status], [404, 404]);
	t.false(JSON.stringify(guessed).includes('secret-team'));
	t.is((await explain({principal: {tenant: 'other'}}, body.key)).status, 403);
	t.true((await explain({key: mine.id}, auditor.key)).allowed);
	t.is((await explain({key: mine.id}, String(mine.key))).status, 401);
	const records = (await gateway.journal()).filter(({kind, event}) => kind === 'admin' && (event as {what?: string}).what === 'explained');
	t.deepEqual(
		records.map(({outcome, event}) => [outcome, (event as {actor: string}).actor]),
		[
			['ok', body.id],
			['failed', body.id],
			['failed', body.id],
			['failed', body.id],
			['ok', auditor.id],
		],
	);
});

test('what the request would say is seen by plugins and kept by nobody', async t => {
	const {gateway, explain} = await setup(t, [{use: 'virtual-keys'}, {use: 'word-list', config: {words: ['heron'], action: 'deny'}}]);
	t.like(await explain({principal: {tenant: 'acme'}, text: 'the heron flies'}), {allowed: false, decidedBy: {plugin: 'word-list'}});
	t.true((await explain({principal: {tenant: 'acme'}, text: 'the crane flies'})).allowed);
	t.false(JSON.stringify([await gateway.journal(), gateway.logged()]).includes('heron'));
});

test('many questions at once are answered one after the other, and those that are too many are told so', async t => {
	const {explain} = await setup(t);
	const models = Array.from({length: 12}, (_, index) => (index % 2 === 0 ? 'fast' : 'hidden'));
	const said = await Promise.all(models.map(model => explain({principal: {tenant: 'acme'}, model})));
	const answered = said.filter(({status}) => status === 200);
	t.true(answered.length >= 8);
	t.true(said.every(({status, code}) => status === 200 || code === 'rate_limited'));
	for (const [index, {status, allowed, plugins}] of said.entries()) {
		if (status !== 200) continue;
		t.is(allowed, index % 2 === 0);
		t.is(plugins.length, 3);
	}
});
