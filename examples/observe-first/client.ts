import assert from 'node:assert/strict';
import OpenAI from 'openai';
import {type ExampleGateway, runExample, startGateway} from '../start-gateway.ts';

export const start = (config: 'observe.config.ts' | 'enforce.config.ts') => startGateway(import.meta.url, {config});

const ask = ({url, key}: ExampleGateway) =>
	new OpenAI({baseURL: `${url}/v1`, apiKey: key, maxRetries: 0}).chat.completions.create({
		model: 'fast',
		messages: [{role: 'user', content: 'What do you know of Project Falcon?'}],
	});

/** The rule refuses nobody; its verdict is on the record. */
export const observed = async (gateway: ExampleGateway): Promise<void> => {
	const {choices} = await ask(gateway);
	assert.equal(choices[0]?.message.content, 'You said: What do you know of Project Falcon?');

	const {outcome, rulings} = (await gateway.lastRecord())!;
	assert.equal(outcome, 'ok');
	const {plugin, verdict, mode} = rulings?.find(({hook}) => hook === 'pre-request') ?? {};
	assert.deepEqual({plugin, verdict, mode}, {plugin: 'word-list', verdict: 'deny', mode: 'observe'});
};

/** The same rule, in force. */
export const enforced = async (gateway: ExampleGateway): Promise<void> => {
	await assert.rejects(ask(gateway), {status: 400, code: 'content_blocked'});
	assert.equal(gateway.upstream.counts().total, 0);

	const {outcome, error} = (await gateway.lastRecord())!;
	assert.equal(outcome, 'denied');
	assert.equal(error?.plugin, 'word-list');
};

if (import.meta.main) {
	await runExample(start('observe.config.ts'), observed);
	await runExample(start('enforce.config.ts'), enforced);
}
