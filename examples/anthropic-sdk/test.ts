import test from 'ava';
import {startGateway} from '../start-gateway.ts';
import {useAnthropic} from './client.ts';

test("example anthropic-sdk: an application on Anthropic's own package runs with another base URL and key", async t => {
	const gateway = await startGateway(import.meta.url);
	t.teardown(gateway.close);
	await t.notThrowsAsync(useAnthropic(gateway));
});
