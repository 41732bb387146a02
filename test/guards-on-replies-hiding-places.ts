import test from 'ava';
import {type DialectName, type Event, guardedGateway, leakIn, values} from './helpers/guarded-streams.ts';

const escaped = (value: string): string =>
	Array.from({length: value.length}, (_, at) => `\\u${value.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

const chat = (message: Event, choice: Event = {}, more: Event = {}): Event => ({
	id: 'chatcmpl-1',
	object: 'chat.completion',
	created: 1_780_000_000,
	model: 'gpt-5-mini',
	choices: [{index: 0, message: {role: 'assistant', content: 'Hello', ...message}, finish_reason: 'stop', ...choice}],
	usage: {prompt_tokens: 3, completion_tokens: 3, total_tokens: 6},
	...more,
});
const call = (name: string, args: string, more: Event = {}): Event =>
	chat({content: null, tool_calls: [{id: 'call_1', type: 'function', function: {name, arguments: args}, ...more}]});
const logprobs = (tokens: readonly string[], top: readonly string[] = []): Event => ({
	content: tokens.map(token => ({
		token,
		logprob: -1,
		bytes: [...Buffer.from(token)],
		top_logprobs: top.map(other => ({token: other, logprob: -2, bytes: null})),
	})),
});

const openai: Record<string, (value: string) => Event | string> = {
	content: value => chat({content: `Say ${value}.`}),
	'content, escaped': value => JSON.stringify(chat({content: '#'})).replace('#', escaped(value)),
	'content that is there twice': value =>
		JSON.stringify(chat({content: 'x'})).replace('"content":"x"', `"content":${JSON.stringify(value)},"content":"x"`),
	refusal: value => chat({refusal: value, reasoning_content: value}),
	'the name of a tool': value => call(value, '{}'),
	'the id of a call': value => call('f', '{}', {id: value, type: value}),
	arguments: value => call('f', JSON.stringify({to: value})),
	'arguments, escaped': value => call('f', `{"to":["${escaped(value)}"],"${escaped(value)}":1}`),
	'arguments, behind an escape': value => call('f', `{"text":"so\\n${value}\\t\\"${value}\\""}`),
	'arguments that say it twice': value => call('f', `{"to":"${escaped(value)}","to":"x"}`),
	'arguments that look like a file': value =>
		call('f', JSON.stringify({format: 'csv', data: `${'a,b\n'.repeat(150)}${value}`, url: `data:text/csv,${'x,'.repeat(300)}${value}`})),
	'arguments that look like a cipher': value => call('f', JSON.stringify({signature: value, b64_json: value, obfuscation: value})),
	'arguments that are no JSON': value => call('f', `to ${value}`),
	'arguments that close themselves': value => call('f', `{}, "x": "${value}"`),
	'ids and names': value =>
		chat({}, {finish_reason: value}, {id: value, model: value, object: value, system_fingerprint: value, service_tier: value}),
	'fields that nobody knows': value => chat({note: {[value]: value}}, {hint: value}, {[value]: 1}),
	usage: value => chat({}, {}, {usage: {prompt_tokens: 1, completion_tokens: 1, note: value, [value]: 1}}),
	annotations: value => chat({annotations: [{type: 'url_citation', url_citation: {title: value, url: `https://pages.test/?${value}`}}]}),
	'short data': value =>
		chat({audio: {id: value, data: value, transcript: value}, images: [{image_url: {url: `data:text/plain,${value}`}}]}),
	'a signature': value => chat({thought_signature: value}),
	'tokens that say something else': value => chat({}, {logprobs: logprobs([...value])}),
	'tokens that might have stood there': value => chat({}, {logprobs: logprobs(['Hel', 'lo'], [value])}),
	'tokens with more in them': value => chat({}, {logprobs: {...logprobs(['Hel', 'lo']), note: value}}),
	'tokens elsewhere': value => chat({logprobs: [value]}, {}, {logprobs: {content: [{token: value}]}}),
};

const message = (content: Event[], more: Event = {}): Event => ({
	id: 'msg_1',
	type: 'message',
	role: 'assistant',
	model: 'claude',
	content,
	stop_reason: 'end_turn',
	stop_sequence: null,
	usage: {input_tokens: 3, output_tokens: 3},
	...more,
});

const anthropic: Record<string, (value: string) => Event | string> = {
	text: value => message([{type: 'text', text: value, citations: [{type: 'char_location', cited_text: value, document_title: value}]}]),
	thinking: value =>
		message([
			{type: 'thinking', thinking: value, signature: value},
			{type: 'redacted_thinking', data: value},
		]),
	'tool input': value => message([{type: 'tool_use', id: 'toolu_1', name: 'f', input: {to: [value], [value]: {x: value}}}]),
	'tool input that looks like a file': value =>
		message([{type: 'tool_use', id: 'toolu_1', name: 'f', input: {format: 'csv', data: `${'a,b\n'.repeat(150)}${value}`, seed: value}}]),
	'the name of a tool, and its id': value => message([{type: 'tool_use', id: value, name: value, input: {}}]),
	'a block nobody knows': value => message([{type: value, words: value}]),
	'ids and names': value =>
		message([], {id: value, model: value, role: value, stop_reason: value, stop_sequence: value, container: {id: value}}),
	usage: value => message([], {usage: {input_tokens: 1, output_tokens: 1, service_tier: value, [value]: 1}}),
	'text that is there twice': value =>
		JSON.stringify(message([{type: 'text', text: 'x'}])).replace('"text":"x"', `"text":${JSON.stringify(value)},"text":"x"`),
};

const error = (value: string): Event => ({
	type: 'error',
	error: {type: value, message: value, code: value, param: value},
	request_id: value,
	[value]: 1,
});

for (const dialect of ['openai', 'anthropic'] satisfies DialectName[])
	for (const action of ['mask', 'deny'] as const)
		test(`no byte of a value that guards ${action} reaches a client of ${dialect}, wherever a whole reply hides it`, async t => {
			const {seen} = await guardedGateway(t, action);
			const leaks = new Set<string>();
			const headers = {'content-type': 'application/json'};
			for (const [where, said] of Object.entries(dialect === 'openai' ? openai : anthropic)) {
				for (const value of values) {
					const body = said(value);
					const got = await seen(dialect, {headers, pieces: [typeof body === 'string' ? body : JSON.stringify(body)]}, false);
					const leak = leakIn(got);
					if (leak) leaks.add(`${where}: "${leak}"`);
				}
			}
			for (const value of values) {
				for (const pieces of [[JSON.stringify(error(value))], [value]]) {
					for (const stream of [true, false]) {
						const got = await seen(dialect, {status: 400, headers, pieces}, stream);
						const leak = leakIn(got);
						if (leak) leaks.add(`an error: "${leak}"`);
					}
				}
			}
			t.deepEqual([...leaks], []);
		});

test('a reply that hides nothing keeps its ids, names, numbers and logprobs', async t => {
	const {seen} = await guardedGateway(t, 'deny');
	const body = chat({}, {logprobs: logprobs(['Hel', 'lo'], ['Hi'])});
	const {text} = await seen('openai', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(body)]}, false);
	t.is(text, JSON.stringify(body));
	const args = '{"a": 1.50, "b":"x\\n", "n":12345678901234567890}';
	const called = await seen('openai', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(call('f', args))]}, false);
	t.is(called.text, JSON.stringify(call('f', args)));
});
