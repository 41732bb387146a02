import test from 'ava';
import type {Json} from '../../plugin-sdk/index.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {foldPhrase, openFolding} from './fold.ts';
import {counted, type Scanner, scanAll} from './hits.ts';
import {compileSchema, SchemaRefused} from './json-schema.ts';
import {isWhole, jsonStart, readOn} from './json-text.ts';
import {openLinks} from './links.ts';
import {openPhrases, type Phrase} from './phrases.ts';
import {openScripts} from './scripts.ts';

const found = (scan: Scanner, text: string): string[] =>
	counted(scanAll([scan], text, 0, true).found).map(({start, end}) => text.slice(start, end));

const phrases = (list: readonly string[], more: Partial<Phrase> = {}): Scanner =>
	openPhrases(list.map(phrase => ({phrase, rule: 0, whole: true, except: false, ...more})));

const falcon = phrases(['Project Falcon', 'C++', 'Straße', '猎鹰', 'café', 'Acme Corp.']);

for (const [text, expected] of [
	['about PROJECT falcon now', ['PROJECT falcon']],
	['project-falcon, project_falcon', ['project-falcon', 'project_falcon']],
	['Project \n\t Falcon', ['Project \n\t Falcon']],
	['pro\u200bject fal\u00adcon', ['pro\u200bject fal\u00adcon']],
	['рrojесt fаlсоn', ['рrojесt fаlсоn']],
	['Ρroject Falcοn', ['Ρroject Falcοn']],
	['ｐｒｏｊｅｃｔ ｆａｌｃｏｎ', ['ｐｒｏｊｅｃｔ ｆａｌｃｏｎ']],
	['𝐩𝐫𝐨𝐣𝐞𝐜𝐭 𝓕𝓪𝓵𝓬𝓸𝓷', ['𝐩𝐫𝐨𝐣𝐞𝐜𝐭 𝓕𝓪𝓵𝓬𝓸𝓷']],
	['p\u0301roj\u0338ect falcon', ['p\u0301roj\u0338ect falcon']],
	['project falcons, subproject falcon, projectfalcon', []],
	['I write C++, not C or C+', ['C++']],
	['in der STRASSE', ['STRASSE']],
	['这是猎鹰项目', ['猎鹰']],
	['a cafe and a Café', ['cafe', 'Café']],
	['Acme Corp. is', ['Acme Corp.']],
] as const)
	test(`phrases: ${JSON.stringify(text).slice(0, 60)} holds ${expected.length}`, t => {
		t.deepEqual(found(falcon, text), [...expected]);
	});

test('a phrase in the middle of a word counts where the rule says so', t => {
	t.deepEqual(found(phrases(['falcon'], {whole: false}), 'subfalcons'), ['falcon']);
	t.deepEqual(found(phrases(['falcon']), 'subfalcons'), []);
});

test('what stands within an exception is no hit, and elsewhere it is', t => {
	const scan = openPhrases([
		{phrase: 'apple', rule: 0, whole: true, except: false},
		{phrase: 'apple pie', rule: 0, whole: true, except: true},
		{phrase: 'big apple', rule: 0, whole: true, except: true},
		{phrase: 'pie', rule: 1, whole: true, except: false},
	]);
	t.deepEqual(found(scan, 'apple pie, Big Apple, apple'), ['pie', 'apple']);
});

test('all phrases are found that a search for each one finds', t => {
	const seed = 5;
	const random = seededRandom(seed);
	const fold = openFolding();
	for (let round = 0; round < 300; round++) {
		const word = () => Array.from({length: 1 + random.below(4)}, () => random.pick(['a', 'b', 'B', ' ', 'é'])).join('');
		const list = Array.from({length: 6}, word).filter(each => each.trim() !== '');
		const text = Array.from({length: random.below(30)}, () => random.pick(['a', 'b', 'A', ' ', '.', 'e', 'é'])).join('');
		const plain = foldPhrase(fold, `.${text}.`);
		const present = list.filter(each => plain.includes(foldPhrase(fold, each)));
		const scan = openPhrases(list.map((phrase, rule) => ({phrase, rule, whole: false, except: false})));
		const met = new Set(scan(text, 0, true).found.map(({rule}) => list[rule]));
		t.deepEqual([...met].sort(), [...new Set(present)].sort(), `seed ${seed}, round ${round}: ${JSON.stringify([list, text])}`);
	}
});

