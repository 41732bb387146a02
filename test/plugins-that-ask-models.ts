import {join} from 'node:path';
import test from 'ava';
import {asker, askingGateway, saying} from './helpers/asker.ts';
import {freshFolder} from './helpers/config-file.ts';
import {falconGuard, word} from './helpers/falcon-guard.ts';
import {providerKey} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {until} from './helpers/local-upstream.ts';
import {modelRecords} from './helpers/sdks.ts';

const hello = {model: 'local/guard', body: saying('hello')};

for (const tier of ['inline', 'process'] as const) {
	test(`${tier}: what a plugin asks is an exchange of its own, of the same caller, with its cause and its cost on the record`, async t => {
		const gateway = await askingGateway(t, {more: {tier}});
		const [told] = await gateway.ask({ask: [hello]});
		t.is(told?.value?.status, 200);
		t.like(told?.value?.body, {choices: {0: {message: {content: 'You said: hello'}}}});
		const [question, caller, ...others] = await modelRecords(gateway);
		t.is(others.length, 0);
		t.like(question, {
			outcome: 'ok',
			operation: 'chat',
			path: '/v1/chat/completions',
			model: 'local/guard',
			deployment: 'local/guard',
			causedBy: {exchange: caller!.exchange!, plugin: gateway.gateway.house.residents[1]!.member.plugin.name},
		});
		t.deepEqual(question!.principal, caller!.principal);
		t.true(question!.costMicroUsd! > 0);
		t.is(caller!.costMicroUsd, 0);
		const opened = (await gateway.journal()).filter(({kind}) => kind === 'opened');
		t.deepEqual(
			opened.map(({exchange, causedBy}) => [exchange, causedBy]),
			[[question!.exchange, question!.causedBy]],
		);
	});
}

test('the provider gets its key and the question alone, and the plugin gets no key', async t => {
	const gateway = await askingGateway(t);
	const [told] = await gateway.ask({ask: [hello]});
	const [request, ...others] = gateway.upstream.requests;
	t.is(others.length, 0);
	t.is(request!.headers.authorization, `Bearer ${providerKey}`);
	t.deepEqual(JSON.parse(String(request!.body)), {...hello.body, model: 'guard'});
	t.false(JSON.stringify(told).includes(providerKey));
	t.false(JSON.stringify(request!.headers).includes(gateway.apiKey));
});

test('an alias falls back to its next deployment, and each dialect has its operation', async t => {
	const config = {models: {fast: ['local/echo'], guard: ['local/fault-503', 'local/guard'], claude: ['claude/guard']}};
	const gateway = await askingGateway(t, {models: ['guard', 'claude'], config});
	const told = await gateway.ask({
		ask: [
			{...hello, model: 'guard'},
			{model: 'claude', operation: 'messages', body: {...saying('bonjour'), max_tokens: 10}},
			{model: 'guard', operation: 'embeddings', body: {input: 'hello'}},
			{model: 'claude', body: saying('in the wrong dialect')},
		],
	});
	t.deepEqual(
		told.map(({value, error}) => value?.status ?? error?.code),
		[200, 200, 200, 'dialect_mismatch'],
	);
	t.like(told[1]!.value!.body, {content: {0: {text: 'You said: bonjour'}}});
	const [first] = await modelRecords(gateway);
	t.deepEqual(
		first!.attempts!.map(({status}) => status),
		[503, 200],
	);
});

test('what it costs is taken from the budget of the caller, and without room nothing is sent', async t => {
	const budgets = {use: 'budgets', config: {limitUsd: {'*': 0.01}, window: 'day' as const}};
	const gateway = await askingGateway(t, {plugins: [budgets]});
	const [account] = (await modelRecords(gateway)).map(({principal}) => principal);
	t.is(account, undefined);
	const [told] = await gateway.ask({ask: [hello]});
	t.is(told?.value?.status, 200);
	const [question] = await modelRecords(gateway);
	const {bookings = []} = question!;
	t.true(bookings.length > 0);
	for (const {amount} of bookings) t.is(amount, question!.costMicroUsd!);

	const sent = gateway.upstream.requests.length;
	const [refused] = await gateway.ask({ask: [{...hello, body: {...hello.body, max_tokens: 500_000}}]});
	t.is(refused?.error?.code, 'budget_exceeded');
	t.is(gateway.upstream.requests.length, sent);
	t.like((await modelRecords(gateway)).at(-2), {
		outcome: 'denied',
		error: {code: 'budget_exceeded', plugin: 'budgets'},
		costMicroUsd: undefined,
	});
});

