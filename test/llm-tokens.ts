import test, {type ExecutionContext} from 'ava';
import {countTokens as cl100k} from 'gpt-tokenizer/encoding/cl100k_base';
import {countTokens as o200k} from 'gpt-tokenizer/encoding/o200k_base';
import {mediaOf} from '../core/llm/dialects/media.ts';
import {loadTokenTable, type TokenTable} from '../core/llm/token-table.ts';
import {countedBytes, countedWork, openTokens, type TokenBound} from '../core/llm/tokens.ts';
import {anyValue, pick, seeded} from './helpers/json-values.ts';

const tables: TokenTable[] = [];
const tokens = openTokens(async encoding => {
	const table = await loadTokenTable(encoding);
	tables.push(table);
	return table;
});
const gpt = tokens.boundFor('gpt-4o-mini', true);
const gpt4 = tokens.boundFor('gpt-4-turbo', true);
const claude = tokens.boundFor('claude-opus-4-8', false);

test.before(async () => {
	await Promise.all([gpt.load(), gpt4.load(), claude.load()]);
});

/** The words of a text, as they stand in JSON. */
const inside = (text: string): Buffer => Buffer.from(JSON.stringify(text).slice(1, -1));
const textIn = (bound: TokenBound, text: string): number => {
	const bytes = inside(text);
	return bound.text(bytes, 0, bytes.length);
};

const english =
	"It's a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife. I'LL see: HTTPServer, iPhone 15, 1234567 things ($5.99), and/or more...  Then ( again ) — “quoted” naïve café.";
const words: Record<string, string> = {
	english,
	german: 'Größe und Übermut tun selten gut, sagte die Großmutter; der Donaudampfschifffahrtskapitän ÄRGERTE sich.',
	russian: 'Привет, МИР! Все счастливые семьи похожи друг на друга.',
	chinese: '你好，世界！这是一个测试。日本語のテキストもあります。',
	thai: 'สวัสดีชาวโลก นี่คือการทดสอบ',
	hindi: 'नमस्ते दुनिया, यह एक परीक्षण है।',
	hebrew: 'שלום עולם',
	korean: '안녕하세요 세계',
	titlecase: 'ǅungla ʰmodifier ÉCOLE école Ⅷ ½ ١٢٣٤',
	blanks: 'a  b   c    d     e   ',
	numbers: '1 12 123 1234 12345 3.14159 2026-11-22T10:00:00Z',
	signs: '<div class=x>{a: [1, 2]} // *** === ---------- !== ??',
};

for (const [what, text] of Object.entries(words)) {
	test(`${what}: as many tokens as OpenAI's own encoding makes of it`, t => {
		t.is(textIn(gpt, text), o200k(text));
		t.is(textIn(gpt4, text), cl100k(text));
	});
}

test('an escape counts as what it may stand for, and emoji as their bytes at most', t => {
	for (const text of ['"quoted"\n\n\tand\\back', '😀👩‍👩‍👧 🇩🇪 𝐀𝐛', 'line\r\nline\r\n\r\n    indented;\n}']) {
		const counted = textIn(gpt, text);
		t.true(counted >= o200k(text) && counted <= Buffer.byteLength(text), `${text}: ${counted}, not ${o200k(text)}`);
	}
	const escaped = Buffer.from('\\u4f60\\u597d');
	t.true(gpt.text(escaped, 0, escaped.length) >= o200k('你好'));
});

const scripts = [
	'abcdefghij',
	'ABCXYZ',
	'0123456789',
	'.,;:!?-_/()[]{}',
	'    \t',
	'äöüßéñ',
	'приветМИР',
	'你好世界测试',
	'สวัสดี',
	'नमस्ते',
	'😀🎉',
	"'s'll",
	'\n\r',
	'"\\/.\n\r\t\b\f\u0001',
];
const anyText = (random: () => number): string => {
	let text = '';
	for (let run = Math.floor(random() * 30); run >= 0; run -= 1) {
		const alphabet = [...pick(random, scripts)];
		for (let left = Math.floor(random() ** 3 * 40); left >= 0; left -= 1) text += pick(random, alphabet);
		if (random() < 0.5) text += pick(random, english.split(' '));
	}
	return text;
};

