import {chunkOf, type Event} from './guarded-streams.ts';

/** The events of a stream with a value in them, by where they hide it. */
export type Places = Record<string, (value: string) => (Event | string)[]>;

const half = (value: string): [string, string] => [value.slice(0, value.length >> 1), value.slice(value.length >> 1)];
/** An event that adds these fields to the first answer. */
export const delta = (fields: Event, more?: Event): Event => chunkOf({delta: fields}, more);
/** One that adds them to a call of a tool. */
export const call = (fields: Event, index = 0): Event => delta({tool_calls: [{index, ...fields}]});
/** One that begins a call. */
export const called = (name: string, args: string): Event => call({id: 'call_1', type: 'function', function: {name, arguments: args}});
const grown = (name: string, value: string): Event[] => [...value].map(letter => delta({[name]: letter}));
const escaped = (value: string): string =>
	[...value]
		.map(letter => [...Array(letter.length).keys()].map(at => `\\u${letter.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''))
		.join('');

/** Where an event of OpenAI can hide a value. */
export const openai: Places = {
	content: value => [delta({content: `Say ${value}.`})],
	'content, character by character': value => grown('content', `Say ${value}.`),
	'content, with empty deltas between': value => [...value].flatMap(letter => [delta({content: letter}), delta({content: ''}), delta({})]),
	'two answers, mixed': value => {
		const [first, second] = half(value);
		return [
			chunkOf({delta: {content: first}}),
			chunkOf({index: 1, delta: {content: `other ${first}`}}),
			chunkOf({delta: {content: second}}),
			chunkOf({index: 1, delta: {content: second}}),
		];
	},
	reasoning: value => grown('reasoning_content', value),
	'reasoning by another name': value => [delta({reasoning: value, reasoning_details: [{type: 'reasoning.text', text: value}]})],
	'a refusal': value => grown('refusal', value),
	'a transcript': value => [delta({audio: {id: 'audio_1', transcript: value}})],
	'the name of a tool': value => [called(value, '{}')],
	'the id of a call': value => [call({id: value, type: 'function', function: {name: 'f', arguments: '{}'}})],
	'the type of a call': value => [call({id: 'call_1', type: value, function: {name: 'f', arguments: '{}'}})],
	arguments: value => [called('f', JSON.stringify({to: value}))],
	'arguments, character by character': value => [
		called('f', ''),
		...[...JSON.stringify({to: [value, {cc: value}]})].map(letter => call({function: {arguments: letter}})),
	],
	'arguments, every character escaped': value => [called('f', `{"to":"${escaped(value)}"}`)],
	'arguments, escaped, character by character': value => [
		called('f', ''),
		...[...`{"to":"${escaped(value)}"}`].map(letter => call({function: {arguments: letter}})),
	],
	'arguments, behind an escape': value => [called('f', `{"text":"so\\n${value.replaceAll(' ', '\\u0020')}\\t\\"${value}\\""}`)],
	'arguments, as a key': value => [called('f', JSON.stringify({[value]: 1}))],
	'arguments, as an escaped key': value => [called('f', `{"${escaped(value)}":1}`)],
	'arguments that are no JSON': value => [called('f', `to: ${value}`)],
	'arguments that are JSON no more': value => [called('f', `{"to": "x", oops ${value} "${value}`)],
	'arguments behind their end': value => [called('f', `{"a":1} ${value}`)],
	'arguments that begin like a number': value => [called('f', `{"to":${value}`), call({function: {arguments: ` ${value}, ${value}}`}})],
	'arguments with a wrong escape': value => [called('f', `{"a":"\\x ${value}"}`)],
	'arguments, in two calls at once': value => {
		const [first, second] = half(JSON.stringify({to: value}));
		return [
			called('f', first),
			call({id: 'call_2', function: {name: 'g', arguments: first}}, 1),
			call({function: {arguments: second}}),
			call({function: {arguments: second}}, 1),
		];
	},
	'the input of a custom tool': value => [call({id: 'call_1', type: 'custom', custom: {name: 'f', input: value}})],
	'an old function call': value => [delta({function_call: {name: 'f', arguments: `{"to":"${escaped(value)}"}`}})],
	'the id of the answer': value => [delta({content: 'x'}, {id: value})],
	'the model': value => [delta({content: 'x'}, {model: value})],
	'the fingerprint': value => [delta({content: 'x'}, {system_fingerprint: value})],
	'the kind of object, the tier': value => [delta({content: 'x'}, {object: value, service_tier: value})],
	'the finish reason': value => [chunkOf({delta: {content: 'x'}, finish_reason: value})],
	'a field nobody knows': value => [delta({content: 'x'}, {note: value, x: {y: [{z: value}]}})],
	'a field of a choice that nobody knows': value => [chunkOf({delta: {}, native_finish_reason: value, hint: {words: [value]}})],
	'a field of a delta that nobody knows, growing': value => [...value].map(letter => delta({notes: [{words: letter}]})),
	'the key of a field': value => [delta({content: 'x', [value]: 'y'}, {[value]: {[value]: 1}})],
	'an object where a word belongs': value => [delta({content: 'x', name: {first: value}}, {type: [value], data: {x: value}})],
	logprobs: value => [
		chunkOf({delta: {content: 'x'}, logprobs: {content: [...value].map(token => ({token, logprob: -1, top_logprobs: [{token: value}]}))}}),
	],
	'logprobs elsewhere': value => [delta({content: 'x', logprobs: {content: [{token: value}]}}, {logprobs: [value], obfuscation: value})],
	usage: value => [delta({content: 'x'}, {usage: {prompt_tokens: 1, note: value, [value]: 2}})],
	'the usage chunk': value => [{...chunkOf({}), choices: [], usage: {prompt_tokens: 1, completion_tokens: 1, note: value}}],
	annotations: value => [delta({annotations: [{type: 'url_citation', url_citation: {title: value, url: `https://pages.test/?${value}`}}]})],
	citations: value => [delta({content: 'x'}, {citations: [value]})],
	'data that is no sound': value => [delta({audio: {data: value}})],
	'a signature': value => [delta({content: 'x', thought_signature: value})],
	'a whole message': value => [chunkOf({message: {role: 'assistant', content: value}, text: value})],
	'a key that is there twice': value => [`data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(value)},"content":"x"}}]}\n\n`],
};

/** What clients put together: no more than the first piece may come. */
export const halves: Places = {
	'the name of a tool, in two pieces': value => half(value).map(piece => call({function: {name: piece}})),
	'the id of a call, in two pieces': value => half(value).map(piece => call({id: piece})),
	'a role, in two pieces': value => half(value).map(role => delta({role, content: 'x'})),
	'the id of the answer, in two pieces': value => half(value).map(id => delta({content: 'x'}, {id})),
};

const block = (index: number, content_block: Event): Event => ({type: 'content_block_start', index, content_block});
const added = (index: number, fields: Event, more: Event = {}): Event => ({type: 'content_block_delta', index, delta: fields, ...more});
const stopped = (index: number): Event => ({type: 'content_block_stop', index});
const texts = (pieces: readonly string[]): Event[] => [
	block(0, {type: 'text', text: ''}),
	...pieces.map(text => added(0, {type: 'text_delta', text})),
	stopped(0),
];
/** A block of thoughts in these pieces. */
export const thinking = (pieces: readonly string[]): Event[] => [
	block(0, {type: 'thinking', thinking: '', signature: ''}),
	...pieces.map(piece => added(0, {type: 'thinking_delta', thinking: piece})),
	stopped(0),
];
/** A call of a tool with its input in these pieces. */
export const tool = (pieces: readonly string[], more: Event = {}): Event[] => [
	block(0, {type: 'tool_use', id: 'toolu_1', name: 'f', input: {}, ...more}),
	...pieces.map(partial_json => added(0, {type: 'input_json_delta', partial_json})),
	stopped(0),
];

/** Where an event of Anthropic can. */
export const anthropic: Places = {
	text: value => texts([`Say ${value}.`]),
	'text, character by character': value => texts([...`Say ${value}.`]),
	'two blocks, mixed': value => {
		const [first, second] = half(value);
		const one = (index: number, text: string) => added(index, {type: 'text_delta', text});
		const start = (index: number) => block(index, {type: 'text', text: ''});
		return [start(0), start(1), one(0, first), one(1, `and ${first}`), one(0, second), one(1, second), stopped(0), stopped(1)];
	},
	'text that a block begins with': value => [
		block(0, {type: 'text', text: half(value)[0]}),
		added(0, {type: 'text_delta', text: half(value)[1]}),
		stopped(0),
	],
	thinking: value => thinking([...value]),
	'a short signature': value => [...thinking(['x']).slice(0, 2), added(0, {type: 'signature_delta', signature: value}), stopped(0)],
	'thinking that is redacted': value => [block(0, {type: 'redacted_thinking', data: value}), stopped(0)],
	'tool input': value => tool([JSON.stringify({to: value})]),
	'tool input, character by character': value => tool([...JSON.stringify({to: [value], cc: {x: value}})]),
	'tool input, every character escaped': value => tool([...`{"to":"${escaped(value)}"}`]),
	'tool input, behind an escape': value => tool([`{"text":"so\\n${value}\\u000a\\"${value}\\""}`]),
	'tool input, as a key': value => tool([`{"${escaped(value)}":1,"x":${JSON.stringify(value)}}`]),
	'tool input that is no JSON': value => tool([`so ${value}`]),
	'tool input that comes whole': value => tool([], {input: {to: value, [value]: [value]}}),
	'the name of a tool': value => tool(['{}'], {name: value}),
	'the id of a call': value => tool(['{}'], {id: value}),
	'a citation': value => [
		...texts(['x']).slice(0, 2),
		added(0, {type: 'citations_delta', citation: {type: 'char_location', cited_text: value, document_title: value}}),
		stopped(0),
	],
	'a result of a search': value => [
		block(0, {
			type: 'web_search_tool_result',
			tool_use_id: 'x',
			content: [{type: 'web_search_result', title: value, url: value, encrypted_content: value}],
		}),
		stopped(0),
	],
	'a block nobody knows': value => [
		block(0, {type: 'x_block', words: value, deep: [{[value]: value}]}),
		added(0, {type: 'x_delta', x: value}),
		stopped(0),
	],
	'the type of a block': value => [block(0, {type: value}), added(0, {type: value}), stopped(0)],
	'the type of an event': value => [{type: `x\ndata: ${value}`}, {type: value}],
	'a field beside a delta': value => [
		block(0, {type: 'text', text: ''}),
		added(0, {type: 'text_delta', text: 'x'}, {note: value, [value]: 1}),
		stopped(0),
	],
	'a field beside a block': value => [
		{...block(0, {type: 'text', text: ''}), note: value},
		{...stopped(0), note: value},
	],
	'a ping': value => [{type: 'ping', words: value}],
	'a second start': value => [
		{
			type: 'message_start',
			message: {
				id: value,
				type: 'message',
				role: value,
				model: value,
				content: [{type: 'text', text: value}],
				usage: {input_tokens: 1, note: value},
			},
		},
	],
	'the stop sequence': value => [
		{
			type: 'message_delta',
			delta: {stop_reason: value, stop_sequence: value, container: {id: value}},
			usage: {output_tokens: 1, note: value},
		},
	],
	'data with the name of another event': value => [`event: ping\ndata: ${JSON.stringify(added(0, {type: 'text_delta', text: value}))}\n\n`],
};

/** What is no event: of the stream itself. */
export const frames: Places = {
	'a comment': value => [`: ${value}\n\n`],
	'a comment inside an event': value => [`: ${value}\ndata: {"type":"ping"}\n: ${value}\n\n`],
	'the name of an event': value => [`event: ${value}\ndata: {"type":"ping"}\n\n`],
	'the id of an event': value => [`id: ${value}\ndata: {"type":"ping"}\n\n`, `id: ${value}\n\n`],
	'a time to retry': value => [`retry: ${value}\n\n`],
	'a field of a stream that nobody knows': value => [`note: ${value}\ndata: {"type":"ping"}\n\n`, `${value}\n\n`],
	'an error': value => [`data: ${JSON.stringify({type: 'error', error: {type: value, message: value, code: value}})}\n\n`],
	'an event that is an error': value => [`event: error\ndata: ${JSON.stringify({message: value})}\n\n`],
	'an error that is a string': value => [`data: ${JSON.stringify({type: 'x', error: value})}\n\n`],
	'data that is no JSON': value => [`data: ${value}\n\n`],
	'data that is no object': value => [`data: ${JSON.stringify([value])}\n\n`],
};

/** What nobody should read any more. */
export const after: Places = {
	'behind the end': value => [
		`data: {"type":"x","note":${JSON.stringify(value)},"choices":[{"index":0,"delta":{"content":${JSON.stringify(value)}}}]}\n\n${value}`,
	],
	'behind the end, unfinished': value => [`data: ${value}`],
};
