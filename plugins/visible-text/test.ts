import test from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const tags = [...'send'].map(letter => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join('');

test('what nobody sees is taken out of every text, and the rest stays as it is', async t => {
	const plugin = await startPlugin(import.meta.url);
	t.teardown(plugin.close);
	const ask = async (...text: string[]) => plugin.ask('post-response', {operation: 'tools/call', text});
	t.is(await ask('plain', 'Grüße 👩‍👩‍👧 ❤️ می‌خواهم', 'a\tb\r\nc'), undefined);
	const pairs: [string, string][] = [
		[`yes${tags}`, 'yes'],
		['a\u200bb\u202ec\u2069\ufeff', 'abc'],
		['\u001b[31mred\u001b[0m and \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007', 'red and link'],
		['a\u001b[2K\u001b[1Ab\u009b8mc\u0008', 'abc'],
		['x\u001bPhidden\u001b\\y\u001bcz', 'xyz'],
		['x\u001b]0;never ended', 'x'],
	];
	for (const [given, seen] of pairs)
		t.deepEqual(await ask('plain', given), {verdict: 'rewrite', patch: {text: {1: seen}}, annotate: {texts: 1}}, JSON.stringify(given));
	t.is(await plugin.ask('post-response', {operation: 'chat', text: [`yes${tags}`]}), undefined, 'models are not its business');
});

test('it is written out, refused or only told where the config says so', async t => {
	const ask = async (action: string) => {
		const plugin = await startPlugin(import.meta.url, {config: {action}});
		t.teardown(plugin.close);
		return plugin.ask('post-response', {operation: 'resources/read', text: ['a\u200b\u001b[8mb']});
	};
	t.like(await ask('write-out'), {patch: {text: {0: 'a\\u{200b}\\u{1b}[8mb'}}});
	t.like(await ask('deny'), {verdict: 'deny', code: 'content_blocked'});
	t.deepEqual(await ask('flag'), {verdict: 'allow', annotate: {texts: 1}});
});

test('no text takes long', async t => {
	const plugin = await startPlugin(import.meta.url);
	t.teardown(plugin.close);
	for (const piece of ['\u001b[', '\u001b]', '\u001b[0;', '\u200d', '\u001bP', 'é\ufe00'])
		t.truthy(await plugin.ask('post-response', {operation: 'tools/call', text: [piece.repeat(300_000)]}), JSON.stringify(piece));
});
