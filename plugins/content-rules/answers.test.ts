import test from 'ava';
import type {Finding} from '../../plugin-sdk/index.ts';
import {flowing, whole} from './flowing.ts';
import {config, type Settings} from './settings.ts';
import {flowStart, passOn} from './stream.ts';

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
