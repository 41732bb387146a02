import test from 'ava';
import {readJson, written} from '../core/llm/json-stream.ts';
import {parseJson} from '../core/llm/parse.ts';
import {chunkOf, type Event, guardedGateway, hidden, streamOf} from './helpers/guarded-streams.ts';
import {seededRandom} from './helpers/seeded-random.ts';

type Choices = {choices?: {delta?: {tool_calls?: {function?: {arguments?: string}}[]}}[]};

const argumentsIn = (text: string): string =>
	text
		.split('\n')
		.filter(line => line.startsWith('data: {'))
		.flatMap(line => (JSON.parse(line.slice(6)) as Choices).choices ?? [])
		.map(({delta}) => delta?.tool_calls?.[0]?.function?.arguments ?? '')
		.join('');

const call = (fields: Event): Event => chunkOf({delta: {tool_calls: [{index: 0, ...fields}]}});
const calling = (pieces: readonly string[]): string =>
	streamOf('openai', [
		call({id: 'call_1', type: 'function', function: {name: 'f', arguments: ''}}),
		...pieces.map(piece => call({function: {arguments: piece}})),
	]);

const inPieces = (text: string, length: number): string[] =>
	Array.from({length: Math.ceil(text.length / length)}, (_, at) => text.slice(at * length, (at + 1) * length));

test('arguments stay valid JSON when something in them is masked, however they are cut', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	const args = JSON.stringify({
		text: `Dear all,\n${hidden.masking}\twrote "${hidden['word-list']}"\\${hidden.herons}`,
		[hidden.masking]: [1, 2.5, null],
		card: 4111111111111111,
		nested: {[hidden.secrets]: hidden.secrets, deep: [[{note: hidden.card}]]},
	});
	for (const length of [1, 2, 3, 7, 40, 1_000]) {
		const {text} = await seen('openai', {pieces: [calling(inPieces(args, length))]});
		t.deepEqual(
			JSON.parse(argumentsIn(text)),
			{
				text: 'Dear all,\n[EMAIL]\twrote "***"\\[BIRD]',
				'[EMAIL]': [1, 2.5, null],
				card: '[CARD]',
				nested: {'[SECRET]': '[SECRET]', deep: [[{note: '[CARD]'}]]},
			},
			`pieces of ${length}`,
		);
	}
});

test('a password is known by the name of its field, in a stream as in a whole reply', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	const args = JSON.stringify({user: 'ada', password: 'kT9#vLq2xW', city: 'Bern'});
	const masked = {user: 'ada', password: '[SECRET]', city: 'Bern'};
	for (const length of [1, 5, 1_000]) {
		const {text} = await seen('openai', {pieces: [calling(inPieces(args, length))]});
		t.deepEqual(JSON.parse(argumentsIn(text)), masked, `pieces of ${length}`);
	}
	const reply = {choices: [{index: 0, message: {tool_calls: [{id: 'call_1', type: 'function', function: {name: 'f', arguments: args}}]}}]};
	const {text} = await seen('openai', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(reply)]}, false);
	t.deepEqual(JSON.parse(JSON.parse(text).choices[0].message.tool_calls[0].function.arguments), masked);
});

test('a passport is known by the name of its field, in a stream as in a whole reply', async t => {
	const {seen} = await guardedGateway(t, 'mask', {plugins: [{use: 'virtual-keys'}, {use: 'masking'}]});
	const args = JSON.stringify({order: 'X1234567', passportNumber: 'X1234567', passenger: {passportNumber: ['X1234567']}});
	const masked = {order: 'X1234567', passportNumber: '[PASSPORT]', passenger: {passportNumber: ['[PASSPORT]']}};
	for (const length of [1, 5, 1_000]) {
		const {text} = await seen('openai', {pieces: [calling(inPieces(args, length))]});
		t.deepEqual(JSON.parse(argumentsIn(text)), masked, `pieces of ${length}`);
	}
	const reply = {choices: [{index: 0, message: {tool_calls: [{id: 'call_1', type: 'function', function: {name: 'f', arguments: args}}]}}]};
	const {text} = await seen('openai', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(reply)]}, false);
	t.deepEqual(JSON.parse(JSON.parse(text).choices[0].message.tool_calls[0].function.arguments), masked);
});

/** What a reader makes of a text in these pieces, written again. */
const copied = (pieces: readonly string[]): {text: string; strings: string[]; isRaw: boolean} => {
	const reader = readJson();
	const strings: string[] = [];
	let open = '';
	let text = '';
	let isRaw = false;
	for (const part of [...pieces.flatMap(reader.push), ...reader.end()]) {
		if (part.kind === 'key' || part.kind === 'string') {
			text += written(part.text);
			open += part.text;
			if (part.ends) strings.push(open);
			if (part.ends) open = '';
		} else text += part.text;
		isRaw ||= part.kind === 'raw';
	}
	return {text, strings, isRaw};
};

test('every string of a JSON text is read as JSON.parse reads it, however it is cut', t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	const word = (): string =>
		Array.from({length: below(6)}, () => pick(['a', '"', '\\', '\n', 'é', '😀', '\u0001', '/', '\ud83d', '{', ','])).join('');
	const value = (depth: number): unknown => {
		const kind = depth > 3 ? below(3) : below(5);
		if (kind === 0) return word();
		if (kind === 1) return pick([0, -1, 2.5, 1e21, 4111111111111111]);
		if (kind === 2) return pick([true, false, null]);
		if (kind === 3) return Array.from({length: below(4)}, () => value(depth + 1));
		return Object.fromEntries(Array.from({length: below(4)}, () => [word(), value(depth + 1)]));
	};
	const escapedAtRandom = (json: string): string =>
		json.replace(/[é/]/g, letter => (below(2) === 0 ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter));
	for (let round = 0; round < 300; round++) {
		const tree = value(0);
		const json = escapedAtRandom(JSON.stringify(tree, null, pick([undefined, 2])));
		const strings: string[] = [];
		JSON.stringify(tree, (_, item: unknown) => {
			if (typeof item === 'string') strings.push(item);
			if (typeof item === 'object' && item !== null && !Array.isArray(item)) strings.push(...Object.keys(item));
			return item;
		});
		const {text, strings: read, isRaw} = copied(inPieces(json, 1 + below(9)));
		t.false(isRaw, `seed ${seed}, ${json}`);
		t.deepEqual(parseJson(text), tree, `seed ${seed}, ${json}`);
		t.deepEqual(read.sort(), strings.sort(), `seed ${seed}, ${json}`);
	}
});

test('what is not JSON is raw from there on, and no character is lost', t => {
	const texts = [
		...['to: x', '{"a" "b"}', '{"a":1}x', '{"a":1}{"b":2}', '{"a":1,}', '[1 2]', '{"a":tru}', '{"a":"\\x41"}', '{"a":"\\u00g1"}'],
		...['{]', '}', '"a" "b"', '01', '1.', '{a:1}', "{'a':1}", '{"a":NaN}', '[,]', `${'['.repeat(600)}`, '{"a":--1}', '{"a":1e}'],
	];
	for (const text of texts) {
		for (const length of [1, 2, 100]) {
			const {text: out, isRaw} = copied(inPieces(text, length));
			t.true(isRaw, text);
			t.is(out, text);
		}
	}
});
