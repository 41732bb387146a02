import test from 'ava';
import OpenAI from 'openai';
import type {StoredRecord} from '../core/journal/journal.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';

const plugins = (masking: object): GatewayConfigInput['plugins'] => [
	{use: 'virtual-keys'},
	{use: 'masking', config: {mask: ['email'], ...masking}},
];

const start = async (t: Parameters<typeof startGateway>[0], masking: object = {}, journal: object = {}) => {
	const gateway = await startGateway(t, {plugins: plugins(masking), journal: {payloads: 'masked', ...journal}});
	const client = new OpenAI({baseURL: `${gateway.url}/v1`, apiKey: await gateway.key(), maxRetries: 0});
	return {gateway, client};
};

const lastOf = (records: StoredRecord[]): StoredRecord =>
	records.filter(({kind, surface}) => kind === 'exchange' && surface === 'openai').at(-1)!;

const ask = (content: string) => ({
	model: 'fast',
	messages: [{role: 'user' as const, content}],
});

test('what is kept of a request and its answer is what the plugins let pass', async t => {
	const {gateway, client} = await start(t);
	const completion = await client.chat.completions.create(ask('write to ada@example.com please'));
	t.truthy(completion.choices[0]?.message.content);
	const {payload} = lastOf(await gateway.journal());
	t.regex(payload?.request ?? '', /write to \[EMAIL\] please/);
	t.true(payload?.response?.some(({channel, text}) => channel === 'assistant' && text.includes('[EMAIL]')));
	t.false(JSON.stringify(await gateway.journal()).includes('ada@example.com'));
});

test('the words of a stream are kept as the client got them', async t => {
	const {gateway, client} = await start(t);
	let said = '';
	const stream = await client.chat.completions.create({...ask('say this to ada@example.com'), stream: true});
	for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
	const {payload} = lastOf(await gateway.journal());
	t.deepEqual(
		payload?.response?.filter(({text}) => text === said),
		[{channel: 'assistant', text: said}],
	);
});

test('an answer into which a plugin may have put values back is not kept', async t => {
	const {gateway, client} = await start(t, {reversible: true});
	const completion = await client.chat.completions.create(ask('write to ada@example.com please'));
	t.regex(completion.choices[0]?.message.content ?? '', /ada@example\.com/);
	const {payload} = lastOf(await gateway.journal());
	t.is(payload?.leftOut?.response, 'restored');
	t.false(JSON.stringify(await gateway.journal()).includes('ada@example.com'));
});

test('a request that was refused is not kept', async t => {
	const {gateway, client} = await start(t, {modes: {email: 'deny'}});
	await t.throwsAsync(client.chat.completions.create(ask('write to ada@example.com please')));
	const last = lastOf(await gateway.journal());
	t.is(last.outcome, 'denied');
	t.is(last.payload, undefined);
});

test('what is longer than payloadKb is left out, and said to be', async t => {
	const {gateway, client} = await start(t, {}, {payloadKb: 1});
	await client.chat.completions.create(ask('word '.repeat(1_000)));
	const {payload} = lastOf(await gateway.journal());
	t.is(payload?.request, undefined);
	t.is(payload?.leftOut?.request, 'large');
	t.is(payload?.leftOut?.response, 'large');
});

test('nothing is kept where the config does not say so', async t => {
	const gateway = await startGateway(t);
	const client = new OpenAI({baseURL: `${gateway.url}/v1`, apiKey: await gateway.key()});
	await client.chat.completions.create(ask('hello'));
	t.is(lastOf(await gateway.journal()).payload, undefined);
});
