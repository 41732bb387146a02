import test from 'ava';
import type * as z from 'zod';
import type {Channel, Finding} from '../../plugin-sdk/index.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {config, type Settings} from './settings.ts';
import {type Flow, flowStart, passOn} from './stream.ts';
import {wholeTexts} from './whole.ts';

const rules: z.input<typeof config> = {
	phrases: [
		{name: 'code-name', phrases: ['Project Falcon', 'Grüne Straße', '猎鹰'], except: ['Project Falcon Heavy'], action: 'mask'},
		{name: 'rude', phrases: ['darn'], action: 'strip'},
		{name: 'told', phrases: ['Acme'], action: 'flag'},
	],
	patterns: [{name: 'staff', pattern: '\\bEMP-\\d{4,6}\\b', action: 'mask'}],
	links: {hosts: ['good.example'], on: ['answer', 'tool-arguments'], action: 'mask'},
	images: {hosts: [], on: ['answer', 'tool-arguments'], action: 'mask'},
	html: {on: ['answer', 'tool-arguments'], action: 'strip'},
	scripts: {allow: ['Latin', 'Han'], action: 'mask'},
};

type Out = {text: string; findings: Finding[]; held: number};

/** What comes out when `text` comes in pieces of the lengths that `next` says. */
const flowing = (settings: Settings, text: string, channel: Channel, next: () => number): Out => {
	let flow: Flow = flowStart;
	let out = '';
	let held = '';
	let most = 0;
	const findings: Finding[] = [];
	for (let at = 0; at < text.length; ) {
		let end = Math.min(text.length, at + next());
		if (/[\ud800-\udbff]$/.test(text.slice(0, end))) end++;
		held += text.slice(at, end);
		at = end;
		const passed = passOn(held, at === text.length, channel, flow, settings, true);
		out += passed.out;
		findings.push(...passed.findings);
		held = at === text.length ? '' : held.slice(passed.clear);
		most = Math.max(most, held.length);
		flow = JSON.parse(JSON.stringify(passed.flow));
	}
	return {text: out, findings, held: most};
};

const whole = (settings: Settings, text: string, channel: Channel = 'assistant') => {
	const {patch, findings} = wholeTexts([text], [channel], false, settings, [0]);
	return {text: patch[0] ?? text, findings};
};

const letter = [
	'About Project Falcon and Project Falcon Heavy, PROJECT\u200b-FALCON, die grüne  strasse, 这是猎鹰项目; ',
	'EMP-12345 says darn, Acme! See https://evil.example/a?b=c, [x](javascript:alert(1)), [docs](https://good.example/x) and ',
	'![i](//evil.example/p.png?q=1) <b onclick="x">bold</b> <script>alert(1)</script> привет мир 😀 &#104;ttps://evil.example. ',
	'[id]: <https://evil.example/x> www.evil.example EMP-1234567 Project Fal',
].join('');

test('whole, each thing is masked, stripped or told, and nothing else changes', t => {
	const {text, findings} = whole(config.parse(rules), letter);
	t.is(
		text,
		[
			'About [CODE-NAME] and Project Falcon Heavy, [CODE-NAME], die [CODE-NAME], 这是[CODE-NAME]项目; ',
			'[STAFF] says , Acme! See [LINK] [x]([LINK]), [docs](https://good.example/x) and ',
			'![i]([IMAGE]) bold</b> alert(1) [SCRIPT] 😀 [LINK] ',
			'[id]: <[IMAGE]> [LINK] EMP-1234567 Project Fal',
		].join(''),
	);
	t.true(findings.some(({detector, action}) => detector === 'told' && action === 'flag'));
});

test('cut at every position, a stream comes to what the whole text comes to, with the same findings', t => {
	const settings = config.parse(rules);
	const expected = whole(settings, letter);
	const kinds = (findings: readonly Finding[]) => findings.map(({detector, action}) => `${detector} ${action}`);
	for (let at = 1; at < letter.length; at++) {
		const pieces = [at, letter.length];
		const came = flowing(settings, letter, 'assistant', () => pieces.shift()!);
		t.is(came.text, expected.text, `cut at ${at}`);
		t.deepEqual(kinds(came.findings).sort(), kinds(expected.findings).sort(), `cut at ${at}`);
	}
});

test('in pieces of any lengths too, and little is held back', t => {
	const settings = config.parse(rules);
	const expected = whole(settings, letter);
	const seed = 3;
	const random = seededRandom(seed);
	for (let round = 0; round < 60; round++) {
		const most = random.pick([1, 2, 5, 17, 60]);
		const came = flowing(settings, letter, 'assistant', () => 1 + random.below(most));
		t.is(came.text, expected.text, `seed ${seed}, round ${round}`);
		t.true(came.held < 120, `${came.held}`);
	}
});

