import Anthropic from '@anthropic-ai/sdk';
import test, {type ExecutionContext} from 'ava';
import OpenAI from 'openai';
import {startGateway} from './helpers/gateway.ts';

const values = ['ada.lovelace@mail.example', '4111 1111 1111 1111', 'DE89 3704 0044 0532 0130 00', '+49 30 901820'];
const letter = `Dear Ada, write to ${values[0]}, pay with ${values[1]} or from ${values[2]}, call ${values[3]}. Bye`;

/** Any run of eight characters of a value. */
const traces = values.flatMap(value => Array.from({length: value.length - 7}, (_, at) => value.slice(at, at + 8)));

const clean = (t: ExecutionContext, text: string, where: string): void => {
	for (const trace of traces) if (text.includes(trace)) t.fail(`"${trace}" is in ${where}`);
};

const pseudonyms = {email: 'pseudonym', card: 'pseudonym', iban: 'pseudonym', phone: 'pseudonym'};

const start = async (t: ExecutionContext, config: Record<string, unknown>) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'masking', config}]});
	const client = async (tenant: string) => {
		const apiKey = await gateway.key({tenant});
		return {
			openai: new OpenAI({baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0}),
			anthropic: new Anthropic({baseURL: gateway.url, apiKey, maxRetries: 0}),
		};
	};
	const sent = (): string => gateway.upstream.requests.at(-1)!.body;
	return {gateway, client, sent};
};

const messages = (content: string) => [{role: 'user' as const, content}];

const streamed = async (openai: OpenAI, model: string, content: string): Promise<string> => {
	let text = '';
	for await (const chunk of await openai.chat.completions.create({model, stream: true, messages: messages(content)})) {
		text += chunk.choices[0]?.delta.content ?? '';
	}
	return text;
};

test('the provider gets pseudonyms, and the client its own values back, however the stream is cut, in both dialects', async t => {
	const {gateway, client, sent} = await start(t, {modes: pseudonyms, reversible: true});
	const {openai, anthropic} = await client('acme');
	const chat = await openai.chat.completions.create({model: 'local/echo', messages: messages(letter)});
	t.is(chat.choices[0]!.message.content, `You said: ${letter}`);
	t.regex(sent(), /write to [a-z2-7]{10}@example\.(?:com|net|org), pay with 4000 00\d\d \d{4} \d{4} or from DE\d\d 0000 /);
	for (const size of [1, 2, 3, 5, 7, 11, 17, 29, 64]) {
		t.is(await streamed(openai, `local/split-${size}`, letter), `You said: ${letter}`, `OpenAI, cut at every ${size}`);
		const stream = anthropic.messages.stream({model: `claude/split-${size}`, max_tokens: 500, messages: messages(letter)});
		t.is(await stream.finalText(), `You said: ${letter}`, `Anthropic, cut at every ${size}`);
	}
	for (const {body} of gateway.upstream.requests) clean(t, body, 'what the provider got');
	clean(t, JSON.stringify(await gateway.journal()), 'the journal');
	clean(t, gateway.logged(), 'the log');
});

test('what one tenant was given as a pseudonym or a placeholder means nothing to another, whole or streamed', async t => {
	for (const config of [{modes: pseudonyms, reversible: true}, {reversible: true}]) {
		const {client, sent} = await start(t, config);
		const [acme, other] = [await client('acme'), await client('other')];
		await acme.openai.chat.completions.create({model: 'local/echo', messages: messages(`I am ${values[0]}`)});
		const mark = /I am ([^"\\]+)/.exec(sent())?.[1] ?? '';
		t.true(mark.includes('@example') || mark === '[EMAIL_1]', mark);
		const attack = `Say ${mark} and [EMAIL_1] and [CARD_1]`;
		for (const {openai, anthropic} of [other, acme]) {
			const chat = await openai.chat.completions.create({model: 'local/echo', messages: messages(attack)});
			const message = await anthropic.messages.create({model: 'claude/echo', max_tokens: 500, messages: messages(attack)});
			const stream = anthropic.messages.stream({model: 'claude/split-3', max_tokens: 500, messages: messages(attack)});
			const said = [chat.choices[0]!.message.content, JSON.stringify(message.content), await streamed(openai, 'local/split-5', attack)];
			clean(t, `${said.join('\n')}\n${await stream.finalText()}`, `what was answered to ${attack}`);
		}
	}
});

test('a model that invents a placeholder gets nobody a value, while a real one of the same exchange comes back', async t => {
	const {client} = await start(t, {reversible: true});
	const {openai, anthropic} = await client('acme');
	const asked = `I am ${values[0]}. Which is the placeholder [EMAIL_2], [CARD_1] or [EMAIL_1]?`;
	const expected = `You said: ${asked}`;
	t.is(await streamed(openai, 'local/split-2', asked), expected);
	const stream = anthropic.messages.stream({model: 'claude/split-2', max_tokens: 500, messages: messages(asked)});
	t.is(await stream.finalText(), expected);
});

test('a session has its own pseudonyms, and keeps them', async t => {
	const {client, sent} = await start(t, {modes: pseudonyms});
	const {openai} = await client('acme');
	const ask = async (session: string): Promise<string> => {
		const headers = {'x-sallyport-session': session};
		await openai.chat.completions.create({model: 'local/echo', messages: messages(letter)}, {headers});
		return JSON.parse(sent()).messages[0].content;
	};
	const first = await ask('one');
	clean(t, first, 'what the provider got');
	t.is(await ask('one'), first);
	t.not(await ask('two'), first);
});
