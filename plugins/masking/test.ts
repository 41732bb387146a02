import test, {type ExecutionContext} from 'ava';
import {type Given, type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown> = {}): Promise<StartedPlugin> => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const patchOf = (given: Given | undefined): Record<string, string> | undefined =>
	(given?.patch as {text?: Record<string, string>} | undefined)?.text;

/** Streams `chunks` through the window hook as the gateway does: what is not cleared comes again, in front of what is new. */
const stream = async (plugin: StartedPlugin, chunks: readonly string[], carried?: string): Promise<string[]> => {
	const out: string[] = [];
	let held = '';
	let memory = carried;
	for (const [index, chunk] of [...chunks, ''].entries()) {
		const text = held + chunk;
		const final = index === chunks.length;
		const given = await plugin.ask('post-response', {window: {channel: 1, text, final}, carried: memory});
		const clear = given?.clear as number;
		const patch = given?.patch as {window: string} | undefined;
		out.push(patch ? patch.window : text.slice(0, clear));
		held = text.slice(clear);
		memory = given?.carry as string;
	}
	return out;
};

test('an e-mail address in a request does not reach the provider', async t => {
	const plugin = await start(t);
	const given = await plugin.ask('pre-request', {text: ['be kind', 'I am ada@example.com']});
	t.deepEqual(patchOf(given), {1: 'I am [EMAIL]'});
});

test('a request without personal data is left alone', async t => {
	const plugin = await start(t);
	t.is(await plugin.ask('pre-request', {text: ['What is 2 + 2?', 'version 1.2.3']}), undefined);
});

test('only the configured kinds are masked', async t => {
	const plugin = await start(t, {mask: ['card']});
	const given = await plugin.ask('pre-request', {text: ['ada@example.com pays with 4111 1111 1111 1111']});
	t.deepEqual(patchOf(given), {0: 'ada@example.com pays with [CARD]'});
});

test('an unknown kind is refused before the plugin runs', async t => {
	await t.throwsAsync(startPlugin(import.meta.url, {config: {mask: ['emial']}}), {message: /mask/});
});

test('a value split at any position of a stream is masked, and no byte of it comes out', async t => {
	const plugin = await start(t);
	const secret = 'ada.lovelace@example.com';
	const text = `Write to ${secret} or call +49 30 901820, please.`;
	for (let cut = 0; cut <= text.length; cut++) {
		const out = await stream(plugin, [text.slice(0, cut), text.slice(cut)]);
		t.is(out.join(''), 'Write to [EMAIL] or call [PHONE], please.', `cut at ${cut}`);
		t.false(
			out.some(part => part.includes('ada')),
			`cut at ${cut}`,
		);
	}
});

test('a stream that comes character by character is masked like the whole text', async t => {
	const plugin = await start(t);
	const out = await stream(plugin, [...'Card 4111-1111-1111-1111, key ghp_0123456789abcdefghijABCDEFGHIJ012345 ok']);
	t.is(out.join(''), 'Card [CARD], key [API_KEY] ok');
});

test('prose is let out as it comes, not held back', async t => {
	const plugin = await start(t);
	const [first] = await stream(plugin, ['Hello there, how are you today? ', 'Fine.']);
	t.true(first!.length >= 'Hello there, how are you '.length);
});

test('reversible: equal values get equal placeholders, and the client gets its values back', async t => {
	const plugin = await start(t, {reversible: true});
	const asked = await plugin.ask('pre-request', {text: ['ada@example.com and bob@example.com', 'again ada@example.com']});
	t.deepEqual(patchOf(asked), {0: '[EMAIL_1] and [EMAIL_2]', 1: 'again [EMAIL_1]'});
	const carried = asked?.carry as string;
	const given = await plugin.ask('post-response', {text: ['Dear [EMAIL_2], [EMAIL_1] says hi; I am eve@example.com'], carried});
	t.deepEqual(patchOf(given), {0: 'Dear bob@example.com, ada@example.com says hi; I am [EMAIL]'});
});

test('reversible: a placeholder split at any position of a stream is given back whole', async t => {
	const plugin = await start(t, {reversible: true});
	const asked = await plugin.ask('pre-request', {text: ['I am ada@example.com']});
	const text = 'Dear [EMAIL_1], see [1] and [EMAIL_7].';
	for (let cut = 0; cut <= text.length; cut++) {
		const out = await stream(plugin, [text.slice(0, cut), text.slice(cut)], asked?.carry as string);
		t.is(out.join(''), 'Dear ada@example.com, see [1] and [EMAIL_7].', `cut at ${cut}`);
	}
});

test('in: request leaves the reply alone, but still gives values back', async t => {
	const plugin = await start(t, {in: ['request'], reversible: true});
	t.is(await plugin.ask('post-response', {text: ['eve@example.com']}), undefined);
	const asked = await plugin.ask('pre-request', {text: ['I am ada@example.com']});
	const given = await plugin.ask('post-response', {text: ['[EMAIL_1] met eve@example.com'], carried: asked?.carry as string});
	t.deepEqual(patchOf(given), {0: 'ada@example.com met eve@example.com'});
});

test('the same exchange counts what it masked, without saying what', async t => {
	const plugin = await start(t);
	const given = await plugin.ask('pre-request', {text: ['ada@example.com', 'none', 'bob@example.com']});
	t.deepEqual(given?.annotate, {maskedTexts: 2});
});
