import test from 'ava';
import {enforced, observed, start} from './client.ts';

test('example observe-first: a rule that only observes refuses nobody and is on the record', async t => {
	const gateway = await start('observe.config.ts');
	t.teardown(gateway.close);
	await t.notThrowsAsync(observed(gateway));
});

test('example observe-first: the same rule in force refuses before the provider hears of it', async t => {
	const gateway = await start('enforce.config.ts');
	t.teardown(gateway.close);
	await t.notThrowsAsync(enforced(gateway));
});