test('letters of other scripts are found in runs; digits, signs and pictures belong to all', t => {
	const latin = openScripts(['Latin'], 0);
	t.deepEqual(found(latin, 'naïve café 12 € 😀 “quoted” – ok'), []);
	t.deepEqual(found(latin, 'say привет мир, or 你好!'), ['привет мир', '你好']);
	t.deepEqual(found(openScripts(['Latin', 'Cyrillic'], 0), 'привет 你好'), ['你好']);
});

test('JSON is read character by character as JSON.parse reads it whole', t => {
	const seed = 11;
	const random = seededRandom(seed);
	const samples = [
		'{"a": [1, -2.5e+3, true, null, "x\\u00e9\\n"], "b": {}}',
		'[]',
		'"s"',
		'12',
		' {"a":1} ',
		'false',
		'[[[]]]',
		'{"a":{"b":[{}]}}',
	];
	for (let round = 0; round < 4_000; round++) {
		const letters = [...random.pick(samples)];
		for (let change = random.below(3); change > 0; change--)
			letters.splice(random.below(letters.length + 1), random.below(2), random.pick([...'{}[],:"0123-.eE+tfn \\u\n']));
		const text = letters.join('');
		const place = readOn(jsonStart, text);
		let parses = true;
		try {
			JSON.parse(text);
		} catch {
			parses = false;
		}
		t.is(place !== undefined && isWhole(place), parses, `seed ${seed}, round ${round}: ${JSON.stringify(text)}`);
	}
});

test('a schema is checked in full, and refused where a keyword would not be', t => {
	const check = compileSchema({
		type: 'object',
		required: ['name', 'tags'],
		additionalProperties: false,
		properties: {
			name: {type: 'string', minLength: 2, pattern: '^[a-z]+$'},
			tags: {type: 'array', items: {$ref: '#/$defs/tag'}, maxItems: 3},
			size: {anyOf: [{type: 'integer', minimum: 0}, {const: 'any'}]},
			inner: {$ref: '#/$defs/tree'},
		},
		$defs: {tag: {enum: ['a', 'b']}, tree: {type: 'object', properties: {next: {$ref: '#/$defs/tree'}}, additionalProperties: false}},
	});
	t.true(check({name: 'ada', tags: ['a', 'b'], size: 3, inner: {next: {next: {}}}}));
	const misfits: Json[] = [
		{name: 'ada'},
		{name: 'A1', tags: []},
		{name: 'ada', tags: ['c']},
		{name: 'ada', tags: [], size: -1},
		{name: 'ada', tags: [], other: 1},
		{name: 'ada', tags: ['a', 'a', 'a', 'a']},
		{name: 'ada', tags: [], inner: {next: {x: 1}}},
		[],
		'x',
	];
	for (const wrong of misfits) t.false(check(wrong), JSON.stringify(wrong));
	const unknown: Json[] = [
		{format: 'email'},
		{type: 'text'},
		{properties: {a: {unevaluatedItems: false}}},
		{pattern: '(?=a)'},
		{$ref: 'https://evil.example/schema'},
		{if: {}},
	];
	for (const schema of unknown) t.throws(() => compileSchema(schema), {instanceOf: SchemaRefused}, JSON.stringify(schema));
});

const allowed = {hosts: ['good.example'], schemes: ['https']};
const everything: readonly Scanner[] = [
	openLinks({links: {rule: 0, allowed}, images: {rule: 1, allowed}, html: {rule: 2, tags: 'all'}}),
	phrases(['a a', 'project falcon', '[[', 'http']),
	openScripts(['Latin'], 3),
];
const pieces = [
	'[',
	'(',
	'](',
	'![',
	'<',
	'<a ',
	'&',
	'&#',
	'\\',
	'https://',
	'www.',
	'a ',
	' ',
	'\u200b',
	'я',
	']:',
	'url(',
	'="',
	'javascript:',
	'<a href=',
	'>',
];
for (const piece of pieces)
	test(`100 KB of ${JSON.stringify(piece)} take no time to speak of`, t => {
		const text = piece.repeat(Math.ceil(100_000 / piece.length));
		const before = process.cpuUsage();
		scanAll(everything, text, 0, true);
		const {user} = process.cpuUsage(before);
		// A tenth of that on a machine that does nothing else.
		t.true(user < 5_000_000, `${user / 1_000} ms`);
	});

test('10,000 phrases are looked for in a megabyte at once', t => {
	const scan = phrases(Array.from({length: 10_000}, (_, index) => `company ${index.toString(36)} limited`));
	const text = 'The company 7pr limited and Company ZZZ Limited are partners of nobody. '.repeat(14_000);
	const before = process.cpuUsage();
	t.is(scan(text, 0, true).found.length, 14_000);
	t.true(process.cpuUsage(before).user < 10_000_000);
});
