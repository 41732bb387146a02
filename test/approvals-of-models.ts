import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {approvals, pendingAt, type Rule} from './helpers/approvals.ts';
import {startGateway} from './helpers/gateway.ts';
import {anthropicClient, modelRecords, openaiClient, user, weather} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, rule: Rule) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, approvals([{name: 'careful', reason: 'it is dear', ...rule}])]});
	const apiKey = await gateway.key();
	const decide = (id: string, words: object = {decision: 'approve'}) => gateway.act('approvals', 'decide', {id, ...words});
	const asked = () => gateway.upstream.requests.length;
	return {gateway, apiKey, client: openaiClient(gateway, {apiKey}), decide, asked};
};

test.serial('a model call that has to be approved waits, and reaches the provider when it is', async t => {
	const {gateway, apiKey, client, decide, asked} = await start(t, {models: ['fast', 'sonnet']});
	const held = client.chat.completions.create({model: 'fast', messages: user('hello')});
	const [one] = await pendingAt(gateway);
	t.like(one, {call: {source: 'request', model: 'fast', operation: 'chat'}});
	t.is(asked(), 0);
	await decide(one!.id);
	t.is((await held).choices[0]?.message.content, 'You said: hello');
	t.is(asked(), 1);

	const streamed = client.chat.completions.stream({model: 'fast', messages: user('hello')}).finalChatCompletion();
	const [two] = await pendingAt(gateway);
	await decide(two!.id);
	t.is((await streamed).choices[0]?.message.content, 'You said: hello');

	const claude = anthropicClient(gateway, {apiKey}).messages.create({model: 'sonnet', max_tokens: 50, messages: user('hello')});
	const [three] = await pendingAt(gateway);
	await decide(three!.id, {decision: 'refuse', reason: 'not today'});
	await t.throwsAsync(claude, {message: /not today/});
	t.is(asked(), 2);
	t.false(JSON.stringify(await gateway.journal()).includes('hello'));
});

test.serial('after its time a model call is refused with the id and when to come again; the same one joins, and no other', async t => {
	const {gateway, client, decide, asked} = await start(t, {models: ['fast'], holdMs: 30});
	const call = (words: string) => client.chat.completions.create({model: 'fast', messages: user(words)});
	const refused = await t.throwsAsync(call('hello'), {instanceOf: OpenAI.PermissionDeniedError});
	const [one] = await pendingAt(gateway);
	t.is(refused?.code, 'approval_required');
	t.true(refused?.message.includes(one!.id));
	t.is(refused?.headers?.get('retry-after'), '1');
	await decide(one!.id);
	await t.throwsAsync(call('hello!'), {instanceOf: OpenAI.PermissionDeniedError});
	t.is((await call('hello')).choices[0]?.message.content, 'You said: hello');
	await t.throwsAsync(call('hello'), {instanceOf: OpenAI.PermissionDeniedError});
	t.is(asked(), 1);
	const outcomes = (await modelRecords(gateway)).map(({outcome, annotations}) => [outcome, annotations?.['approvals.id'] === one!.id]);
	t.deepEqual(outcomes, [
		['denied', true],
		['denied', false],
		['ok', true],
		['denied', false],
	]);
});

test.serial('the SDKs come back by themselves, as often as they repeat anything', async t => {
	const {gateway, apiKey, decide, asked} = await start(t, {models: ['fast', 'sonnet'], holdMs: 100});
	for (const call of [
		() => openaiClient(gateway, {apiKey, maxRetries: 2}).chat.completions.create({model: 'fast', messages: user('hello')}),
		() => anthropicClient(gateway, {apiKey, maxRetries: 2}).messages.create({model: 'sonnet', max_tokens: 50, messages: user('hello')}),
	]) {
		const answered = call() as Promise<unknown>;
		const [one] = await pendingAt(gateway);
		while ((await modelRecords(gateway)).at(-1)?.annotations?.['approvals.id'] !== one!.id)
			await new Promise(resolve => setTimeout(resolve, 20));
		await decide(one!.id);
		await t.notThrowsAsync(answered);
	}
	t.is(asked(), 2);
});

test.serial('a tool call in a model’s answer waits before the client sees it, streamed or not, and may be edited', async t => {
	const {gateway, client, decide} = await start(t, {asked: ['weather']});
	const asking = {model: 'fast', messages: user('call the tool weather with {"city": "Ghent"}'), tools: [weather]};
	const argumentsOf = ({choices}: OpenAI.ChatCompletion) =>
		choices.flatMap(({message}) => message.tool_calls ?? []).map(call => call.type === 'function' && call.function.arguments);

	const held = client.chat.completions.create(asking);
	const [one] = await pendingAt(gateway);
	t.like(one, {call: {source: 'model', tool: 'weather'}});
	t.like(await gateway.act('approvals', 'show', {id: one!.id}), {arguments: {city: 'Ghent'}});
	await decide(one!.id, {decision: 'edit', arguments: {city: 'Bruges'}});
	t.deepEqual(argumentsOf(await held), ['{"city":"Bruges"}']);

	const seen: string[] = [];
	const streaming = (async () => {
		for await (const chunk of await client.chat.completions.create({...asking, stream: true})) seen.push(JSON.stringify(chunk));
	})();
	const [two] = await pendingAt(gateway);
	t.false(seen.join('').includes('weather'));
	await decide(two!.id);
	await streaming;
	t.regex(seen.join(''), /weather.*city/);

	const leaving = new AbortController();
	const left = client.chat.completions.create(asking, {signal: leaving.signal});
	await pendingAt(gateway);
	leaving.abort();
	await t.throwsAsync(left);
	while (gateway.gateway.holds.size() > 0) await new Promise(resolve => setTimeout(resolve, 10));
	t.pass();
});
