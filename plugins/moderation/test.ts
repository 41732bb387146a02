import test, {type ExecutionContext} from 'ava';
import type {Json, ModelQuestion} from '../../plugin-sdk/index.ts';
import {type Given, startPlugin} from '../../plugin-sdk/testing.ts';

type Scores = Record<string, number>;

const result = (scores: Scores): Json => ({
	id: 'modr-1',
	model: 'any',
	results: [
		{
			flagged: Object.values(scores).some(score => score > 0.5),
			categories: Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score > 0.5])),
			category_scores: scores,
		},
	],
});

/** "hate:0.7 violence:0.2" in a text is what the model says of it. */
const scoresIn = (text: string): Scores =>
	Object.fromEntries([...text.matchAll(/([a-z/-]+):([01](?:\.\d+)?)/g)].map(([, name, score]) => [name!, Number(score)]));

const moderation = async (
	t: ExecutionContext,
	config: Record<string, unknown> = {},
	answer: (question: ModelQuestion) => Json = ({body}) => result(scoresIn(String(body.input))),
) => {
	const asked: string[] = [];
	const plugin = await startPlugin(import.meta.url, {
		config: {model: 'openai/omni-moderation-latest', ...config},
		async models(question) {
			t.is(question.operation, 'moderations');
			t.deepEqual(Object.keys(question.body), ['input']);
			asked.push(String(question.body.input));
			return {status: 200, body: answer(question)};
		},
	});
	t.teardown(plugin.close);
	const principal = {tenant: 'acme'};
	const request = (...text: string[]) => plugin.ask('pre-request', {text, channels: text.map(() => 'user'), principal});
	const reply = (text: string, channel: 'assistant' | 'tool-result' = 'assistant') =>
		plugin.ask('post-response', {text: [text], channels: [channel], principal, outcome: 'ok'});
	/** A stream as the host shows it: so many characters at a time, with what was not cleared in front. What has gone on, and how it ended. */
	const stream = async (whole: string, step: number) => {
		let [held, out, carried] = ['', '', undefined as string | undefined];
		let verdict: Given | undefined;
		for (let at = 0; at <= whole.length; at += step) {
			held += whole.slice(at, at + step);
			const window = {channel: 1, text: held, final: at + step > whole.length};
			verdict = await plugin.ask('post-response', {window, channels: ['assistant'], principal, outcome: 'ok', carried});
			if (verdict?.verdict === 'deny') return {out, verdict};
			const clear = Number(verdict!.clear);
			t.true(clear <= held.length && held.length - clear <= 2_400);
			out += held.slice(0, clear);
			held = held.slice(clear);
			carried = verdict?.carry as string;
		}
		return {out, verdict};
	};
	return {asked, request, reply, stream};
};

test('a category counts from its score on, and its rule says what is done', async t => {
	const rules = {hate: {from: 0.3, action: 'deny'}, violence: {from: 0.8, action: 'flag'}, 'self-harm-intent': {action: 'taint'}};
	const {request} = await moderation(t, {rules});
	for (const text of ['hate:0.29', 'violence:0.79', 'sexual:1', 'nothing at all']) t.is(await request(text), undefined, text);
	t.like(await request('hate:0.3'), {
		verdict: 'deny',
		code: 'content_blocked',
		rule: 'hate',
		findings: {
			0: {detector: 'moderation', category: 'hate', score: 0.3, channel: 'user', action: 'deny', span: {text: 0, start: 0, end: 8}},
		},
	});
	t.like(await request('violence:0.9 self-harm/intent:0.6'), {
		verdict: 'allow',
		findings: {0: {category: 'self-harm-intent', action: 'taint'}, 1: {category: 'violence', action: 'flag', severity: 'medium'}},
	});
});

test('each way, and each origin, may have rules of its own', async t => {
	const {request, reply} = await moderation(t, {
		rules: {'*': {from: 0.9}},
		request: {'*': {from: 0.5}},
		byChannel: {'tool-result': {'*': {from: 0.1, action: 'taint'}}},
	});
	t.like(await request('hate:0.6'), {verdict: 'deny'});
	t.is(await reply('hate:0.6'), undefined);
	t.like(await reply('hate:0.95'), {verdict: 'deny'});
	t.like(await reply('hate:0.2', 'tool-result'), {verdict: 'allow', findings: {0: {action: 'taint', channel: 'tool-result'}}});
});