test('no text is more tokens than were counted, and none counts for more than its bytes', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 1_500; round += 1) {
		const text = anyText(random);
		const message = `seed ${seed}, round ${round}: ${JSON.stringify(text)}`;
		for (const [bound, count] of [
			[gpt, o200k],
			[gpt4, cl100k],
		] as const) {
			const counted = textIn(bound, text);
			t.true(counted >= count(text), `${counted} < ${count(text)}: ${message}`);
			t.true(counted <= inside(text).length, message);
		}
		t.true(textIn(claude, text) >= Math.min(textIn(gpt, text), inside(text).length), message);
	}
});

/** https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken: what a chat is in tokens, without tools. */
const chatTokens = (messages: readonly {role: string; content: string; name?: string}[]): number =>
	messages.reduce((sum, {role, content, name}) => sum + 3 + o200k(role) + o200k(content) + (name ? 1 + o200k(name) : 0), 3);

test('a body counts for at least what the messages in it are, with what the provider puts around each', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 300; round += 1) {
		const messages = Array.from({length: 1 + Math.floor(random() * 6)}, () => ({
			role: pick(random, ['system', 'user', 'assistant']),
			content: pick(random, [anyText(random), '', english]),
			...(random() < 0.2 && {name: 'ann'}),
		}));
		const body = Buffer.from(
			JSON.stringify({model: 'gpt-4o', messages, tools: [anyValue(random)]}, null, random() < 0.2 ? '\t' : undefined),
		);
		const counted = gpt.input(body);
		t.true(counted >= chatTokens(messages) && counted <= body.length, `seed ${seed}, round ${round}`);
	}
});

test('what tokenizers that nobody has published make of a text is bounded by about twice as much, and by bytes where it is no English', t => {
	t.true(textIn(claude, english) > 1.7 * o200k(english));
	t.true(textIn(claude, english) < 2.6 * o200k(english));
	t.is(textIn(claude, words.chinese!), Buffer.byteLength(words.chinese!));
	t.is(textIn(claude, '1234567890'), 10);
	t.is(textIn(claude, '-'.repeat(64)), 64);
});

test('a model has the encoding that OpenAI gives it, if it is OpenAI that serves it', t => {
	for (const name of ['gpt-4o', 'gpt-4.1-nano', 'gpt-5.4', 'o3', 'o4-mini', 'chatgpt-4o-latest', 'ft:gpt-4o-mini:acme'])
		t.is(tokens.boundFor(name, true), gpt, name);
	for (const name of ['gpt-4', 'gpt-4-0613', 'gpt-3.5-turbo', 'text-embedding-3-small']) t.is(tokens.boundFor(name, true), gpt4, name);
	for (const name of ['claude-opus-4-8', 'llama3', 'o5', 'gpt-9', 'oracle']) t.is(tokens.boundFor(name, true), claude, name);
	t.is(tokens.boundFor('gpt-4o', false), claude);
});

test('bytes that are no UTF-8, or halves of characters, count for their bytes at most, and end', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 2_000; round += 1) {
		const bytes = Buffer.from(Array.from({length: 1 + Math.floor(random() * 40)}, () => Math.floor(random() * 256)));
		for (const bound of [gpt, gpt4, claude]) {
			const counted = bound.text(bytes, 0, bytes.length);
			t.true(counted > 0 && counted <= bytes.length, `seed ${seed}, round ${round}`);
			t.true(bound.input(bytes) <= bytes.length);
		}
	}
});

test('an escape that is cut off at any place counts for a token at least', t => {
	for (const written of ['\\n', '\\"', '\\u4f60'])
		for (let to = 1; to < written.length; to += 1)
			for (const bound of [gpt, gpt4, claude]) {
				const counted = bound.text(Buffer.from(written), 0, to);
				t.true(counted > 0 && counted <= to, `${written.slice(0, to)}: ${counted}`);
			}
});

test('before a vocabulary is loaded a body counts for its bytes, and nothing is loaded that nobody asked for', async t => {
	const asked: string[] = [];
	const fresh = openTokens(encoding => {
		asked.push(encoding);
		return loadTokenTable(encoding);
	});
	const bound = fresh.boundFor('gpt-4o', true);
	const body = Buffer.from(JSON.stringify({messages: [{role: 'user', content: english}]}));
	t.is(bound.input(body), body.length);
	t.deepEqual(asked, []);
	await Promise.all([bound.load(), bound.load()]);
	t.true(bound.ready && bound.input(body) < body.length / 2);
	t.deepEqual(asked, ['o200k_base']);
});

