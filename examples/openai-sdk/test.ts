import test from 'ava';
import {startGateway} from '../start-gateway.ts';
import {useOpenAI} from './client.ts';

test("example openai-sdk: an application on OpenAI's own package runs with another base URL and key", async t => {
	const gateway = await startGateway(import.meta.url);
	t.teardown(gateway.close);
	await t.notThrowsAsync(useOpenAI(gateway));
});