test('what is no moderation is no opinion', async t => {
	const answers: Json[] = [
		null,
		[],
		{},
		{results: []},
		{results: [{}, {}]},
		{results: ['safe']},
		{results: [{category_scores: {hate: 2}}]},
		{results: [{category_scores: {hate: '0'}}]},
		{results: [{category_scores: []}]},
		{results: [{}]},
		{results: [{category_scores: Object.fromEntries(Array.from({length: 65}, (_, at) => [`c${at}`, 0]))}]},
		{error: {message: 'hate:0'}},
	];
	let at = 0;
	const {request} = await moderation(t, {}, () => answers[at]!);
	for (; at < answers.length; at++)
		t.like(
			await request(`text ${at}`),
			{verdict: 'deny', code: 'denied', rule: 'not-judged', annotate: {notJudged: 'unreadable'}},
			JSON.stringify(answers[at]),
		);
	answers.push({results: [{flagged: true, categories: {hate: true}}]}, {results: [{flagged: true}]}, {results: [{flagged: false}]});
	t.like(await request('no scores'), {rule: 'hate'});
	at++;
	t.like(await request('no names'), {rule: 'other'});
	at++;
	t.is(await request('nothing'), undefined);
});

test('names of categories hold no content, whatever the upstream calls them', async t => {
	const name = `My secret is ${'4711'.repeat(3)}`;
	const {request} = await moderation(t, {}, () => result({[name]: 1, __proto__x: 0.9}));
	const said = await request('text');
	t.false(JSON.stringify(said).includes('4711'));
	t.like(said, {verdict: 'deny', rule: 'other'});
});

const harmless = 'So it goes on, quite harmlessly. '.repeat(150);

for (const step of [1_000, 137]) {
	test(`piece by piece, no character goes on that was not judged: ${step} at a time`, async t => {
		const {asked, stream} = await moderation(t, {streams: 'window'});
		const fine = await stream(harmless, step);
		t.is(fine.out, harmless);
		t.true(asked.length > 1 && asked.length < harmless.length / 200);
		t.true(asked.every(text => text.length >= 400 || harmless.endsWith(text)));
		const cut = await stream(`${harmless}hate:0.9${harmless}`, step);
		t.like(cut.verdict, {verdict: 'deny', rule: 'hate'});
		t.true(cut.out.length > 0 && !cut.out.includes('hate'));
	});
}

test('about one stream no more is asked than the config says', async t => {
	const refused = await moderation(t, {streams: 'window', questionsPerStream: 3});
	const {out, verdict} = await refused.stream(harmless, 500);
	t.like(verdict, {verdict: 'deny', code: 'denied', rule: 'not-judged', annotate: {notJudged: 'too-long'}});
	t.true(out.length < 1_500);
	t.is(refused.asked.length, 3);
	const passed = await moderation(t, {streams: 'window', questionsPerStream: 3, onUncertain: 'allow'});
	const all = await passed.stream(harmless, 500);
	t.is(all.out, harmless);
	t.is(passed.asked.length, 3);
});

test('at the end, a stream is asked about once it is whole, and ends in an error where it is refused', async t => {
	const {asked, stream} = await moderation(t, {chars: 10_000});
	t.is((await stream(harmless, 500)).out, harmless);
	t.deepEqual(asked, [harmless]);
	t.like((await stream(`${harmless}hate:0.9`, 500)).verdict, {verdict: 'deny', rule: 'hate'});
	const short = await moderation(t, {chars: 1_000, questions: 2});
	t.like((await short.stream(harmless, 500)).verdict, {rule: 'not-judged'}, 'it was longer than could be asked about');
});

test('ways and origins that are left out ask nobody', async t => {
	const {asked, request, reply, stream} = await moderation(t, {in: ['response'], channels: ['tool-result']});
	t.is(await request('hate:1'), undefined);
	t.is(await reply('hate:1'), undefined);
	t.is((await stream('hate:1', 3)).out, 'hate:1');
	t.is(asked.length, 0);
	t.like(await reply('hate:1', 'tool-result'), {verdict: 'deny'});
});