const megabyte = (text: string): string => text.repeat(Math.ceil(1_000_000 / text.length));

const slow = (t: ExecutionContext): Record<string, string> => {
	const {random} = seeded(7);
	const letters = (count: number, from: number, to: number) =>
		Array.from({length: count}, () => String.fromCharCode(from + Math.floor(random() * (to - from)))).join('');
	t.timeout(60_000);
	return {
		'one letter': `- ${'a'.repeat(1_000_000)}`,
		'random letters': `- ${letters(1_000_000, 97, 123)}`,
		'words of random letters': letters(1_000_000, 97, 123).replaceAll(/(.{40})/g, '$1 '),
		'random characters': letters(300_000, 0x100, 0x9000),
		'a script without blanks': megabyte('สวัสดี'),
		'blanks alone': ' '.repeat(1_000_000),
		'signs alone': `- ${letters(1_000_000, 33, 48)}`,
		quotes: '"'.repeat(500_000),
		digits: megabyte('1,'),
		'a book': megabyte(english),
	};
};

test('however slow a megabyte is to count, the work ends, and what was not counted counts for its bytes', t => {
	for (const [what, content] of Object.entries(slow(t))) {
		const body = Buffer.from(JSON.stringify({model: 'm', messages: [{role: 'user', content}]}));
		for (const bound of [gpt, gpt4, claude]) {
			const counted = bound.input(body);
			t.true(counted <= body.length && counted >= body.length - countedBytes, what);
			for (const table of tables) t.true(table.work < countedWork * 1.2, `${what}: ${table.work}`);
		}
	}
});

const picture = 'iVBORw0KGgoAAAANSUhEUgAA'.repeat(4_000);

test('a picture counts for what a picture may, not for its bytes, and words behind it are still counted', t => {
	const parts = {
		openai: {type: 'image_url', image_url: {url: `data:image/png;base64,${picture}`}},
		anthropic: {type: 'image', source: {type: 'base64', media_type: 'image/png', data: picture}},
	};
	for (const part of Object.values(parts)) {
		const messages = [{role: 'user', content: [part, {type: 'text', text: english}]}];
		const media = mediaOf(messages);
		t.is(media.tokens, 40_000);
		t.true(media.bytes >= picture.length);
		const counted = gpt.input(Buffer.from(JSON.stringify({messages})), media.bytes);
		t.true(counted >= o200k(english) && counted < o200k(english) + 200, String(counted));
	}
	const nested = [{role: 'user', content: [{type: 'tool_result', tool_use_id: 't', content: [parts.anthropic]}]}];
	t.is(mediaOf(nested).bytes, picture.length);
});

test('words that are dressed up as a picture count as the words they are', t => {
	const text = `data:image/png;base64,${picture}`;
	const messages = [{role: 'user', content: [{type: 'text', text}]}];
	const body = Buffer.from(JSON.stringify({messages}));
	t.deepEqual(mediaOf(messages), {tokens: 0, bytes: 0, sounds: false});
	t.true(gpt.input(body, 0) >= text.length);
	// A picture's bytes are taken off once, wherever it stands.
	const both = [
		{
			role: 'user',
			content: [
				{type: 'text', text},
				{type: 'image_url', image_url: {url: text}},
			],
		},
	];
	t.true(gpt.input(Buffer.from(JSON.stringify({messages: both})), mediaOf(both).bytes) >= text.length);
});

test('a small picture, a sound and a file still count for their bytes', t => {
	for (const part of [
		{type: 'image_url', image_url: {url: 'data:image/png;base64,iVBORw0KGgo='}},
		{type: 'input_audio', input_audio: {data: picture, format: 'wav'}},
		{type: 'file', file: {file_data: `data:application/pdf;base64,${picture}`}},
	])
		t.is(mediaOf([{role: 'user', content: [part]}]).bytes, 0);
	t.true(mediaOf([{role: 'user', content: [{type: 'input_audio', input_audio: {data: '', format: 'wav'}}]}]).sounds);
});
