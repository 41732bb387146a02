import test, {type ExecutionContext} from 'ava';
import type {Json, ModelAnswer, ModelQuestion} from '../../plugin-sdk/index.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';

const words = ['salary', 'raise', 'pay', 'weather', 'sun', 'rain', 'other'];

/** A vector that counts some words. */
const vectorOf = (text: string): number[] => words.map(word => text.toLowerCase().split(word).length - 1 + (word === 'other' ? 0.1 : 0));

const embeddings = ({body}: ModelQuestion): ModelAnswer => {
	const input = body.input as string[];
	return {status: 200, body: {data: input.map((text, index): Json => ({index, embedding: vectorOf(text)})).toReversed()}};
};

const topics = [{name: 'pay', examples: ['What is the salary, and a raise of pay?'], threshold: 0.7, action: 'deny', category: 'staff'}];

const start = async (
	t: ExecutionContext,
	answer: (question: ModelQuestion) => ModelAnswer | Promise<ModelAnswer> = embeddings,
	more: Record<string, unknown> = {},
) => {
	const asked: ModelQuestion[] = [];
	const plugin = await startPlugin(import.meta.url, {
		config: {meaning: {model: 'local/embed', topics, ...more}},
		models: async question => {
			asked.push(question);
			return answer(question);
		},
	});
	t.teardown(plugin.close);
	const ask = (text: string[], channel: 'user' | 'tool-result' = 'user') =>
		plugin.ask('pre-request', {operation: 'chat', text, channels: text.map(() => channel)});
	return {plugin, asked, ask};
};

const about = 'Tell me how much pay and salary she gets, with the last raise.';

test('what comes near an example is found in other words and another order, and what does not is let pass', async t => {
	const {ask} = await start(t);
	t.is(await ask(['Will the sun shine, or will there be rain?']), undefined);
	const refused = await ask(['Good morning to you all', about], 'tool-result');
	t.like(refused, {verdict: 'deny', code: 'content_blocked', rule: 'pay'});
	const [found] = (refused?.findings ?? []) as {score: number}[];
	t.like(found, {detector: 'pay', category: 'staff', channel: 'tool-result', span: {text: 1, start: 0, end: about.length}, action: 'deny'});
	t.true(found!.score >= 0.7 && found!.score <= 1);
});

test('the same words are asked about once, and the examples too', async t => {
	const {asked, ask} = await start(t);
	await ask(['The weather is fine, is it not?']);
	await ask(['The weather is fine, is it not?', 'Rain, rain, go away today']);
	await ask(['Rain, rain, go away today']);
	t.deepEqual(
		asked.map(({body}) => (body.input as string[]).length),
		[2, 1],
	);
});

test('a long text is looked at piece by piece, so a sentence does not drown in it', async t => {
	const {ask} = await start(t);
	const filler = 'It was a day like any other, and nobody had much to say about it. '.repeat(30);
	t.like(await ask([`${filler}\n\n${`${about} `.repeat(8)}\n${filler}`]), {verdict: 'deny'});
});

const failures: readonly (readonly [what: string, answer: (question: ModelQuestion) => ModelAnswer | Promise<ModelAnswer>])[] = [
	['a model that is away', () => Promise.reject(new Error('away'))],
	['a refusal', () => ({status: 429, body: {error: {message: 'slow down'}}})],
	['too few vectors', () => ({status: 200, body: {data: []}})],
	['words for vectors', () => ({status: 200, body: {data: [{embedding: ['a']}, {embedding: 'b'}]}})],
	['the same vector twice', () => ({status: 200, body: {data: [0, 0].map(index => ({index, embedding: [1, 2]}))}})],
	['vectors of several lengths', () => ({status: 200, body: {data: [{embedding: [1]}, {embedding: [1, 2]}]}})],
	['a page', () => ({status: 200, body: '<html>'})],
];
for (const [what, answer] of failures)
	test(`${what} refuses the request, unless the config says otherwise`, async t => {
		const strict = await start(t, answer);
		t.like(await strict.ask([about]), {verdict: 'deny', rule: 'meaning'});
		const easy = await start(t, answer, {unasked: 'allow'});
		t.like(await easy.ask([about]), {verdict: 'allow', findings: [{detector: 'meaning', category: 'unasked', action: 'flag'}]});
	});

test('more than the model is asked about at a time is refused, not let pass', async t => {
	const {ask, asked} = await start(t);
	const text = Array.from({length: 400}, (_, index) => `sentence number ${index} ${'word '.repeat(95)}`).join('\n');
	t.like(await ask([text]), {verdict: 'deny', rule: 'meaning'});
	t.is(asked.length, 0);
});

test('many short texts, as the strings of a long result, are asked about together', async t => {
	const {ask, asked} = await start(t);
	const rows = Array.from({length: 1_000}, (_, index) => `row number ${index}`);
	t.is(await ask(rows, 'tool-result'), undefined);
	t.true(asked.flatMap(({body}) => body.input as string[]).length < 50);
	t.like(await ask([...rows, about], 'tool-result'), {verdict: 'deny', rule: 'pay'});
});

test('what other rules refuse is not asked about', async t => {
	const asked: ModelQuestion[] = [];
	const plugin = await startPlugin(import.meta.url, {
		config: {phrases: [{name: 'banned', phrases: ['pay']}], meaning: {model: 'local/embed', topics}},
		models: async question => {
			asked.push(question);
			return embeddings(question);
		},
	});
	t.teardown(plugin.close);
	t.like(await plugin.ask('pre-request', {operation: 'chat', text: [about], channels: ['user']}), {verdict: 'deny', rule: 'banned'});
	t.is(asked.length, 0);
});

test('what is known of a text stays known until it is decided, whatever is forgotten meanwhile', async t => {
	let waiting: (() => void) | undefined;
	const {ask} = await start(t, async question => {
		const held = Promise.withResolvers<void>();
		if ((question.body.input as string[]).some(text => text.startsWith('Wait'))) {
			waiting = held.resolve;
			await held.promise;
		}
		return embeddings(question);
	});
	t.like(await ask([about]), {verdict: 'deny'});
	const others = Array.from({length: 4_999}, (_, at) => `Words about nothing, number ${at}`);
	for (let at = 0; at < others.length; at += 190) await ask(others.slice(at, at + 190));
	const slow = ask(['Wait for the weather report', about]);
	while (!waiting) await new Promise(setImmediate);
	await ask(['Now there is more than is remembered']);
	await ask(['So all of that has been forgotten']);
	waiting();
	t.like(await slow, {verdict: 'deny', rule: 'pay'});
});
