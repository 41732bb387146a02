import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startGateway} from './helpers/gateway.ts';
import {anthropicClient, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, languages: Record<string, unknown>) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'content-rules', config: {languages}}]});
	const apiKey = await gateway.key();
	return {gateway, openai: openaiClient(gateway, {apiKey}), anthropic: anthropicClient(gateway, {apiKey})};
};

const spoken =
	'Большое спасибо за твоё письмо. Мы уезжали на выходные и не могли ответить раньше, но посылка уже пришла, и всё это очень хорошо. ';
const english =
	'Thank you for your letter. We were away over the weekend and could not reply sooner, but the parcel has arrived and all is well. ';

test('a request in another language is refused, and one that quotes a word of it is not', async t => {
	const {gateway, openai} = await start(t, {allow: ['en'], on: ['request'], action: 'deny'});
	const ask = (content: string) => openai.chat.completions.create({model: 'fast', messages: user(content)});
	await t.notThrowsAsync(ask(`${english} What does спасибо mean?`));
	const error = await t.throwsAsync(ask(spoken), {instanceOf: OpenAI.APIError});
	t.like(error, {status: 400, code: 'content_blocked'});
	const {findings = []} = (await modelRecords(gateway)).at(-1)!;
	t.like(findings, [{detector: 'language', category: 'language', action: 'deny', channel: 'user'}]);
	t.false(JSON.stringify(await gateway.journal()).includes('спасибо'));
});

test('an answer that goes on in another language is cut before much of it is out, in either dialect', async t => {
	const {openai, anthropic} = await start(t, {allow: ['en'], on: ['answer'], action: 'deny'});
	const foreignOf = (text: string): number => text.replace(/[^\u0400-\u04ff]/g, '').length;
	let said = '';
	const stream = await openai.chat.completions.create({model: 'fast', messages: user(english + spoken.repeat(6)), stream: true});
	await t.throwsAsync(
		async () => {
			for await (const {choices} of stream) said += choices[0]?.delta.content ?? '';
		},
		{instanceOf: OpenAI.APIError},
	);
	t.true(said.includes('the parcel has arrived'));
	t.true(foreignOf(said) < 300, said);

	let told = '';
	const events = anthropic.messages.stream({model: 'sonnet', max_tokens: 500, messages: user(spoken)});
	events.on('text', text => {
		told += text;
	});
	await t.throwsAsync(events.finalMessage(), {instanceOf: Anthropic.APIError});
	t.is(foreignOf(told), 0);
});

test('where a language is only flagged, a stream goes out as it comes, and the record says so once', async t => {
	const {gateway, openai} = await start(t, {deny: ['ru'], on: ['answer'], action: 'flag'});
	let said = '';
	const stream = await openai.chat.completions.create({model: 'fast', messages: user(spoken.repeat(4)), stream: true});
	for await (const {choices} of stream) said += choices[0]?.delta.content ?? '';
	t.is(said, `You said: ${spoken.repeat(4)}`);
	const {findings = []} = (await modelRecords(gateway)).at(-1)!;
	t.is(findings.length, 1);
	t.like(findings, [{detector: 'language', action: 'flag', channel: 'assistant'}]);
});
