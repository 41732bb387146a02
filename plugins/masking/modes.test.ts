import test, {type ExecutionContext} from 'ava';
import {type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown> = {}): Promise<StartedPlugin> => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const ask = async (plugin: StartedPlugin, ...text: string[]) => {
	const given = await plugin.ask('pre-request', {text, channels: text.map(() => 'user' as const)});
	return {given, patch: (given?.patch as {text?: Record<string, string>} | undefined)?.text};
};

test('a kind may keep its last four characters, another be refused', async t => {
	const plugin = await start(t, {modes: {card: 'mask', 'us-ssn': 'deny'}});
	const {patch} = await ask(plugin, 'card 4111 1111 1111 1111 of ada@example.com');
	t.deepEqual(patch, {0: 'card ****1111 of [EMAIL]'});
	const {given} = await ask(plugin, 'my ssn is 536-90-4399');
	t.like(given, {verdict: 'deny', code: 'content_blocked', findings: [{detector: 'us-ssn', action: 'deny'}]});
	t.false(JSON.stringify(given).includes('4399'));
});

test('a stream with a value that must not pass is refused before any of it is cleared', async t => {
	const plugin = await start(t, {modes: {'national-id': 'deny'}});
	const given = await plugin.ask('post-response', {window: {channel: 0, text: 'It is AB 12 34 56 C, you know.', final: false}});
	t.like(given, {verdict: 'deny', code: 'content_blocked'});
});

test('a value that is allowed is left alone', async t => {
	const plugin = await start(t, {allow: ['Support@Example.com']});
	const {patch} = await ask(plugin, 'support@example.com or ada@example.com');
	t.deepEqual(patch, {0: 'support@example.com or [EMAIL]'});
});

test('numbers of states are masked, and given back to the client', async t => {
	const plugin = await start(t, {reversible: true});
	const {given, patch} = await ask(plugin, 'NI number AB 12 34 56 C, mail ada@example.com');
	t.deepEqual(patch, {0: 'NI number [UK_NINO_1], mail [EMAIL_1]'});
	const back = await plugin.ask('post-response', {
		text: ['about [UK_NINO_1]: no'],
		channels: ['assistant'],
		carried: given?.carry as string,
	});
	t.deepEqual(back?.patch, {text: {0: 'about AB 12 34 56 C: no'}});
});

test('a number split at any position of a stream is masked, and no byte of it comes out', async t => {
	const plugin = await start(t);
	const text = 'It is AB 12 34 56 C of ada@example.com, yes.';
	for (let cut = 0; cut <= text.length; cut += 2) {
		const first = await plugin.ask('post-response', {window: {channel: 1, text: text.slice(0, cut), final: false}});
		const clear = first?.clear as number;
		const last = await plugin.ask('post-response', {
			window: {channel: 1, text: text.slice(clear), final: true},
			carried: first?.carry as string,
		});
		const shown = [first, last].map(
			(given, index) => (given?.patch as {window: string} | undefined)?.window ?? (index === 0 ? text.slice(0, clear) : text.slice(clear)),
		);
		t.is(shown.join(''), 'It is [UK_NINO] of [EMAIL], yes.', `cut at ${cut}`);
		t.false(/12|ada/.test(shown[0]!), `cut at ${cut}`);
	}
});

test('a number that is masked in JSON becomes a string, and JSON stays JSON', async t => {
	const plugin = await start(t);
	const {patch} = await ask(plugin, '{"card": 4111111111111111, "to": "ada@example.com", "list": [4111111111111111]}');
	t.deepEqual(JSON.parse(patch?.[0] ?? ''), {card: '[CARD]', to: '[EMAIL]', list: ['[CARD]']});
});

test('a number that is masked in an object within other words becomes a string, and the words stay as they are', async t => {
	const plugin = await start(t, {mask: ['email', 'card']});
	const card = '4111111111111111';
	const said = `Cards: ${card}, ${card}. {note}: ${card} Result: {"card":${card},"all":[${card}, {"n": ${card}}],"n":"a\\nb: ${card}"} and: ${card}`;
	const left =
		'Cards: [CARD], [CARD]. {note}: [CARD] Result: {"card":"[CARD]","all":["[CARD]", {"n": "[CARD]"}],"n":"a\\nb: [CARD]"} and: [CARD]';
	t.deepEqual((await ask(plugin, said)).patch, {0: left});
});

test('what was found is told with its kind, its channel and its place, and not with what it says', async t => {
	const plugin = await start(t);
	const {given} = await ask(plugin, 'none', 'I am ada@example.com');
	t.like(given?.findings, [
		{detector: 'email', category: 'personal-data', channel: 'user', action: 'mask', span: {text: 1, start: 5, end: 20}},
	]);
	t.false(JSON.stringify(given?.findings).includes('ada'));
});
