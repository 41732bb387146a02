import test from 'ava';
import {startGateway} from '../start-gateway.ts';
import {compare} from './client.ts';

test('example masking: the provider gets placeholders, and the client its own values back, streams included', async t => {
	const gateway = await startGateway(import.meta.url);
	t.teardown(gateway.close);
	await t.notThrowsAsync(compare(gateway));
});
