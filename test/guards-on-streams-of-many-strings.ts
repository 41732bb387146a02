import test from 'ava';
import {chunkOf, guardedGateway, sse, streamOf} from './helpers/guarded-streams.ts';

const asked = (args: string) =>
	chunkOf({delta: {tool_calls: [{index: 0, id: 'call_1', type: 'function', function: {name: 'f', arguments: args}}]}});

const argumentsIn = (text: string): string =>
	[...text.matchAll(/^data: (\{.*)$/gm)]
		.flatMap(([, json]) => JSON.parse(json!).choices as {delta?: {tool_calls?: {function?: {arguments?: string}}[]}}[])
		.map(({delta}) => delta?.tool_calls?.[0]?.function?.arguments ?? '')
		.join('');

test('others get their turn while thousands of strings in one piece of a stream are judged, and each is judged in its place', async t => {
	const {seen} = await guardedGateway(t, 'mask', {
		plugins: [
			{use: 'virtual-keys'},
			{use: 'masking', config: {mask: ['email'], in: ['response']}},
			{use: 'secrets', config: {in: ['response']}},
		],
	});
	await seen('openai', {pieces: [streamOf('openai', [])]});
	const ids = Array.from({length: 12_000}, (_, index) => (index % 500 === 7 ? `ada${index}@example.com` : `id${index}`));
	const half = Math.round(ids.length / 2);
	const [head, rest] = [JSON.stringify(ids.slice(0, half)), JSON.stringify(ids.slice(half))];
	let turns = 0;
	const timer = setInterval(() => turns++, 1);
	t.teardown(() => clearInterval(timer));
	// One string is cut between the two pieces, and what follows comes while the first is judged.
	const pieces = [`{"ids":${head.slice(0, -5)}`, `${head.slice(-5, -1)},${rest.slice(1)}}`].map(args => sse('openai', asked(args)));
	const {text} = await seen('openai', {pieces: [...pieces, streamOf('openai', [])]});
	t.true(turns > 15, `${turns} turns`);
	t.deepEqual(JSON.parse(argumentsIn(text)), {ids: ids.map(id => (id.includes('@') ? '[EMAIL]' : id))});
});
