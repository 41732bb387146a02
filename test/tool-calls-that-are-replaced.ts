import type Anthropic from '@anthropic-ai/sdk';
import test from 'ava';
import type OpenAI from 'openai';
import {asChunks, asEvents, completion, message, noRemoving, refused, replacing} from './helpers/answers-with-calls.ts';
import type {Event} from './helpers/guarded-streams.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const removing = '{"cmd":"rm -rf /","and":"koepenick"}';
const listing = '{"cmd":"ls"}';
const fn = (id: string, name: string, args: string): Event => ({id, type: 'function', function: {name, arguments: args}});
const custom = (id: string, name: string, input: string): Event => ({id, type: 'custom', custom: {name, input}});
const choice = (finish_reason: string, content: string | null, calls: Event = {}): Event => ({
	message: {role: 'assistant', content, refusal: null, ...calls},
	finish_reason,
});

/** What an application reads of a choice; an empty content is none. */
const readChoice = ({message: {content, tool_calls: calls = [], function_call: older}, finish_reason}: OpenAI.ChatCompletion.Choice) => ({
	content: content || null,
	calls: [
		...calls.map(call =>
			call.type === 'function' ? [call.id, call.function.name, call.function.arguments] : [call.id, call.custom.name, call.custom.input],
		),
		...(older ? [[older.name, older.arguments]] : []),
	],
	finish_reason,
});
type Read = ReturnType<typeof readChoice>;

const openai: Record<string, {asked: Event; seen: Read}> = {
	'the only call, without words': {
		asked: choice('tool_calls', null, {tool_calls: [fn('call_1', 'bash', removing)]}),
		seen: {content: refused('bash'), calls: [], finish_reason: 'stop'},
	},
	'the only call, behind words': {
		asked: choice('tool_calls', 'I look.', {tool_calls: [fn('call_1', 'bash', removing)]}),
		seen: {content: `I look.\n\n${refused('bash')}`, calls: [], finish_reason: 'stop'},
	},
	'two of four calls, of functions and custom tools': {
		asked: choice('tool_calls', null, {
			tool_calls: [
				fn('call_1', 'bash', removing),
				fn('call_2', 'bash', listing),
				custom('call_3', 'sql', 'rm -rf /'),
				custom('call_4', 'sql', 'SELECT 1'),
			],
		}),
		seen: {
			content: `${refused('bash')}\n\n${refused('sql')}`,
			calls: [
				['call_2', 'bash', listing],
				['call_4', 'sql', 'SELECT 2'],
			],
			finish_reason: 'tool_calls',
		},
	},
	'a call in the older form': {
		asked: choice('function_call', null, {function_call: {name: 'bash', arguments: removing}}),
		seen: {content: refused('bash'), calls: [], finish_reason: 'stop'},
	},
	'the second of two calls in an answer that was too long': {
		asked: choice('length', 'Well.', {tool_calls: [fn('call_1', 'bash', listing), fn('call_2', 'bash', removing)]}),
		seen: {content: `Well.\n\n${refused('bash')}`, calls: [['call_1', 'bash', listing]], finish_reason: 'length'},
	},
	'no call': {
		asked: choice('tool_calls', null, {tool_calls: [fn('call_1', 'bash', listing)]}),
		seen: {content: null, calls: [['call_1', 'bash', listing]], finish_reason: 'tool_calls'},
	},
};

test('a denied call of an OpenAI answer is replaced by words, and what else was asked for stays, streamed or whole', async t => {
	const {streamed, whole, records} = await replacing(t, [await noRemoving(t)]);
	const random = seededRandom(1);
	for (const [what, {asked, seen}] of Object.entries(openai)) {
		const answer = completion([asked]);
		t.deepEqual((await whole.openai(answer)).choices.map(readChoice), [seen], `${what}, whole`);
		t.deepEqual((await streamed.openai(asChunks(random, answer))).choices.map(readChoice), [seen], `${what}, streamed`);
	}
	const all = completion(Object.values(openai).map(({asked}) => asked));
	const expected = Object.values(openai).map(({seen}) => seen);
	t.deepEqual((await whole.openai(all)).choices.map(readChoice), expected);
	t.deepEqual((await streamed.openai(asChunks(random, all))).choices.map(readChoice), expected);
	const replaced = (await records()).map(({outcome, error, usage, rulings}) => [
		outcome,
		error,
		usage?.outputTokens,
		rulings?.filter(({verdict}) => verdict === 'deny'),
	]);
	const denied = (count: number) => {
		const ruling = {plugin: 'no-removing', hook: 'on-tool-call', verdict: 'deny', code: 'denied', rule: 'files', replaced: count};
		return ['ok', undefined, 7, count === 0 ? [] : [ruling]];
	};
	t.deepEqual(replaced, [1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 0, 0, 6, 6].map(denied));
});

const words = (text: string) => ({type: 'text', text, citations: null});
const use = (id: string, name: string, input: string) => ({type: 'tool_use', id, name, input: JSON.parse(input) as Event});

const readMessage = ({content, stop_reason}: Anthropic.Message) => ({
	content: content.map(block =>
		block.type === 'text' ? block.text : block.type === 'tool_use' ? [block.id, block.name, block.input] : block,
	),
	stop_reason,
});

