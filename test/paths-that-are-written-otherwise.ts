import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';

/** Phrases are refused at Anthropic's door alone. */
const started = async (t: ExecutionContext): Promise<{gateway: TestGateway; key: string}> => {
	const phrases = [{name: 'projects', phrases: ['project falcon'], action: 'deny' as const}];
	const gateway = await startGateway(t, {
		plugins: [{use: 'virtual-keys'}, {use: 'content-rules', when: {surface: 'anthropic'}, config: {phrases}}],
	});
	return {gateway, key: await gateway.key()};
};

const posted = (url: string, key: string) =>
	fetch(url, {
		method: 'POST',
		headers: {'x-api-key': key, 'content-type': 'application/json'},
		body: JSON.stringify({model: 'claude/any', max_tokens: 50, messages: [{role: 'user', content: 'tell me of Project Falcon'}]}),
	});

test('however the path of a model call is written, it is judged by the rules of its door or not answered', async t => {
	const {gateway, key} = await started(t);
	for (const path of ['/v1/messages', '/v1/messages/', '/anthropic/v1/messages']) {
		const answer = await posted(`${gateway.url}${path}`, key);
		t.is(answer.status, 400, path);
		t.regex(await answer.text(), /content_blocked/, path);
	}
	for (const path of [
		'/V1/messages',
		'/v1/Messages',
		'/Anthropic/v1/messages',
		'/anthropic/V1/messages',
		'//v1/messages',
		'/v1/%6Dessages',
	])
		t.is((await posted(`${gateway.url}${path}`, key)).status, 404, path);
});

test('the API of operators is at one path alone', async t => {
	const {gateway} = await started(t);
	for (const path of ['/Admin/plugins', '/ADMIN/keys', '/Self/virtual-keys/mint', '/MCP'])
		t.is((await fetch(`${gateway.url}${path}`, {headers: {authorization: `Bearer ${gateway.adminKey}`}})).status, 404, path);
});

test('whoever asks for what is not served is told what is there in its place', async t => {
	const {gateway, key} = await started(t);
	for (const [path, words] of [
		['/v1/responses', 'Use /v1/chat/completions.'],
		['/v1/completions', 'Use /v1/chat/completions.'],
		['/v1/images/generations', 'Ask the provider itself.'],
		['/v1/messages/batches', 'Use /v1/messages, or ask the provider itself.'],
		['/v1beta/models/gemini:generateContent', 'Use /v1/chat/completions.'],
	] as const) {
		const answer = await posted(`${gateway.url}${path}`, key);
		t.is(answer.status, 404, path);
		const {error} = (await answer.json()) as {error: {message: string}};
		t.is(error.message, `${words} This gateway does not serve ${path}.`);
	}
});
