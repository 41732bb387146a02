import assert from 'node:assert/strict';
import OpenAI from 'openai';
import {type ExampleGateway, runExample, startGateway} from '../start-gateway.ts';

const letter = 'Write to ada@example.com about DE89 3704 0044 0532 0130 00, and again to ada@example.com.';
const messages = [{role: 'user' as const, content: letter}];

/** What the provider received, and what the client got back. */
export const compare = async ({url, key, upstream}: ExampleGateway): Promise<void> => {
	const client = new OpenAI({baseURL: `${url}/v1`, apiKey: key});
	const received = (): string => JSON.parse(upstream.requests.at(-1)?.body ?? '').messages[0].content;
	const masked = 'Write to [EMAIL_1] about [IBAN_1], and again to [EMAIL_1].';

	const {choices} = await client.chat.completions.create({model: 'fast', messages});
	assert.equal(received(), masked);
	assert.equal(choices[0]?.message.content, `You said: ${letter}`);

	let streamed = '';
	for await (const chunk of await client.chat.completions.create({model: 'letters', messages, stream: true})) {
		streamed += chunk.choices[0]?.delta.content ?? '';
	}
	assert.equal(received(), masked);
	assert.equal(streamed, `You said: ${letter}`);
};

if (import.meta.main) await runExample(startGateway(import.meta.url), compare);
