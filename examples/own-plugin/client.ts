import assert from 'node:assert/strict';
import OpenAI from 'openai';
import {type ExampleGateway, runExample, startGateway} from '../start-gateway.ts';
import {startClassifier} from './service.ts';

type Story = ExampleGateway & {classifier: {close(): void}};

export const start = async (): Promise<Story> => {
	const classifier = await startClassifier();
	const gateway = await startGateway(import.meta.url, {moved: {'127.0.0.1:8790': classifier.host}});
	const close = async () => {
		await gateway.close();
		classifier.close();
	};
	return {...gateway, classifier, close};
};

/** Two requests, one of them secret; and what happens when the classifier is gone. */
export const ask = async ({url, key, upstream, classifier}: Story): Promise<void> => {
	const client = new OpenAI({baseURL: `${url}/v1`, apiKey: key, maxRetries: 0});
	const say = (content: string) => client.chat.completions.create({model: 'fast', messages: [{role: 'user', content}]});

	const {choices} = await say('What is the weather like?');
	assert.equal(choices[0]?.message.content, 'You said: What is the weather like?');

	await assert.rejects(say('The launch code is 0000.'), {status: 400, code: 'content_blocked'});

	classifier.close();
	await assert.rejects(say('What is the weather like?'), {status: 503, code: 'plugin_failed'});

	assert.equal(upstream.counts().total, 1);
};

if (import.meta.main) {
	const story = start();
	await runExample(story, async () => ask(await story));
}
