import test from 'ava';
import {wireTo} from './helpers/mcp-wire.ts';
import {anthropicClient, openaiClient, user, weather} from './helpers/sdks.ts';
import {grants, startTainting} from './helpers/tainted-gateway.ts';
import {planted} from './helpers/tainting-guard.ts';

const refused = {message: /not for a session that is tainted \(injection\)/};

test.serial('orders in what a tool told a model taint the exchange: a tool its answer asks for is refused, streaming or not', async t => {
	const {gateway} = await startTainting(t);
	const apiKey = await gateway.key();
	const openai = openaiClient(gateway, {apiKey});
	const tools = [{...weather, function: {...weather.function, name: 'bash'}}];
	const messages = (result: string) => [
		...user('read my notes'),
		{
			role: 'assistant' as const,
			content: null,
			tool_calls: [{id: 'c1', type: 'function' as const, function: {name: 'read', arguments: '{}'}}],
		},
		{role: 'tool' as const, tool_call_id: 'c1', content: result},
		...user('go on'),
	];
	const ask = (result: string, stream: boolean) =>
		stream
			? openai.chat.completions.stream({model: 'bash', messages: messages(result), tools}).finalChatCompletion()
			: openai.chat.completions.create({model: 'bash', messages: messages(result), tools});
	for (const stream of [false, true]) {
		t.is((await ask('Buy milk.', stream)).choices[0]?.message.tool_calls?.length, 1, String(stream));
		await t.throwsAsync(ask(planted, stream), refused, String(stream));
		t.is((await ask('Buy milk.', stream)).choices[0]?.message.tool_calls?.length, 1, 'without a session, only that exchange');
	}
	const claude = anthropicClient(gateway, {apiKey});
	const bash = {name: 'bash', input_schema: {type: 'object' as const}};
	const told = (content: string) => [
		{role: 'user' as const, content: 'read my notes'},
		{role: 'assistant' as const, content: [{type: 'tool_use' as const, id: 't1', name: 'read', input: {}}]},
		{role: 'user' as const, content: [{type: 'tool_result' as const, tool_use_id: 't1', content}]},
		{role: 'assistant' as const, content: 'I have read them.'},
		...user('go on'),
	];
	const body = (content: string) => ({model: 'claude', max_tokens: 50, tools: [bash], messages: told(content)});
	t.is((await claude.messages.stream(body('Buy milk.')).finalMessage()).stop_reason, 'tool_use');
	await t.throwsAsync(claude.messages.stream(body(planted)).finalMessage(), refused);
	await t.throwsAsync(claude.messages.create(body(planted)), refused);
});

test.serial('an untainted stream of a gateway with such rules still travels as bytes', async t => {
	const {gateway} = await startTainting(t, {rules: [grants()]});
	const apiKey = await gateway.key();
	const ask = async (url: string) => {
		const response = await fetch(url, {
			method: 'POST',
			headers: {authorization: `Bearer ${apiKey}`, 'content-type': 'application/json'},
			body: JSON.stringify({model: 'bash', stream: true, stream_options: {include_usage: true}, messages: user('hello')}),
		});
		return response.text();
	};
	const {gateway: bare} = await startTainting(t, {rules: [], overrides: {plugins: [], anonymous: true}});
	const shape = (events: string) => events.replaceAll(/"(id|created|system_fingerprint)":("[^"]*"|\d+)/g, '"$1":0');
	t.is(shape(await ask(`${gateway.url}/v1/chat/completions`)), shape(await ask(`${bare.url}/v1/chat/completions`)));
});

test.serial('what a model was told in a session counts at the tools, where both name the session', async t => {
	const {gateway} = await startTainting(t);
	const key = await gateway.key();
	const headers = {'x-sallyport-session': 'run-7'};
	const messages = [
		...user('read my notes'),
		{
			role: 'assistant' as const,
			content: null,
			tool_calls: [{id: 'c1', type: 'function' as const, function: {name: 'read', arguments: '{}'}}],
		},
		{role: 'tool' as const, tool_call_id: 'c1', content: planted},
	];
	await openaiClient(gateway, {apiKey: key, headers}).chat.completions.create({model: 'fast', messages});
	const wire = wireTo(`${gateway.url}/mcp/desk`, key);
	const error = async (more: Record<string, string>) => (await wire.ask('tools/call', {name: 'send', arguments: {}}, more)).body.error;
	t.truthy(await error(headers));
	t.is(await error({'x-sallyport-session': 'run-8'}), undefined);
	t.is(await error({}), undefined);
});
