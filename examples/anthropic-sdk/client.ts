import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import {runExample, startGateway} from '../start-gateway.ts';

const asking = (content: string) => ({model: 'sonnet', max_tokens: 100, messages: [{role: 'user' as const, content}]});

const weather = {
	name: 'weather',
	description: 'The weather of a city.',
	input_schema: {type: 'object' as const, properties: {city: {type: 'string'}}},
};

/** An application that changed its base URL and its key, and nothing else. */
export const useAnthropic = async ({url, key}: {url: string; key: string}): Promise<void> => {
	const client = new Anthropic({baseURL: url, apiKey: key});

	const {content} = await client.messages.create(asking('Good morning!'));
	assert(content[0]?.type === 'text');
	assert.equal(content[0].text, 'You said: Good morning!');

	const stream = client.messages.stream(asking('Good morning!'));
	assert.equal(await stream.finalText(), 'You said: Good morning!');

	const called = await client.messages.create({...asking('call the tool weather with {"city": "Ghent"}'), tools: [weather]});
	assert.equal(called.stop_reason, 'tool_use');
	const use = called.content.find(block => block.type === 'tool_use');
	assert.deepEqual(use?.input, {city: 'Ghent'});

	const {max_tokens: _, ...counted} = asking('Good morning!');
	const {input_tokens} = await client.messages.countTokens(counted);
	assert(input_tokens > 0);
};

if (import.meta.main) await runExample(startGateway(import.meta.url), useAnthropic);
