import test from 'ava';
import type * as z from 'zod';
import type {Finding} from '../../plugin-sdk/index.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {flowing, whole} from './flowing.ts';
import {config} from './settings.ts';

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
	const more: z.input<typeof config> = {
		...rules,
		phrases: [
			{name: 'code-name', phrases: ['Project Falcon', '猎鹰', 'a b', 'b a c'], except: ['Project Falcon Heavy', 'x a b y'], action: 'mask'},
			{name: 'part', phrases: ['fal', 'ss'], parts: true, action: 'strip'},
		],
		patterns: [
			{name: 'staff', pattern: '\\bEMP-\\d{4,6}\\b', action: 'mask'},
			{name: 'quoted', pattern: '"[^"]{2,20}"', action: 'mask'},
		],
		html: {tags: 'all', action: 'strip'},
	};
	const parts = [
		...[
			'project',
			'falcon',
			'heavy',
			' ',
			'  ',
			'-',
			'\u200b',
			'EMP-',
			'123',
			'4567',
			'https:',
			'http://',
			'//',
			'evil.example',
			'good.example',
		],
		...[
			'[',
			']',
			'(',
			')',
			'](',
			'!',
			'![',
			'<',
			'>',
			'<b ',
			'onclick=',
			'"',
			"'",
			'&',
			'&#104;',
			'&#x6',
			'8;',
			'&lt;',
			'ttps',
			'\\',
			'\\\\',
		],
		...[
			':',
			'\n',
			'я',
			'猎鹰',
			'😀',
			'@',
			'javascript:',
			'<img src=',
			'url(',
			']:',
			'a',
			' b',
			' a ',
			'c',
			'x',
			'y',
			'ß',
			's',
			'e\u0301',
			'\u0301',
		],
		...['.', ',', '?q=', '#', 'data:', 'www.', '/x'],
	];
	for (const [seed, settings] of [config.parse(more), config.parse({...more, answers: {json: true, notJson: 'flag'}})].entries()) {
		const random = seededRandom(seed);
		for (let round = 0; round < 1_500; round++) {
			const text = Array.from({length: 1 + random.below(28)}, () => random.pick(parts)).join('');
			const most = random.pick([1, 3, 9, 40]);
			const came = flowing(settings, text, 'assistant', () => 1 + random.below(most));
			t.is(came.text, whole(settings, text).text, `seed ${seed}, round ${round}: ${JSON.stringify(text)}`);
		}
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
