import test from 'ava';
import './classifier/test.ts';
import {ask, start} from './client.ts';

test('example own-plugin: a plugin of our own asks our own service, and nothing passes that it did not clear', async t => {
	const story = await start();
	t.teardown(story.close);
	await t.notThrowsAsync(ask(story));
});
