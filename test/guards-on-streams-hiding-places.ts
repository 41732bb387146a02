import test from 'ava';
import {type DialectName, guardedGateway, hidden, leakIn, streamOf, sumsOf, values} from './helpers/guarded-streams.ts';
import {after, anthropic, call, called, delta, frames, halves, openai, thinking, tool} from './helpers/hiding-places.ts';

const dialects: DialectName[] = ['openai', 'anthropic'];

const streamsOf = (dialect: DialectName): [where: string, said: (value: string) => string][] => [
	...Object.entries({...(dialect === 'openai' ? openai : anthropic), ...frames}).map(([where, at]): [string, (value: string) => string] => [
		where,
		value => streamOf(dialect, at(value)),
	]),
	...Object.entries(after).map(([where, at]): [string, (value: string) => string] => [
		where,
		value => streamOf(dialect, []) + at(value).join(''),
	]),
	['an unfinished event', value => streamOf(dialect, []).slice(0, 40) + value],
	[
		'the event that ends the stream',
		value =>
			streamOf(dialect, []).replace(/(data: \[DONE\]|"type":"message_stop")/, (end: string) =>
				end.startsWith('data') ? `: ${value}\n${end}` : `${end},"note":${JSON.stringify(value)}`,
			),
	],
];

for (const dialect of dialects)
	for (const action of ['mask', 'deny'] as const)
		test(`no byte of a value that guards ${action} reaches a client of ${dialect}, wherever a stream hides it`, async t => {
			const {seen} = await guardedGateway(t, action);
			const leaks: string[] = [];
			for (const [where, said] of streamsOf(dialect)) {
				await Promise.all(
					values.map(async value => {
						for (const pieces of value === hidden.card ? [[said(value)], said(value).split(/(?<=\n)/)] : [[said(value)]]) {
							const got = await seen(dialect, {pieces});
							const leak = leakIn(got);
							if (leak) leaks.push(`${where}: "${leak}"`);
						}
					}),
				);
			}
			t.deepEqual([...new Set(leaks)], []);
		});

test('a name or an id that comes in pieces is never put together', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	for (const [where, at] of Object.entries(halves)) {
		for (const value of values) {
			const {text} = await seen('openai', {pieces: at(value).map(event => `data: ${JSON.stringify(event)}\n\n`)});
			t.false(
				sumsOf(text).some(sum => sum.includes(value)),
				where,
			);
			t.regex(text, /upstream_/, where);
		}
	}
});

test('a server that makes up another id for each piece of a call is understood, and the first one stays', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	const pieces = ['{"a":', '"b"}'].map((args, at) =>
		call({id: `chatcmpl-tool-${at}`, type: 'function', function: {name: at === 0 ? 'f' : null, arguments: args}}),
	);
	const {text} = await seen('openai', {pieces: [streamOf('openai', pieces)]});
	t.is(text.match(/chatcmpl-tool-0/g)?.length, 2);
	t.false(text.includes('chatcmpl-tool-1'));
	t.true(text.includes('[DONE]'));
});

test('headers of a provider carry nothing that guards mask', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	for (const dialect of dialects) {
		for (const value of [hidden.masking, hidden.card, hidden.secrets, hidden.herons]) {
			const names = ['x-request-id', 'request-id', 'openai-version', 'openai-processing-ms', 'server', 'x-note', 'set-cookie'];
			const headers = Object.fromEntries(names.map(name => [name, value]));
			const streamed = await seen(dialect, {
				headers: {...headers, 'content-type': `text/event-stream; note="${value}"`},
				pieces: [streamOf(dialect, [])],
			});
			t.is(leakIn(streamed), undefined);
			const whole = await seen(dialect, {headers: {...headers, 'content-type': 'application/json'}, pieces: ['{"choices":[]}']}, false);
			t.is(leakIn(whole), undefined);
		}
	}
});

test('a stream that hides nothing comes through guards with every name, id and word it had', async t => {
	const {seen} = await guardedGateway(t, 'deny');
	const said = [
		delta({role: 'assistant', content: 'Hello '}),
		delta({content: 'world. '}),
		delta({reasoning: 'Hm'}),
		called('weather', '{"city":"Zürich\\n","days":[1,2.50,-3e2,true,null],"'),
		call({function: {arguments: 'caf\\u00e9":"a/b"}'}}),
	];
	const {text} = await seen('openai', {pieces: [streamOf('openai', said)]});
	for (const word of [
		'"id":"chatcmpl-1"',
		'"model":"gpt-5-mini"',
		'"id":"call_1"',
		'"name":"weather"',
		'"prompt_tokens":3',
		'data: [DONE]',
	])
		t.true(text.includes(word), word);
	const args = text
		.split('\n')
		.filter(line => line.startsWith('data: {'))
		.flatMap(line => (JSON.parse(line.slice(6)) as {choices: {delta?: {tool_calls?: {function?: {arguments?: string}}[]}}[]}).choices)
		.map(choice => choice.delta?.tool_calls?.[0]?.function?.arguments ?? '')
		.join('');
	t.is(args, '{"city":"Zürich\\n","days":[1,2.50,-3e2,true,null],"café":"a/b"}');
	const claude = await seen('anthropic', {pieces: [streamOf('anthropic', [...thinking(['Hm']), ...tool(['{"city":', '"Bern"}'])])]});
	for (const word of ['"id":"msg_1"', '"model":"claude"', '"id":"toolu_1"', '"name":"f"', 'event: message_stop'])
		t.true(claude.text.includes(word), word);
});
