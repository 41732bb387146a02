import test from 'ava';
import {parseBody} from '../core/llm/body.ts';
import {encodeBody} from '../core/llm/encode.ts';
import {fieldRange, setField, setModel, spliceField} from '../core/llm/splice.ts';
import {anyObject, anyString, anyValue, seeded} from './helpers/json-values.ts';

const bytes = (text: string): Buffer => Buffer.from(text);

const bodies: Record<string, string> = {
	'as the first field': '{"model":"fast","a":1}',
	'as the last field, behind awkward ones': '{"a":"\\"model\\":\\"x\\"","b":[{"model":"no"}],"c":{"model":"no"},"model":"fast"}',
	'with an escape in its key': '{"model ":"no","mod\\u0065l":"fast"}',
	'with white space around': ' {\n "x" : -1.5e3 ,\t"model"\r\n:\n"fast" } ',
	'with quotes in its value': '{"model":"fa\\"st\\\\","z":null}',
	'behind text of several bytes': '{"é":"日本😀","model":"fast"}',
	'beside a field whose key ends in a backslash': '{"model\\\\":"no","model":"fast"}',
	'as the only field': '{"model":"fast"}',
};
for (const [what, body] of Object.entries(bodies))
	test(`the model is replaced where it stands ${what}, and no other byte changes`, t => {
		const changed = setModel(bytes(body), 'gpt "4" é');
		const model: unknown = JSON.parse(body).model;
		t.deepEqual(JSON.parse(changed.toString()), {...JSON.parse(body), model: 'gpt "4" é'});
		t.is(setModel(changed, String(model)).toString().replace(JSON.stringify(model), ''), body.replace(/"fa[^,}\s]*/, ''));
	});

test('a field is added in front, also to an empty object', t => {
	t.is(spliceField(bytes('{"a":1}'), 'b', '{"c":true}').toString(), '{"b":{"c":true},"a":1}');
	t.is(spliceField(bytes(' { } '), 'b', '2').toString(), ' {"b":2 } ');
	t.is(setField(bytes('{"a":1}'), 'a', '2').toString(), '{"a":2}');
	t.is(setField(bytes('{"b":1}'), 'a', '2').toString(), '{"a":2,"b":1}');
	t.is(fieldRange(bytes('{}'), 'a'), undefined);
});

test('any field of any object is found and replaced as a parser would', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 500; round += 1) {
		const object = anyObject(random);
		const body = JSON.stringify(object, null, random() < 0.5 ? '\t' : undefined);
		const key = random() < 0.8 ? Object.keys(object)[0]! : anyString(random);
		const value = JSON.stringify(anyValue(random));
		const expected = JSON.parse(body);
		Object.defineProperty(expected, key, {value: JSON.parse(value), enumerable: true, configurable: true, writable: true});
		t.deepEqual(JSON.parse(setField(bytes(body), key, value).toString()), expected, `seed ${seed}, round ${round}`);
	}
});

test('an edited body keeps the words of every number that was not edited, and every unknown field', t => {
	const body = '{"seed":12345678901234567891,"t":1.0,"e":[1E2,-0,0.10,{"x":1e-7}],"s":"1.0","__proto__":{"n":2.50},"n":7,"model":"a"}';
	const {json, text} = parseBody(bytes(body));
	json.model = 'b';
	t.is(encodeBody(text, json).toString(), body.replace('"a"', '"b"'));
	json.t = 2;
	delete json.s;
	t.is(encodeBody(text, json).toString(), body.replace('"a"', '"b"').replace('"t":1.0', '"t":2').replace('"s":"1.0",', ''));
});

test('numbers that a double cannot tell apart are not mixed up where objects put their keys in another order', t => {
	const {json, text} = parseBody(bytes('{"b":9007199254740993,"1":9007199254740992,"model":"a"}'));
	json.model = 'b';
	const edited = encodeBody(text, json).toString();
	t.regex(edited, /"b":9007199254740993\b/);
	t.regex(edited, /"1":9007199254740992\b/);
});

test('an edited body without odd numbers is what JSON.stringify writes', t => {
	const {seed, random} = seeded();
	for (let round = 0; round < 300; round += 1) {
		const {json, text} = parseBody(bytes(JSON.stringify(anyObject(random))));
		Object.defineProperty(json, 'added', {value: 1, enumerable: true, configurable: true, writable: true});
		t.is(encodeBody(text, json).toString(), JSON.stringify(json), `seed ${seed}, round ${round}`);
	}
});
