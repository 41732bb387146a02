import test, {type ExecutionContext} from 'ava';
import {pendingAt, startPaying} from './helpers/approvals.ts';
import {providerKey, startGateway} from './helpers/gateway.ts';
import {readAll} from './helpers/local-upstream.ts';
import {judgeKey, opinionServer} from './helpers/opinions.ts';
import {anthropicClient, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown> = {}, model = 'moderation', speech = 'split-7') => {
	const {baseUrl, asked} = await opinionServer(t);
	const name = `opinions/${model}`;
	const gateway = await startGateway(t, upstream => ({
		providers: {
			local: {speaks: 'openai', baseUrl: upstream, key: providerKey},
			claude: {speaks: 'anthropic', baseUrl: upstream, key: providerKey},
			opinions: {speaks: 'openai', baseUrl, key: judgeKey},
		},
		models: {fast: [`local/${speech}`], sonnet: [`claude/${speech}`]},
		prices: {'*': {inputUsdPerMTok: 1, outputUsdPerMTok: 2, maxOutputTokens: 1_000}},
		plugins: [{use: 'virtual-keys'}, {use: 'moderation', config: {model: name, ...config}, grants: {models: [name]}}],
	}));
	const apiKey = await gateway.key();
	const post = (content: string, more: object = {}) =>
		fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'fast', messages: user(content), ...more}),
		});
	return {gateway, asked, apiKey, post};
};

test('a request and an answer are moderated by a real API of that shape, and refused by category', async t => {
	const {gateway, asked, post} = await start(t);
	t.is((await post('good')).status, 200);
	t.deepEqual(
		asked.map(({path, input, authorization}) => [path, input, authorization]),
		['good', 'You said: good'].map(input => ['/v1/moderations', input, `Bearer ${judgeKey}`]),
	);
	const refused = await post('bad');
	t.is(refused.status, 400);
	t.like(await refused.json(), {error: {code: 'content_blocked', plugin: 'moderation', rule: 'hate'}});
	t.is(gateway.upstream.requests.length, 1);
	const [question, caller] = (await modelRecords(gateway)).slice(-2);
	t.like(question, {operation: 'moderations', model: 'opinions/moderation', causedBy: {plugin: 'moderation'}});
	t.true(question!.costMicroUsd! > 0);
	t.like(caller!.findings, [{plugin: 'moderation', category: 'hate', score: 0.93}]);
});

test('an answer is refused where only answers are moderated', async t => {
	const {gateway, post} = await start(t, {in: ['response']});
	const refused = await post('bad');
	t.is(refused.status, 400);
	t.false((await refused.text()).includes('You said'));
	t.is(gateway.upstream.requests.length, 1);
});

const long = 'and so on it goes, '.repeat(60);

test('piece by piece, a stream is cut before what is refused, for both SDKs', async t => {
	// Slow enough that what comes first is judged before the rest is there.
	const {gateway, apiKey} = await start(t, {in: ['response'], streams: 'window'}, 'moderation', 'split-7-every-4');
	const content = `${long} bad ${long}`;
	let said = '';
	const openai = openaiClient(gateway, {apiKey});
	await t.throwsAsync(async () => {
		for await (const chunk of await openai.chat.completions.create({model: 'fast', messages: user(content), stream: true}))
			said += chunk.choices[0]?.delta.content ?? '';
	});
	t.true(`You said: ${content}`.startsWith(said) && said.length > 0, said);
	t.false(said.includes('bad'));

	said = '';
	const stream = anthropicClient(gateway, {apiKey}).messages.stream({model: 'sonnet', max_tokens: 1_000, messages: user(content)});
	stream.on('text', text => {
		said += text;
	});
	await t.throwsAsync(stream.finalText());
	t.false(said.includes('bad'));
	t.like((await modelRecords(gateway)).at(-1), {outcome: 'denied', error: {code: 'content_blocked', plugin: 'moderation'}});
});

test('at the end, a stream that is refused ends in an error, and one that is not goes through whole', async t => {
	const {gateway, post} = await start(t, {in: ['response']});
	const fine = await readAll(await post('good', {stream: true}));
	t.true(fine.text.endsWith('data: [DONE]\n\n'));
	const refused = await readAll(await post('bad', {stream: true}));
	t.regex(refused.text, /content_blocked/);
	t.false(refused.text.includes('[DONE]'));
	t.like((await modelRecords(gateway)).at(-1), {outcome: 'denied', error: {rule: 'hate'}});
});

test('without the API nothing passes, and no stream goes on; with onUncertain: allow all of it does', async t => {
	const down = await start(t, {timeMs: 2_000}, 'broken');
	t.is((await down.post('good')).status, 403);
	const streaming = await start(t, {timeMs: 2_000, in: ['response'], streams: 'window'}, 'broken');
	const cut = await readAll(await streaming.post(long, {stream: true}));
	t.false(cut.text.includes('so on'));
	t.regex(cut.text, /not-judged/);
	const open = await start(t, {timeMs: 2_000, onUncertain: 'allow'}, 'broken');
	t.is((await open.post('bad')).status, 200);
	t.like((await modelRecords(open.gateway)).at(-1), {annotations: {'moderation.notJudged': 'upstream_failed'}});
});

test('the built-in model moderates, as the commented line of the shipped config has it', async t => {
	const gateway = await startGateway(t, {
		plugins: [{use: 'virtual-keys'}, {use: 'moderation', config: {model: 'local/moderation'}, grants: {models: ['local/moderation']}}],
	});
	const openai = openaiClient(gateway, {apiKey: await gateway.key()});
	const {choices} = await openai.chat.completions.create({model: 'fast', messages: user('so much love')});
	t.is(choices[0]?.message.content, 'You said: so much love');
	await t.throwsAsync(openai.chat.completions.create({model: 'fast', messages: user('so much hate')}), {message: /judged/});
});

test('what an approver writes into a call of a tool is moderated like what the client wrote', async t => {
	const moderation = {use: 'moderation', config: {model: 'local/moderation', in: ['request']}, grants: {models: ['local/moderation']}};
	const {gateway, calls, pay} = await startPaying(t, {before: [moderation]});
	for (const [to, code] of [
		['love', undefined],
		['hate', 'content_blocked'],
	] as const) {
		const held = pay({amount: 5});
		const [asked] = await pendingAt(gateway);
		await gateway.act('approvals', 'decide', {id: asked!.id, decision: 'edit', arguments: {to}});
		t.is((await held).body.error?.data?.code, code);
	}
	t.deepEqual(calls(), [{to: 'love'}]);
});
