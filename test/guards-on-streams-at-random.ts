import test from 'ava';
import {callJudge, chunkOf, type DialectName, type Event, guardedGateway, leakIn, sse, values} from './helpers/guarded-streams.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const usage = {prompt_tokens: 3, completion_tokens: 3, total_tokens: 6, completion_tokens_details: {reasoning_tokens: 1}};
const call = (fields: Event): Event => chunkOf({delta: {tool_calls: [{index: 0, ...fields}]}});

/** A stream with something of everything. */
const rich: Record<DialectName, () => Event[]> = {
	openai: () => [
		chunkOf(
			{delta: {role: 'assistant', content: ''}, logprobs: null},
			{service_tier: 'default', system_fingerprint: 'fp_1', obfuscation: 'x'},
		),
		chunkOf({delta: {reasoning_content: 'Hm. '}}),
		chunkOf({delta: {content: 'Hello '}, logprobs: {content: [{token: 'Hello', logprob: -1, bytes: [72], top_logprobs: []}]}}),
		chunkOf({index: 1, delta: {content: 'Another ', refusal: null}}),
		chunkOf({delta: {content: 'world', annotations: [{type: 'url_citation', url_citation: {title: 'T', url: 'https://pages.test'}}]}}),
		call({id: 'call_1', type: 'function', function: {name: 'mail', arguments: '{"to":'}}),
		call({function: {arguments: '["x"], "n": 1}'}}),
		chunkOf({delta: {}, finish_reason: 'tool_calls'}),
		{...chunkOf({}), choices: [], usage},
	],
	anthropic: () => [
		{
			type: 'message_start',
			message: {
				id: 'msg_1',
				type: 'message',
				role: 'assistant',
				model: 'claude',
				content: [],
				stop_reason: null,
				usage: {input_tokens: 3, output_tokens: 1, service_tier: 'standard'},
			},
		},
		{type: 'content_block_start', index: 0, content_block: {type: 'thinking', thinking: '', signature: ''}},
		{type: 'content_block_delta', index: 0, delta: {type: 'thinking_delta', thinking: 'Hm. '}},
		{type: 'content_block_stop', index: 0},
		{type: 'content_block_start', index: 1, content_block: {type: 'text', text: '', citations: []}},
		{type: 'content_block_delta', index: 1, delta: {type: 'text_delta', text: 'Hello world'}},
		{
			type: 'content_block_delta',
			index: 1,
			delta: {type: 'citations_delta', citation: {type: 'char_location', cited_text: 'c', document_index: 0}},
		},
		{type: 'content_block_stop', index: 1},
		{type: 'ping'},
		{type: 'content_block_start', index: 2, content_block: {type: 'tool_use', id: 'toolu_1', name: 'mail', input: {}}},
		{type: 'content_block_delta', index: 2, delta: {type: 'input_json_delta', partial_json: '{"to":'}},
		{type: 'content_block_delta', index: 2, delta: {type: 'input_json_delta', partial_json: '["x"]}'}},
		{type: 'content_block_stop', index: 2},
		{type: 'message_delta', delta: {stop_reason: 'tool_use', stop_sequence: null}, usage: {output_tokens: 3}},
		{type: 'message_stop'},
	],
};

type Random = ReturnType<typeof seededRandom>;
type Holder = Event | unknown[];

const holdersIn = (value: unknown): Holder[] => {
	if (typeof value !== 'object' || value === null) return [];
	return [value as Holder, ...Object.values(value).flatMap(holdersIn)];
};

/** Puts a value somewhere: as a field or an item, in the place of one, as a key, or into the middle of a string. */
const plant = (event: Event, value: string, {pick, below}: Random): void => {
	const holder = pick(holdersIn(event));
	const keys = Object.keys(holder);
	const wrapped: unknown = [() => ` ${value} `, () => [value], () => ({note: value}), () => ({[value]: [{x: value}]})][below(4)]!();
	if (Array.isArray(holder)) {
		if (below(2) === 0 || holder.length === 0) holder.push(wrapped);
		else holder[below(holder.length)] = wrapped;
		return;
	}
	const key = keys.length > 0 ? pick(keys) : 'note';
	const known = holder[key];
	const way = below(4);
	if (way === 0)
		holder[pick(['note', 'id', 'name', 'type', 'data', 'logprobs', 'usage', 'error', 'delta', 'index', 'signature', 'text'])] = wrapped;
	else if (way === 1) holder[value] = wrapped;
	// Not into a value that is there already: in two pieces it is none.
	else if (way === 2 && typeof known === 'string' && known.length < 12) holder[key] = `${known.slice(0, 2)} ${value} ${known.slice(2)}`;
	else holder[key] = wrapped;
};

const cut = (bytes: Buffer, {below}: Random): Buffer[] => {
	const pieces: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const next = at + 1 + below(below(4) === 0 ? 4 : 600);
		pieces.push(bytes.subarray(at, next));
		at = next;
	}
	return pieces;
};

for (const dialect of ['openai', 'anthropic'] satisfies DialectName[])
	for (const action of ['mask', 'deny'] as const)
		test(`${dialect}: a value planted anywhere in a stream never comes out of guards that ${action}, however the stream is cut`, async t => {
			const worlds = [await guardedGateway(t, action), await guardedGateway(t, action, {others: [await callJudge(t)]})];
			const first = Date.now() % 1_000_000;
			for (let round = 0; round < 240; round += 8) {
				await Promise.all(
					Array.from({length: 8}, async (_, at) => {
						const seed = first + round + at;
						const random = seededRandom(seed);
						const value = random.pick(values);
						const events = structuredClone(rich[dialect]());
						for (let count = 1 + random.below(2); count > 0; count--) plant(random.pick(events), value, random);
						const said = `${events.map(event => sse(dialect, event)).join('')}${dialect === 'openai' ? 'data: [DONE]\n\n' : ''}`;
						const got = await worlds[at % 2]!.seen(dialect, {pieces: cut(Buffer.from(said), random)});
						const leak = leakIn(got, [value]);
						if (leak) t.fail(`seed ${seed}: "${leak}" of\n${said}\nin\n${got.text}`);
					}),
				);
			}
			t.pass();
		});
