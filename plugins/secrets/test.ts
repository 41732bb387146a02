import test, {type ExecutionContext} from 'ava';
import {type Given, type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';
import {drawn, seeded} from './samples.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown> = {}): Promise<StartedPlugin> => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const key = `ghp_${drawn(seeded(9), 'alnum', 36)}`;

const patchOf = (given: Given | undefined) => (given?.patch as {text?: Record<string, string>} | undefined)?.text;

const stream = async (plugin: StartedPlugin, chunks: readonly string[]): Promise<string[]> => {
	const out: string[] = [];
	let held = '';
	let carried: string | undefined;
	for (const [index, chunk] of [...chunks, ''].entries()) {
		const text = held + chunk;
		const given = await plugin.ask('post-response', {window: {channel: 1, text, final: index === chunks.length}, carried});
		const clear = given?.clear as number;
		const patch = given?.patch as {window: string} | undefined;
		out.push(patch ? patch.window : text.slice(0, clear));
		held = text.slice(clear);
		carried = given?.carry as string;
	}
	return out;
};

test('a key in a request does not reach the provider, and the record is told its kind and not what it says', async t => {
	const plugin = await start(t);
	const given = await plugin.ask('pre-request', {text: ['be kind', `use ${key} now`], channels: ['system', 'tool-result']});
	t.deepEqual(patchOf(given), {1: 'use [SECRET] now'});
	t.like(given?.findings, [
		{detector: 'github-pat', category: 'secret', channel: 'tool-result', action: 'mask', span: {text: 1, start: 4, end: 44}},
	]);
	t.false(JSON.stringify(given).includes(key));
});

test('a text without secrets is left alone', async t => {
	const plugin = await start(t);
	t.is(await plugin.ask('pre-request', {text: ['What is 2 + 2?', 'commit 43fc912ef59a'], channels: ['user', 'user']}), undefined);
});

test('what to do goes by the category', async t => {
	const plugin = await start(t, {action: 'flag', categories: {'private-key': 'deny'}});
	const flagged = await plugin.ask('pre-request', {text: [key], channels: ['user']});
	t.like(flagged, {verdict: 'allow', findings: [{action: 'flag'}]});
	const denied = await plugin.ask('pre-request', {text: [`-----BEGIN ${'PRIVATE'} KEY-----\nabc`], channels: ['user']});
	t.like(denied, {verdict: 'deny', code: 'content_blocked', findings: [{action: 'deny'}]});
	t.false(JSON.stringify(denied).includes('abc'));
});

test('a kind that is to be ignored is no finding', async t => {
	const plugin = await start(t, {ignore: ['github-pat']});
	t.is(await plugin.ask('pre-request', {text: [key], channels: ['user']}), undefined);
});

test('a key split at any position of a stream is masked, and no byte of it comes out', async t => {
	const plugin = await start(t);
	const text = `Take ${key}, please.`;
	for (let cut = 0; cut <= text.length; cut += 3) {
		const out = await stream(plugin, [text.slice(0, cut), text.slice(cut)]);
		t.is(out.join(''), 'Take [SECRET], please.', `cut at ${cut}`);
		t.false(
			out.some(part => part.includes('ghp')),
			`cut at ${cut}`,
		);
	}
});

test('a stream with a secret that must not pass is refused before any of it is cleared', async t => {
	const plugin = await start(t, {action: 'deny'});
	const given = await plugin.ask('post-response', {window: {channel: 0, text: `Take ${key}, please.`, final: false}});
	t.like(given, {verdict: 'deny', code: 'content_blocked'});
});

test('a reply and the result of a tool are read like a request', async t => {
	const plugin = await start(t);
	const given = await plugin.ask('post-response', {text: ['password', 'Tr0ub4dor&3x'], channels: ['tool-result', 'tool-result']});
	t.deepEqual(patchOf(given), {1: '[SECRET]'});
});

test('what to do goes by where it came from, before the category', async t => {
	const plugin = await start(t, {
		categories: {'provider-key': 'deny'},
		channels: {'tool-result': {'provider-key': 'taint'}, user: 'flag'},
	});
	const read = await plugin.ask('post-response', {text: [key], channels: ['tool-result']});
	t.like(read, {verdict: 'allow', findings: [{category: 'secret', channel: 'tool-result', action: 'taint'}]});
	t.like(await plugin.ask('pre-request', {text: [key], channels: ['user']}), {verdict: 'allow', findings: [{action: 'flag'}]});
	t.like(await plugin.ask('pre-request', {text: [key], channels: ['system']}), {verdict: 'deny'});
	const streamed = await plugin.ask('post-response', {window: {channel: 0, text: `${key} `, final: true}, channels: ['tool-arguments']});
	t.like(streamed, {verdict: 'deny'});
});

test('of many findings those are told that something was done about', async t => {
	const plugin = await start(t, {channels: {user: 'flag', system: 'taint', assistant: 'mask'}});
	const channels = [...Array.from({length: 70}, () => 'user' as const), 'system' as const, 'assistant' as const];
	const given = await plugin.ask('pre-request', {text: channels.map(() => key), channels});
	const findings = (given?.findings ?? []) as Array<{action: string}>;
	const actions = findings.map(({action}) => action);
	t.deepEqual(actions.slice(0, 3), ['mask', 'taint', 'flag']);
	t.is(actions.length, 64);
});

test('an unknown category is refused before the plugin runs', async t => {
	await t.throwsAsync(startPlugin(import.meta.url, {config: {categories: {keys: 'mask'}}}), {message: /categories/});
});
