import assert from 'node:assert/strict';
import OpenAI from 'openai';
import {runExample, startGateway} from '../start-gateway.ts';

const messages = [{role: 'user' as const, content: 'Good morning!'}];

const weather = {
	type: 'function' as const,
	function: {name: 'weather', description: 'The weather of a city.', parameters: {type: 'object', properties: {city: {type: 'string'}}}},
};

/** An application that changed its base URL and its key, and nothing else. */
export const useOpenAI = async ({url, key}: {url: string; key: string}): Promise<void> => {
	const client = new OpenAI({baseURL: `${url}/v1`, apiKey: key});

	const {choices} = await client.chat.completions.create({model: 'fast', messages});
	assert.equal(choices[0]?.message.content, 'You said: Good morning!');

	let streamed = '';
	for await (const chunk of await client.chat.completions.create({model: 'fast', messages, stream: true})) {
		streamed += chunk.choices[0]?.delta.content ?? '';
	}
	assert.equal(streamed, 'You said: Good morning!');

	const asking = [{role: 'user' as const, content: 'call the tool weather with {"city": "Ghent"}'}];
	const called = await client.chat.completions.create({model: 'fast', messages: asking, tools: [weather]});
	const [call] = called.choices[0]?.message.tool_calls ?? [];
	assert(call?.type === 'function');
	assert.deepEqual(JSON.parse(call.function.arguments), {city: 'Ghent'});

	const {data} = await client.embeddings.create({model: 'embed', input: ['one', 'two'], dimensions: 8});
	assert.deepEqual(
		data.map(({embedding}) => embedding.length),
		[8, 8],
	);
};

if (import.meta.main) await runExample(startGateway(import.meta.url), useOpenAI);