test('texts put together at random flow as they stand', t => {
	const settings = config.parse(rules);
	const seed = 17;
	const random = seededRandom(seed);
	const parts = [
		...[
			'project',
			'falcon',
			'heavy',
			' ',
			'-',
			'\u200b',
			'EMP-',
			'123',
			'4567',
			'https:',
			'//',
			'evil.example',
			'good.example',
			'/x',
			'www.',
		],
		...[
			'[',
			']',
			'(',
			')',
			'!',
			'<',
			'>',
			'<b ',
			'onclick=',
			'"',
			"'",
			'&',
			'&#104;',
			'ttps',
			'\\',
			':',
			'\n',
			'я',
			'猎鹰',
			'😀',
			'@',
			'javascript',
			'<img src=',
			'url(',
		],
	];
	for (let round = 0; round < 800; round++) {
		const text = Array.from({length: random.below(24)}, () => random.pick(parts)).join('');
		if (text === '') continue;
		const came = flowing(settings, text, 'assistant', () => 1 + random.below(6));
		t.is(came.text, whole(settings, text).text, `seed ${seed}, round ${round}: ${JSON.stringify(text)}`);
	}
});

test('in JSON, escapes hide nothing, and it stays JSON', t => {
	const settings = config.parse(rules);
	const escaped = (text: string) => text.replace(/[a-zA-Z]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
	const written = `{"about": "${escaped('project falcon')}", "to":"https:\\/\\/evil.example\\/x", "n": 1, "staff": "\\tEMP-1234\\n", "html": "a \\u003cscript>", "ok": "project", "falcon": "https://good.example/\\"q\\""}`;
	const expected = {
		about: '[CODE-NAME]',
		to: '[LINK]',
		n: 1,
		staff: '\t[STAFF]\n',
		html: 'a ',
		ok: 'project',
		falcon: 'https://good.example/"q"',
	};
	t.deepEqual(JSON.parse(whole(settings, written, 'tool-arguments').text), expected);
	const asked = config.parse({...rules, answers: {json: true}});
	for (const size of [1, 2, 3, 5, 7, 11, 50])
		t.deepEqual(JSON.parse(flowing(asked, written, 'assistant', () => size).text), expected, `pieces of ${size}`);
});

test('an address without an end is taken away as it comes, and little of it is held', t => {
	const settings = config.parse(rules);
	const text = `see https://evil.example/?d=${'x'.repeat(5_000)} and go on`;
	const came = flowing(settings, text, 'assistant', () => 13);
	t.is(came.text, 'see [LINK] and go on');
	t.true(came.held < 700);
	t.is(flowing(settings, `<b onclick="${'y'.repeat(5_000)}">`, 'assistant', () => 13).text.startsWith('< b'), true);
});

test('nothing hostile makes it hold more than the gateway keeps', t => {
	const settings = config.parse(rules);
	for (const used of [settings, config.parse({...rules, answers: {json: true, notJson: 'flag'}})])
		for (const piece of [
			'project ',
			'project\u200b',
			'[',
			'](',
			'<a ',
			'&',
			'\\',
			'\\u0070',
			'https://',
			'я',
			'<a href="',
			'project\\u200b',
		])
			t.true(flowing(used, piece.repeat(1_500), 'assistant', () => 29).held <= 4_096, piece);
});

const answers = (more: object): Settings => config.parse({answers: more});
const said = ({findings}: {findings: readonly Finding[]}) => findings.map(({detector, action}) => `${detector} ${action}`);

test('an answer that is too long is refused, cut off, or told, once', t => {
	const long = 'x'.repeat(50);
	for (const size of [1, 7, 60]) {
		t.deepEqual(said(flowing(answers({maxChars: 50}), long, 'assistant', () => size)), []);
		t.true(said(flowing(answers({maxChars: 49}), long, 'assistant', () => size)).includes('length deny'));
		const cut = flowing(answers({maxChars: 20, tooLong: 'strip'}), `${'x'.repeat(19)}😀yyy`, 'assistant', () => size);
		t.is(cut.text, 'x'.repeat(19));
		t.deepEqual(said(cut), ['length strip']);
		t.deepEqual(said(flowing(answers({maxChars: 20, tooLong: 'flag'}), long, 'assistant', () => size)), ['length flag']);
	}
	t.is(whole(answers({maxChars: 20, tooLong: 'strip'}), long).text, 'x'.repeat(20));
	t.deepEqual(said(whole(answers({maxChars: 49}), long)), ['length deny']);
});

test('an answer must be JSON from its first character to its last', t => {
	for (const size of [1, 7, 100]) {
		const flow = (text: string) => said(flowing(answers({json: true}), text, 'assistant', () => size));
		t.deepEqual(flow('{"a": [1, 2, "x"]}\n'), []);
		for (const text of ['Sure! {"a": 1}', '{"a": 1', '{"a": 1} and more', '```json\n{}\n```', '{a: 1}']) {
			t.true(flow(text).includes('json deny'), text);
			t.deepEqual(said(whole(answers({json: true}), text)), ['json deny'], text);
		}
	}
});

test('of an answer with a schema the last character waits until all of it fits', t => {
	const settings = answers({schema: {type: 'object', required: ['name'], properties: {name: {type: 'string'}}}});
	for (const size of [1, 5, 100]) {
		const good = flowing(settings, '{"name": "ada"}', 'assistant', () => size);
		t.is(good.text, '{"name": "ada"}');
		t.deepEqual(said(good), []);
		t.deepEqual(said(flowing(settings, '{"nam": "ada"}', 'assistant', () => size)), ['schema deny']);
	}
	const text = '{"nam": "ada"}';
	t.is(passOn(text, false, 'assistant', flowStart, settings, true).clear, text.length - 1);
	t.deepEqual(said(whole(settings, '{"name": 1}')), ['schema deny']);
});