const anthropic: Record<string, {asked: Event; seen: unknown}> = {
	'the only call': {
		asked: message([use('toolu_1', 'bash', removing)], 'tool_use'),
		seen: {content: [refused('bash')], stop_reason: 'end_turn'},
	},
	'every second block': {
		asked: message(
			[words('I look.'), use('toolu_1', 'bash', removing), use('toolu_2', 'bash', listing), use('toolu_3', 'rm', removing), words('Done.')],
			'tool_use',
		),
		seen: {
			content: ['I look.', refused('bash'), ['toolu_2', 'bash', {cmd: 'ls'}], refused('rm'), 'Done.'],
			stop_reason: 'tool_use',
		},
	},
	'a call in an answer that was too long': {
		asked: message([words('Well.'), use('toolu_1', 'bash', removing)], 'max_tokens'),
		seen: {content: ['Well.', refused('bash')], stop_reason: 'max_tokens'},
	},
	'no call': {
		asked: message([use('toolu_1', 'bash', listing)], 'tool_use'),
		seen: {content: [['toolu_1', 'bash', {cmd: 'ls'}]], stop_reason: 'tool_use'},
	},
};

test('a denied call of an Anthropic answer is replaced by a block of text, and the blocks keep their order, streamed or whole', async t => {
	const {streamed, whole, records} = await replacing(t, [await noRemoving(t)]);
	const random = seededRandom(1);
	for (const [what, {asked, seen}] of Object.entries(anthropic)) {
		t.deepEqual(readMessage(await whole.anthropic(asked)), seen as never, `${what}, whole`);
		t.deepEqual(readMessage(await streamed.anthropic(asEvents(random, asked))), seen as never, `${what}, streamed`);
	}
	t.deepEqual(
		(await records()).map(({outcome, usage, rulings}) => [
			outcome,
			usage?.outputTokens,
			rulings?.find(({verdict}) => verdict === 'deny')?.replaced,
		]),
		[1, 1, 2, 2, 1, 1, undefined, undefined].map(count => ['ok', 7, count]),
	);
});

test('what a denied call said is nowhere in what the client gets, nor in what the journal keeps', async t => {
	const {seen, gateway} = await replacing(t, [await noRemoving(t)], {journal: {payloads: 'masked'}});
	const random = seededRandom(2);
	const answer = completion([choice('tool_calls', 'I look.', {tool_calls: [fn('call_1', 'bash', removing)]})]);
	const logprobs = {content: [{token: 'koepenick', logprob: -1}]};
	const chunks = asChunks(random, answer).map(chunk =>
		chunk.includes('tool_calls"') ? chunk.replace('"finish_reason"', `"logprobs":${JSON.stringify(logprobs)},"finish_reason"`) : chunk,
	);
	const logged = {...answer, choices: [{...(answer.choices as Event[])[0], logprobs}]};
	const block = message([use('toolu_1', 'bash', removing)], 'tool_use');
	const json = {'content-type': 'application/json'};
	const texts = [
		await seen('openai', {pieces: chunks}),
		await seen('openai', {headers: json, pieces: [JSON.stringify(logged)]}, false),
		await seen('anthropic', {pieces: asEvents(random, block)}),
		await seen('anthropic', {headers: json, pieces: [JSON.stringify(block)]}, false),
	];
	for (const {text} of texts) {
		t.regex(text, /was denied by no-removing/);
		t.notRegex(text, /koepenick|rm -rf|call_1|toolu_1/);
	}
	const journal = JSON.stringify(await gateway.journal());
	t.regex(journal, /was denied by no-removing/);
	t.notRegex(journal, /koepenick|rm -rf/);
});

test('any answer is the same streamed and whole, wherever its pieces are cut and in whatever order its choices come', async t => {
	const {streamed, whole} = await replacing(t, [await noRemoving(t)]);
	const seed = Date.now() % 1_000_000;
	const random = seededRandom(seed);
	const argumentsOf = () => (random.chance(0.5) ? removing : listing);
	const some = <T>(most: number, one: (at: number) => T): T[] => Array.from({length: random.below(most + 1)}, (_, at) => one(at));
	for (let round = 0; round < 25; round++) {
		const choices = Array.from({length: 1 + random.below(3)}, () => {
			const calls = some(4, at => (random.chance(0.3) ? custom(`c${at}`, 'sql', argumentsOf()) : fn(`c${at}`, `f${at}`, argumentsOf())));
			const content = random.chance(0.5) ? 'I look.' : null;
			return choice(calls.length > 0 ? random.pick(['tool_calls', 'stop']) : 'stop', content, calls.length > 0 ? {tool_calls: calls} : {});
		});
		const answer = completion(choices);
		const read = (await whole.openai(answer)).choices.map(readChoice);
		t.deepEqual((await streamed.openai(asChunks(random, answer))).choices.map(readChoice), read, `seed ${seed}, round ${round}`);

		const blocks = some(5, at => (random.chance(0.3) ? words(`words ${at}`) : use(`t${at}`, `f${at}`, argumentsOf())));
		const said = message(blocks, blocks.some(({type}) => type === 'tool_use') ? 'tool_use' : 'end_turn');
		const seen = readMessage(await whole.anthropic(said));
		t.deepEqual(readMessage(await streamed.anthropic(asEvents(random, said))), seen, `seed ${seed}, round ${round}`);
		t.false(JSON.stringify([read, seen]).includes('rm -rf'));
	}
});
