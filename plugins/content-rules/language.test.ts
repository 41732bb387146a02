import test from 'ava';
import type * as z from 'zod';
import {flowing, whole} from './flowing.ts';
import {samples} from './language-samples.ts';
import {wordsOf} from './prose.ts';
import {config} from './settings.ts';
import {flowStart, passOn} from './stream.ts';

type Languages = NonNullable<z.input<typeof config>['languages']>;
const settingsOf = (languages: Languages) => config.parse({languages});
const foundIn = (languages: Languages, text: string) => whole(settingsOf(languages), text).findings;

const english = samples.en!.join(' ');
const russian = samples.ru!.join(' ');
const german = samples.de!.join(' ');

test('a text is of its own language and of no other', t => {
	for (const [code, texts] of Object.entries(samples)) {
		const own = settingsOf({allow: [code]});
		const other = settingsOf({allow: [code === 'en' ? 'de' : 'en']});
		const denied = settingsOf({deny: [code]});
		for (const text of texts) {
			t.deepEqual(whole(own, text).findings, [], `${code}: ${text}`);
			t.like(whole(other, text).findings, [{detector: 'language', category: 'language', action: 'flag'}], `${code}: ${text}`);
			t.is(whole(denied, text).findings.length, 1, `${code}: ${text}`);
		}
	}
});

test('languages that are near each other are told apart in a letter', t => {
	const near = [
		['da', 'no'],
		['no', 'sv'],
		['cs', 'pl'],
		['es', 'pt'],
		['pt', 'it'],
		['ru', 'uk'],
		['ru', 'bg'],
		['ar', 'fa'],
		['fa', 'ur'],
		['hi', 'mr'],
		['de', 'nl'],
		['zh', 'ja'],
	];
	for (const pair of near) {
		for (const [own, other] of [pair, pair.toReversed()]) {
			t.is(foundIn({allow: [other!]}, samples[own!]!.join(' ')).length, 1, `${own} as ${other}`);
			t.is(foundIn({allow: [own!]}, samples[own!]!.join(' ')).length, 0, own);
		}
	}
});

test('a finding says where, and never what', t => {
	const [found] = foundIn({allow: ['en'], action: 'deny', severity: 'high'}, `${english} ${russian}`);
	t.like(found, {detector: 'language', category: 'language', severity: 'high', score: 1, channel: 'assistant', action: 'deny'});
	t.true(found!.span!.start > english.length - 240 && found!.span!.end < english.length + 300);
	t.notRegex(JSON.stringify(found), /\p{Script=Cyrillic}/u);
});

const code = `\`\`\`python
# Diese Funktion gibt die Summe der Werte aus der Liste zurück, die nicht leer sind
def total(values, is_open=False):
    if not values and is_open:
        return None
    for value in values:
        print("the value of this is not known to us", value)
    return sum(value for value in values if value is not None)
\`\`\`
`;
const others = {
	short: 'Guten Morgen, vielen Dank!',
	numbers: '2026-11-23 12:00 4711 0815 1,234.50 € 17 % 3,5 km/h 0x7f '.repeat(9),
	names: 'Müller, Jürgen | Dvořák, Antonín | García Márquez, Gabriel | São Paulo | Łódź | Besançon | Kraków | Malmö | Århus\n'.repeat(4),
	addresses: 'https://de.example/der-die-das/und/ist?nicht=ein&mit=dem von@der.example /usr/lib/und/die C:\\der\\und\\die '.repeat(4),
	code: code.repeat(3),
	sql: 'SELECT name, total FROM orders WHERE state IN (1, 2) AND NOT closed = 1;\n'.repeat(6),
	json: JSON.stringify({id: 17, status: 'ok', items: [{name: 'der_und_die', price: 12.5, currency: 'EUR', origin: 'MUC'}]}).repeat(5),
};

test('what is short, code, numbers, names, addresses is of no language', t => {
	for (const [kind, text] of Object.entries(others)) {
		const rules: Languages[] = [{allow: ['fr']}, {allow: ['ja']}, {deny: ['de', 'en']}];
		for (const languages of rules) t.deepEqual(foundIn({...languages, action: 'deny'}, text), [], kind);
	}
	t.deepEqual(wordsOf('Das steht in `der_datei` unter https://a.example/die und user@b.example', false), ['steht', 'in', 'unter', 'und']);
});

test('code in an answer hides no other language beside it', t => {
	t.is(foundIn({allow: ['en']}, `${english}\n${code}\n${russian}`).length, 1);
	t.is(foundIn({allow: ['en']}, `${code}\n${german}`).length, 1);
	t.is(foundIn({allow: ['en']}, `\`\`\`\n${russian}\n\`\`\``).length, 1);
	const signs =
		'Öffnen Sie die Einstellungen -> Netzwerk und wählen Sie das Gerät, mit dem Sie (und Ihre Schüler(innen)) verbunden sind; dann ist alles = fertig, und wir können wieder an die Arbeit gehen.';
	t.is(foundIn({allow: ['en']}, signs).length, 1);
	t.is(foundIn({allow: ['en']}, JSON.stringify({status: 'ok', message: samples.ru![0]!.slice(0, 90)})).length, 1);
	t.is(foundIn({allow: ['en']}, JSON.stringify({status: 'ok', message: samples.de![0]!.slice(0, 120)}, null, 2)).length, 1);
});

