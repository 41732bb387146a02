import test, {type ExecutionContext} from 'ava';
import {GatewayError} from '../core/errors.ts';
import {maxDepth, maxKeys, maxNodes, parseBody} from '../core/llm/body.ts';
import {anyObject, seeded} from './helpers/json-values.ts';

const refused = (t: ExecutionContext, body: string | Buffer, code: string, message: RegExp) => {
	const error = t.throws(() => parseBody(Buffer.isBuffer(body) ? body : Buffer.from(body)), {instanceOf: GatewayError});
	t.is(error.code as string, code);
	t.regex(error.message, message);
	t.is(error.cause, undefined);
	return error;
};

const duplicates: Record<string, string> = {
	'at the top': '{"model":"a","model":"b"}',
	'deep inside': '{"a":[{"b":{"c":1,"d":2,"c":3}}]}',
	'written with an escape': '{"model":"a","mod\\u0065l":"b"}',
	'called __proto__': '{"__proto__":1,"__proto__":2}',
	'that look like indexes': '{"0":1,"1":2,"0":3}',
	'with an equal value': '{"a":1,"a":1}',
	'with an escaped quote in the key': '{"a\\"":1,"a\\"":2}',
	'that are empty': '{"":1,"":2}',
	'behind a string that ends in backslashes': '{"a":"\\\\","b":"\\\\\\"","a":1}',
	'behind a string full of colons': '{"x":":\\":\\":{\\"a\\":1}","a":1,"a":2}',
};
for (const [what, body] of Object.entries(duplicates))
	test(`duplicate keys ${what} are refused`, t => {
		refused(t, body, 'invalid_json', /duplicate keys/);
	});

const accepted: Record<string, string> = {
	'equal keys in different objects': '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
	'colons, braces and quotes in strings': '{"a:b":":::{[\\"}]","c":"\\\\","d\\\\":"\\\\\\\\"}',
	'__proto__ and constructor once each': '{"__proto__":{"x":1},"constructor":2,"toString":3}',
	'keys that look like indexes': '{"1":1,"0":2,"4294967295":3,"-1":4}',
	'a surrogate pair in escapes': '{"a":"\\ud83d\\ude00"}',
	'an escaped backslash before a u': '{"a":"\\\\ud800"}',
	'NUL as an escape': '{"a":"x\\u0000y"}',
	'white space everywhere': ' \t\r\n{ "a" : [ 1 , { "b" : null } ] } \n',
	'nothing in it': '{}',
	'text beyond ASCII': '{"ключ":"значение","日本":"語","😀":"é"}',
};
for (const [what, body] of Object.entries(accepted))
	test(`a body with ${what} is read as JSON.parse reads it`, t => {
		t.deepEqual(parseBody(Buffer.from(body)).json, JSON.parse(body));
	});

const broken: Record<string, [body: string | Buffer, code: string, message: RegExp]> = {
	'nothing at all': ['', 'invalid_json', /empty/],
	'a cut off object': ['{"a":1', 'invalid_json', /not valid JSON/],
	'a cut off string': ['{"a":"secret', 'invalid_json', /not valid JSON/],
	'two values': ['{} {}', 'invalid_json', /not valid JSON/],
	'a trailing comma': ['{"a":1,}', 'invalid_json', /not valid JSON/],
	'a comment': ['{"a":1/*:*/}', 'invalid_json', /not valid JSON/],
	'a raw NUL': ['{"a":"\u0000"}', 'invalid_json', /not valid JSON/],
	'a byte order mark': ['\ufeff{"a":1}', 'invalid_json', /byte order mark/],
	'UTF-16': [Buffer.from('{"a":1}', 'utf16le'), 'invalid_json', /not valid JSON/],
	'Latin-1': [Buffer.from('{"a":"\xe9"}', 'latin1'), 'invalid_json', /UTF-8/],
	'an overlong encoding': [Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_json', /UTF-8/],
	'a surrogate encoded as UTF-8': [Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), 'invalid_json', /UTF-8/],
	'half a surrogate pair in a value': ['{"a":["\\ud800"]}', 'invalid_json', /surrogate/],
	'half a surrogate pair in a key': ['{"\\udc00":1}', 'invalid_json', /surrogate/],
	'a number beyond a double': ['{"a":[1e999]}', 'invalid_json', /number/],
	NaN: ['{"a":NaN}', 'invalid_json', /not valid JSON/],
	'an array': ['[]', 'invalid_request', /object/],
	null: ['null', 'invalid_request', /object/],
	'a string': ['"a:b"', 'invalid_request', /object/],
};
for (const [what, [body, code, message]] of Object.entries(broken))
	test(`${what} is refused`, t => {
		refused(t, body, code, message);
	});

test('64 levels pass, 65 do not', t => {
	const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
	t.notThrows(() => parseBody(Buffer.from(nested(maxDepth))));
	refused(t, nested(maxDepth + 1), 'invalid_json', /deeper/);
});

test('10,000 nested arrays, and ten million that never close, are refused before they are built', t => {
	refused(t, `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'invalid_json', /deeper/);
	refused(t, '['.repeat(10_000_000), 'invalid_json', /deeper/);
	refused(t, '{"a":'.repeat(10_000), 'invalid_json', /deeper/);
});

test('too many values and too many keys are refused before they are built', t => {
	refused(t, `{"a":[${'0,'.repeat(maxNodes)}0]}`, 'invalid_json', /values/);
	refused(t, `{"a":[${'{"b":0},'.repeat(maxKeys)}0]}`, 'invalid_json', /keys/);
});

test('a refusal never quotes the body', t => {
	for (const body of ['{"a":"hunter2", oops}', '{"hunter2":1,"hunter2":2}', 'hunter2']) {
		t.notRegex(String(t.throws(() => parseBody(Buffer.from(body))).stack), /hunter2/);
	}
});

test('any object is read as JSON.parse reads it, and with any key doubled it is refused', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 400; round += 1) {
		const body = JSON.stringify(anyObject(random));
		t.deepEqual(parseBody(Buffer.from(body)).json, JSON.parse(body), `seed ${seed}, round ${round}`);
		const [key] = Object.keys(JSON.parse(body));
		const doubled = `${body.slice(0, -1)},${JSON.stringify(key)}:0}`;
		refused(t, doubled, 'invalid_json', /duplicate keys/);
	}
});
