import test, {type ExecutionContext} from 'ava';
import {startPlugin} from 'sallyport/plugin-sdk/testing';

const setup = async (t: ExecutionContext, body: string) => {
	const http = async () => ({status: 200, headers: {}, body});
	const plugin = await startPlugin(import.meta.url, {config: {url: 'http://classifier.example/'}, http});
	t.teardown(plugin.close);
	return plugin;
};

test('classifier: what is called secret is refused', async t => {
	const plugin = await setup(t, '{"label": "secret"}');
	t.like(await plugin.ask('pre-request', {text: ['…']}), {verdict: 'deny', code: 'content_blocked', rule: 'secret'});
});

test('classifier: what is called internal passes', async t => {
	const plugin = await setup(t, '{"label": "internal"}');
	t.is(await plugin.ask('pre-request', {text: ['…']}), undefined);
});

test('classifier: an answer that is none lets nothing pass', async t => {
	const plugin = await setup(t, '<html>');
	await t.throwsAsync(plugin.ask('pre-request', {text: ['…']}));
});
