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

for (const path of [
	'/V1/messages',
	'/v1/Messages',
	'/Anthropic/v1/messages',
	'/anthropic/V1/messages',
	'//v1/messages',
	'/v1/%6Dessages',
	'/v1/./messages//',
])
	test(`a request for ${path} is not answered past the rules of /v1/messages`, async t => {
		const {gateway, key} = await started(t);
		const {status} = await posted(`${gateway.url}${path}`, key);
		t.true(status === 404 || status === 400, String(status));
	});

for (const path of ['/v1/messages', '/v1/messages/', '/anthropic/v1/messages'])
	test(`a request for ${path} is judged by them`, async t => {
		const {gateway, key} = await started(t);
		const answer = await posted(`${gateway.url}${path}`, key);
		t.is(answer.status, 400);
		t.regex(await answer.text(), /content_blocked/);
	});

test('the API of operators is at one path alone', async t => {
	const {gateway} = await started(t);
	for (const path of ['/Admin/plugins', '/ADMIN/keys', '/Self/virtual-keys/mint', '/MCP'])
		t.is((await fetch(`${gateway.url}${path}`, {headers: {authorization: `Bearer ${gateway.adminKey}`}})).status, 404, path);
});

for (const [path, words] of [
	['/v1/responses', 'Use /v1/chat/completions. This gateway does not serve /v1/responses.'],
	['/v1/completions', 'Use /v1/chat/completions. This gateway does not serve /v1/completions.'],
	['/v1/images/generations', 'Ask the provider itself. This gateway does not serve /v1/images/generations.'],
	['/v1/messages/batches', 'Use /v1/messages, or ask the provider itself. This gateway does not serve /v1/messages/batches.'],
	['/v1beta/models/gemini:generateContent', 'Use /v1/chat/completions. This gateway does not serve /v1beta/models/gemini:generateContent.'],
] as const)
	test(`whoever asks for ${path} is told what is there in its place`, async t => {
		const {gateway, key} = await started(t);
		const answer = await posted(`${gateway.url}${path}`, key);
		t.is(answer.status, 404);
		const {error} = (await answer.json()) as {error: {message: string}};
		t.is(error.message, words);
	});
