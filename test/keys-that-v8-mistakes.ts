import test from 'ava';
import {parseBody} from '../core/llm/body.ts';
import {parseJson} from '../core/llm/parse.ts';
import {chunkOf, guardedGateway, streamOf} from './helpers/guarded-streams.ts';
import {pick, seeded} from './helpers/json-values.ts';

const escapes: Readonly<Record<string, string>> = {n: '\n', '"': '"', '\\': '\\', '/': '/', t: '\t'};

/** What is inside of a JSON string, read letter by letter. */
const meant = (inside: string): string =>
	inside.replace(/\\(?:u([\da-f]{4})|(.))/g, (_, code: string | undefined, letter: string) =>
		code === undefined ? escapes[letter]! : String.fromCharCode(Number.parseInt(code, 16)),
	);

test('a key with an escape is no other key that was read before at its place', t => {
	parseBody(Buffer.from(String.raw`{"model":"m","messages":[],"zz":1,"max_toke\\u":2}`));
	const {json} = parseBody(Buffer.from(String.raw`{"model":"m","messages":[],"zz":1,"max_toke\u006es":200000}`));
	t.deepEqual(Object.keys(json), ['model', 'messages', 'zz', 'max_tokens']);
	t.deepEqual(parseJson(String.raw`[{"\n":0,"\u4f60":1},{"b\"":0,"\n":1},{"\\\\":0,"\/":1}]`), [
		{'\n': 0, 你: 1},
		{'b"': 0, '\n': 1},
		{'\\\\': 0, '/': 1},
	]);
});

test('every key of every object is what its letters say, in their order, whatever was read before', t => {
	const {seed, random} = seeded();
	const atoms = ['a', 'k', 'model', '\\n', '\\"', '\\\\', '\\\\u', '\\u0041', '\\u006c', '\\u4f60', '\\ud83d', '\\/', 'é', ':', ' '];
	const word = () => Array.from({length: 1 + Math.floor(random() * 4)}, () => pick(random, atoms)).join('');
	for (let round = 0; round < 20_000; round += 1) {
		const keys = Array.from({length: 1 + Math.floor(random() * 4)}, word);
		const inner = word();
		const text = `{${keys.map((key, index) => `"${key}" :${index === 0 ? `[{"${inner}":"${inner}\\":"}]` : index}`).join(', ')}}`;
		const read = parseJson(text) as Record<string, unknown>;
		const message = `seed ${seed}: ${text}`;
		t.deepEqual(Object.keys(read), [...new Set(keys.map(meant))], message);
		const first = keys.findLastIndex(key => meant(key) === meant(keys[0]!));
		if (first === 0) t.deepEqual(read[meant(keys[0]!)], [{[meant(inner)]: `${meant(inner)}":`}], message);
		else t.is(read[meant(keys[0]!)], first, message);
	}
});

test('a key that is written with escapes sets no prototype, and two that mean the same are duplicates', t => {
	const read = parseJson(String.raw`{"\u005f_proto__":{"polluted":true},"a":1}`) as Record<string, unknown>;
	t.deepEqual(Object.keys(read), ['__proto__', 'a']);
	t.is(Object.getPrototypeOf(read), Object.prototype);
	t.throws(() => parseBody(Buffer.from(String.raw`{"model":"a","mod\u0065l":"b"}`)), {message: /duplicate/});
});

for (const broken of ['{"a\\n":1', '{"a\\x":1}', '{"\\u00":1}', '{"a\\n" 1}', '"\\', '{"a\\n":"b\\n"]'])
	test(`${broken} is no JSON`, t => {
		t.throws(() => parseJson(broken), {instanceOf: SyntaxError});
	});

test('a limit that a request sets with an escape in its key is the one that is counted', async t => {
	const {gateway, key, script} = await guardedGateway(t, 'mask', {
		plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'day', limitUsd: {'*': 0.01}}}],
		prices: {'local/*': {inputUsdPerMTok: 1, outputUsdPerMTok: 100, maxOutputTokens: 10}},
	});
	const asked = async (body: string) => {
		const content = JSON.stringify(script({pieces: [streamOf('openai', [chunkOf({delta: {content: 'Hello.'}})])]}));
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: `{"model":"local/any","stream":true,"messages":[{"role":"user","content":${content}}],"zz":1,${body}}`,
		});
		return {status: response.status, text: await response.text()};
	};
	t.is((await asked(String.raw`"max_toke\\u":2`)).status, 200);
	const {status, text} = await asked(String.raw`"max_toke\u006es":200000`);
	t.is(status, 429, text);
});
