import test, {type ExecutionContext} from 'ava';
import {type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';
import {type Custom, createWordList, customContext, scanCustom} from './custom.ts';
import {inJson} from './json.ts';
import {addressFinders, personFinders} from './people.ts';
import {seeded} from './seeded.ts';

const start = async (t: ExecutionContext, config: Record<string, unknown>): Promise<StartedPlugin> => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const patch = async (plugin: StartedPlugin, ...text: string[]) => {
	const given = await plugin.ask('pre-request', {text, channels: text.map(() => 'user' as const)});
	return (given?.patch as {text: Record<string, string>} | undefined)?.text;
};

const custom = [
	{name: 'employee-id', patterns: ['\\bE-\\d{5}\\b']},
	{name: 'project', words: ['Blue Heron', 'Kestrel'], mode: 'mask'},
];

test('what an operator names is masked beside what is built in', async t => {
	const plugin = await start(t, {custom});
	t.deepEqual(await patch(plugin, 'E-12345 of blue heron, ada@example.com; kestrels and XE-12345 stay'), {
		0: '[EMPLOYEE_ID] of ****eron, [EMAIL]; kestrels and XE-12345 stay',
	});
});

test('a short word that ends a text is found beside longer ones, and nothing behind the text is taken for a part of it', async t => {
	const {found, open} = createWordList(['Kestrel', 'owl']).scan('an Owl', 0, true);
	t.deepEqual({found, open}, {found: [{start: 3, end: 6}], open: 6});
	t.deepEqual(await patch(await start(t, {custom}), 'kestrel'), {0: '****'});
});

test('what stands around a value that an operator names is found too', async t => {
	const plugin = await start(t, {custom: [{name: 'name', words: ['nora']}]});
	t.deepEqual(await patch(plugin, 'nora.byron@example.com, ada.nora@example.com'), {0: '[NAME].[EMAIL], ada.[NAME]@example.com'});
});

test('reversible: the client gets such a value back, and a placeholder that a model invents gives nothing', async t => {
	const plugin = await start(t, {custom, reversible: true});
	const asked = await plugin.ask('pre-request', {text: ['ask E-12345'], channels: ['user']});
	t.deepEqual(asked?.patch, {text: {0: 'ask [EMPLOYEE_ID_1]'}});
	const given = await plugin.ask('post-response', {
		text: ['[EMPLOYEE_ID_1], [EMPLOYEE_ID_2]'],
		channels: ['assistant'],
		carried: asked?.carry as string,
	});
	t.deepEqual(given?.patch, {text: {0: 'E-12345, [EMPLOYEE_ID_2]'}});
});

test('a finding of it has its name and not its value', async t => {
	const plugin = await start(t, {custom});
	const given = await plugin.ask('pre-request', {text: ['ask E-12345'], channels: ['user']});
	t.like(given?.findings, [{detector: 'employee-id', category: 'personal-data', action: 'mask'}]);
	t.false(JSON.stringify(given?.findings).includes('12345'));
});

test('a pattern that could take for ever, a name that is taken and an entity without anything are refused at the start', async t => {
	await t.throwsAsync(start(t, {custom: [{name: 'x', patterns: ['(a)\\1']}]}), {message: /custom\.0\.patterns\.0/});
	await t.throwsAsync(start(t, {custom: [{name: 'card', patterns: ['x']}]}), {message: /custom\.0\.name/});
	await t.throwsAsync(start(t, {custom: [{name: 'empty'}]}), {message: /patterns or words/});
	await t.throwsAsync(start(t, {allowPatterns: ['(?=x)']}), {message: /allowPatterns\.0/});
});

test('what a pattern allows is left alone, and only if it matches the whole value', async t => {
	const plugin = await start(t, {allowPatterns: ['[a-z.]+@acme\\.example']});
	t.deepEqual(await patch(plugin, 'help@acme.example and help@acme.example.org'), {0: 'help@acme.example and [EMAIL]'});
});

test('names and addresses are found by the words around them where the config asks for them, and not otherwise', async t => {
	const letter = 'Dear Ms Ines Okafor, my name is Jan van Dijk and I live at 12 Mill Lane, before in Lindenstraße 7. Dear Team, Hi There';
	t.is(await patch(await start(t, {}), letter), undefined);
	const plugin = await start(t, {mask: ['name', 'address']});
	t.deepEqual(await patch(plugin, letter), {
		0: 'Dear Ms [PERSON], my name is [PERSON] and I live at [ADDRESS], before in [ADDRESS]. Dear Team, Hi There',
	});
});

test('in whatever pieces a text comes, names and addresses are found as in the whole', t => {
	const customs: Custom[] = [
		{type: 'PERSON', finders: personFinders()},
		{type: 'ADDRESS', finders: addressFinders()},
	];
	const parts = [
		'Dear ',
		'Ms ',
		'Ada ',
		'Okafor',
		', ',
		'my name is ',
		'Jan',
		' ',
		'12 ',
		'Mill ',
		'Lane',
		'. ',
		'Team',
		'Lindenstraße 7',
		'x',
		'first_name: "',
	];
	for (let seed = 1; seed <= 120; seed++) {
		const random = seeded(seed * 104_729);
		const whole = Array.from({length: random(12) + 1}, () => parts[random(parts.length)]).join('');
		const expected = scanCustom(customs, whole, 0, true).found.map(({start: at, end, type}) => `${type} ${at}-${end}`);
		const seen: string[] = [];
		let done = 0;
		for (let at = 0; at <= whole.length; ) {
			at += 1 + random(9);
			const from = Math.max(0, done - customContext);
			const {found, open} = scanCustom(customs, whole.slice(from, at), done - from, at > whole.length);
			seen.push(...found.map(each => `${each.type} ${each.start + from}-${each.end + from}`));
			done = open + from;
		}
		t.deepEqual(seen, expected, `seed ${seed}: ${JSON.stringify(whole)}`);
	}
});

test('the name of a field tells what its value is', async t => {
	const plugin = await start(t, {});
	t.deepEqual(await patch(plugin, 'passportNumber', 'X1234567', 'order_id', 'X1234567'), {1: '[PASSPORT]'});
});

test('in whatever pieces a text comes, what is found of it is what is found in the whole', t => {
	const list = createWordList(['blue heron', 'heron', 'İstanbul', 'kestrel 7', 'a b']);
	const customs: Custom[] = [{type: 'WORD', finders: [list]}];
	const parts = ['blue ', 'Heron', 'heron', ' ', 'Kestrel 7', 'kestrel', 'İ', '_', 'a', ' b', '.', '7', 'é'];
	for (let seed = 1; seed <= 500; seed++) {
		const random = seeded(seed * 104_729);
		const whole = Array.from({length: random(9) + 1}, () => parts[random(parts.length)]).join('');
		const expected = scanCustom(customs, whole, 0, true).found.map(({start: at, end}) => `${at}-${end}`);
		const seen: string[] = [];
		let done = 0;
		for (let at = 0; at <= whole.length; ) {
			at += 1 + random(6);
			const from = Math.max(0, done - customContext);
			const {found, open} = scanCustom(customs, whole.slice(from, at), done - from, at > whole.length);
			seen.push(...found.map(each => `${each.start + from}-${each.end + from}`));
			done = open + from;
		}
		t.deepEqual(seen, expected, `seed ${seed}: ${JSON.stringify(whole)}`);
	}
});

test('ten thousand phrases are found in one pass over a hostile megabyte', t => {
	const list = createWordList(Array.from({length: 10_000}, (_, index) => `aa ${index} aa`));
	const begun = performance.now();
	list.scan('aa '.repeat(350_000), 0, false);
	list.scan('aa 99 aa '.repeat(110_000), 0, true);
	t.true(performance.now() - begun < 20_000);
});

test('what stands for a number in JSON is a string, and nothing else is touched', t => {
	const before = '{"card": 4, "note": "4", "list": [4, -1, 4], "a": [1, [2]]}';
	const text = '{"card": [CARD], "note": "is [CARD]\\", [CARD]", "list": [[CARD], -1, ****1111], "a": [1, [2]]}';
	const expected = '{"card": "[CARD]", "note": "is [CARD]\\", [CARD]", "list": ["[CARD]", -1, "****1111"], "a": [1, [2]]}';
	t.is(inJson(before, text), expected);
	t.notThrows(() => JSON.parse(expected));
	for (const words of ['[1] write to [EMAIL], or [CARD]', '{note} [CARD]']) t.is(inJson('[x', words), words);
});