test('where only one call at a time may run, a question runs in the place of the call that waits for it', async t => {
	const limits = {use: 'rate-limits', config: {limits: {'*': {concurrency: 1, 'requests/day': 4}}}};
	const gateway = await askingGateway(t, {plugins: [limits]});
	const told = await gateway.ask({ask: [hello, hello, hello]});
	t.deepEqual(
		told.map(({value, error}) => value?.status ?? error?.code),
		[200, 200, 200],
	);
	const more = await gateway.post({ask: [hello]});
	t.is(more.status, 429, 'each counts as a call');
	t.is(gateway.upstream.requests.length, 3);
});

test('no guard and no plugin that asks is asked about a question', async t => {
	const second = await asker(t, ['local/guard'], {as: 'second'});
	const gateway = await askingGateway(t, {plugins: [await falconGuard(t), second]});
	const errand = {ask: [{...hello, body: saying(`refuse the ${word}`)}]};
	t.is((await gateway.post(errand)).status, 400, 'its caller would be refused');
	const inner = {ask: [{...hello, body: saying(JSON.stringify({ask: [hello]}))}]};
	const [told] = await gateway.ask(inner);
	t.is(told?.value?.status, 200);
	const counted = await modelRecords(gateway);
	t.is(counted.filter(({causedBy}) => causedBy !== undefined).length, 1);
	t.deepEqual(counted.find(({causedBy}) => causedBy !== undefined)!.rulings, undefined);
});

test('who identifies, grants or approves is not asked about a question, and whoever audits is', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'auditor',
		reads: {'on-audit': ['record.operation', 'record.causedBy']},
		hooks: `hooks: {'on-audit': ({record}) => allow({annotate: {heard: record.causedBy ? 'a question' : 'a call'}})}`,
	});
	const grants = {use: 'grants', config: {allow: {'tenant:default': {models: ['fast']}}}};
	const approvals = {use: 'approvals', config: {rules: [{name: 'all', models: ['local/guard'], reason: 'a test'}]}};
	const gateway = await askingGateway(t, {plugins: [grants, approvals, {use: folder}]});
	const [told] = await gateway.ask({ask: [hello]});
	t.is(told?.value?.status, 200);
	t.deepEqual(
		(await modelRecords(gateway)).map(({annotations}) => annotations?.['auditor.heard']),
		['a question', 'a call'],
	);
});

test('a gateway that stops lets what still runs ask what it needs', async t => {
	const config = {models: {fast: ['local/echo'], guard: ['local/fault-slow-500']}};
	const gateway = await askingGateway(t, {models: ['guard'], config});
	const told = gateway.ask({
		ask: [
			{...hello, model: 'guard'},
			{...hello, model: 'guard'},
		],
	});
	await until(() => gateway.upstream.requests.length === 1);
	const stopped = gateway.stop();
	t.deepEqual(
		(await told).map(({value, error}) => value?.status ?? error?.code),
		[200, 200],
	);
	await stopped;
});

test('what is only tried asks nobody', async t => {
	const gateway = await askingGateway(t);
	const response = await fetch(`${gateway.url}/admin/guards/try`, {
		method: 'POST',
		headers: {authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json'},
		body: JSON.stringify({text: JSON.stringify({ask: [hello]})}),
	});
	const {answer} = (await response.json()) as {answer: {text: string}};
	t.like(JSON.parse(answer.text), {0: {error: {code: 'denied'}}}, answer.text);
});

test('of a question no words are kept, where the words of what passes are', async t => {
	const folder = freshFolder(t);
	const config = {journal: {folder: join(folder, 'journal'), payloads: 'masked' as const}};
	const gateway = await askingGateway(t, {config, folder});
	await gateway.ask({ask: [{...hello, body: saying('a word in confidence')}]});
	const [question] = await modelRecords(gateway);
	t.is(question!.payload, undefined);
	t.truthy(question!.request);
});