test('what nobody can tell passes, unless that is not allowed', t => {
	const strict: Languages = {allow: ['en'], unknown: 'deny'};
	const mixed = 'the house стоит там and a tree было или car это '.repeat(8);
	for (const text of ['guten Morgen, vielen Dank', mixed]) {
		t.deepEqual(foundIn({allow: ['en']}, text), [], text);
		t.like(foundIn(strict, text), [{detector: 'language', category: 'unknown-language', action: 'deny'}], text);
	}
	for (const text of ['', '4711', english, others.numbers, `${english} Ok.`]) t.deepEqual(foundIn(strict, text), [], text);
});

test('a language that is switched to in a stream is found within 300 characters, in pieces of any length', t => {
	for (const pieces of [1, 3, 17, 100, 1_000]) {
		const passed = flowing(settingsOf({allow: ['en', 'de'], action: 'flag'}), english + german, 'assistant', () => pieces);
		t.is(passed.text, english + german);
		t.deepEqual(passed.findings, []);
		const switched = flowing(settingsOf({allow: ['en']}), `${english} ${russian} ${russian}`, 'assistant', () => pieces);
		t.is(switched.findings.length, 1, `${pieces}`);
		for (const [code, texts] of Object.entries({de: samples.de!, fi: samples.fi!, zh: samples.zh!, vi: samples.vi!, ar: samples.ar!})) {
			const text = texts.join(' ').slice(0, 300);
			const said = flowing(settingsOf({allow: ['en']}), `${english} ${text} ${english}`, 'assistant', () => pieces);
			t.is(said.findings.length, 1, `${code} in pieces of ${pieces}`);
		}
	}
});

test('where it is refused, not a character of a foreign answer goes out; where it is flagged, nothing waits', t => {
	for (const pieces of [1, 4, 50]) {
		const strict = settingsOf({allow: ['en'], action: 'deny'});
		let end = pieces;
		let first = passOn(russian.slice(0, end), false, 'assistant', flowStart, strict, true);
		for (; first.clear === 0; first = passOn(russian.slice(0, end), false, 'assistant', first.flow, strict, true)) end += pieces;
		t.true(first.findings.some(({action}) => action === 'deny'));
		t.true(end < 140, `${end}`);
		const flagged = flowing(settingsOf({allow: ['en']}), russian, 'assistant', () => pieces);
		t.is(flagged.held, 0);
		const allowed = flowing(settingsOf({allow: ['en'], action: 'deny'}), english, 'assistant', () => pieces);
		t.is(allowed.text, english);
		t.true(allowed.held < 140, `${allowed.held}`);
	}
	const ofCode = flowing(settingsOf({allow: ['en'], action: 'deny'}), code.repeat(20), 'assistant', () => 7);
	t.is(ofCode.text, code.repeat(20));
	t.true(ofCode.held < 600, `${ofCode.held}`);
});

test('words behind escapes of JSON are words', t => {
	const escaped = JSON.stringify({message: russian}).replace(/[^ -~]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
	t.is(foundIn({allow: ['en'], minChars: 20}, escaped).length, 1);
});

test('a rule is for the places and channels it names', t => {
	const settings = settingsOf({allow: ['en'], on: ['request'], channels: ['user']});
	t.deepEqual(whole(settings, russian).findings, []);
	t.truthy(settings.languageFor('request', 'user'));
	t.is(settings.languageFor('request', 'system'), undefined);
	t.is(settings.languageFor('answer', 'assistant'), undefined);
});

test('a wrong code is refused, and told how to write it', t => {
	const wrong = (languages: unknown): string => config.safeParse({languages}).error?.issues[0]?.message ?? '';
	t.regex(wrong({allow: ['EN']}), /write 'en'/);
	t.regex(wrong({allow: ['de-AT']}), /write 'de'/);
	t.regex(wrong({allow: ['swe']}), /write one of af, am, ar/);
	t.regex(wrong({allow: ['en'], deny: ['de']}), /either allow or deny/);
	t.regex(wrong({}), /either allow or deny/);
	t.not(wrong({allow: []}), '');
	t.not(wrong({allow: ['en'], action: 'mask'}), '');
});

test('100 KB of anything cost what 100 KB of words cost', t => {
	const settings = settingsOf({allow: ['en', 'vi', 'zh'], unknown: 'allow'});
	const worst = ['a', '(', '\\', '\n', '```\n', "a'", '`', '= ( ', ' ', 'for ', 'a\u0301', 'a-b/', 'x;', 'ờ ', '我', '\\u0430', '_'];
	for (const part of worst) {
		const started = performance.now();
		whole(settings, part.repeat(100_000 / part.length));
		t.true(performance.now() - started < 2_000, JSON.stringify(part));
	}
});
