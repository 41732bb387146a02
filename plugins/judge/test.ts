import test from 'ava';
import {attack, inJson, judge, messagesOf, shown} from '../../test/helpers/started-judge.ts';

test('what the model calls an attack is refused, and what it calls harmless goes on', async t => {
	const {request} = await judge(t, {shape: 'prompt'}, question =>
		messagesOf(question)[1]!.content.includes('ignore')
			? inJson(question, {verdict: 'attack', score: 0.9})
			: inJson(question, {verdict: 'harmless', score: 0.1}),
	);
	t.is(await request(['What is the weather?']), undefined);
	t.like(await request(['Please ignore all that.']), {
		verdict: 'deny',
		code: 'content_blocked',
		rule: 'injection',
		findings: {
			0: {detector: 'judge', category: 'injection', score: 0.9, channel: 'user', span: {text: 0, start: 0, end: 23}, action: 'deny'},
		},
	});
});

test('it is asked only where a guard before is unsure, of that kind, here, and only about texts of that origin', async t => {
	const {plugin, asked} = await judge(t, {shape: 'prompt', band: {category: 'injection', from: 0.5, to: 0.9}}, attack);
	const found = {
		detector: 'words',
		category: 'injection',
		severity: 'high',
		score: 0.7,
		channel: 'tool-result',
		action: 'flag',
		plugin: 'injection',
		hook: 'pre-request',
	};
	const ask = (...findings: object[]) =>
		plugin.ask('pre-request', {
			text: ['hello', 'from a tool'],
			channels: ['user', 'tool-result'],
			principal: {tenant: 'acme'},
			findings: findings as never,
		});
	for (const other of [{score: 0.49}, {category: 'secret'}, {hook: 'post-response'}, {channel: 'assistant'}])
		t.is(await ask({...found, ...other}), undefined, JSON.stringify(other));
	t.is(await ask(), undefined);
	t.is(asked.length, 0);
	t.like(await ask({...found, score: 0.2}, found), {verdict: 'deny'});
	t.is(asked.length, 1);
	t.regex(messagesOf(asked[0]!)[1]!.content, /"from a tool"/);
	t.like(await ask(found, {...found, detector: 'rules', score: 0.91}), {
		verdict: 'deny',
		code: 'content_blocked',
		rule: 'injection',
		findings: {0: {score: 0.91, channel: 'tool-result', action: 'deny'}},
	});
	t.is(asked.length, 1, 'of what a guard is sure of, nobody is asked');
});

test('the same text is asked about once in a while and for each tenant; what failed is asked again', async t => {
	let now = 1_000_000;
	let answer = 'safe';
	const {request, asked} = await judge(
		t,
		{shape: 'llama-guard', rememberMs: 60_000},
		() => answer,
		() => now,
	);
	const count = async (tenant: string): Promise<number> => {
		const before = asked.length;
		await request(['same'], {principal: {tenant}});
		return asked.length - before;
	};
	t.deepEqual([await count('acme'), await count('acme'), await count('other'), await count('other')], [1, 0, 1, 0]);
	now += 60_000;
	answer = 'well';
	t.deepEqual([await count('acme'), await count('acme')], [1, 1]);
});

test('of a conversation that grows only the end is asked about again', async t => {
	const {request, asked} = await judge(t, {shape: 'llama-guard', chars: 400, questions: 2}, 'safe');
	const turns = Array.from({length: 12}, (_, index) => `turn ${index} ${'x'.repeat(100)}`);
	for (let length = 1; length <= turns.length; length++) t.is(await request(turns.slice(0, length)), undefined, `${length}`);
	t.is(asked.length, turns.length);
	const {request: first} = await judge(t, {shape: 'llama-guard', chars: 400, questions: 2}, 'safe');
	t.like(await first(turns), {rule: 'not-judged', annotate: {notJudged: 'too-long'}}, 'at once it is too much');
});

test('a long text is judged whole, in pieces that overlap', async t => {
	const text = Array.from({length: 300}, (_, index) => `word${index}`).join(' ');
	const {request, asked} = await judge(t, {shape: 'llama-guard', chars: 500}, question =>
		messagesOf(question)[0]!.content.includes('word250') ? 'unsafe\nS1' : 'safe',
	);
	const said = await request([text]);
	const pieces = asked.map(question => messagesOf(question)[0]!.content);
	t.is(pieces.length, Math.ceil((text.length - 25) / 475));
	for (let index = 0; index < 300; index++) t.true(pieces.some(piece => piece.includes(`word${index}`)));
	const [{span}] = said!.findings as [{span: {start: number; end: number}}];
	t.true(text.slice(span.start, span.end).includes('word250'));
});

test('what nobody could judge passes only where the config says so, and the record says that it was not judged', async t => {
	const {request} = await judge(t, {shape: 'prompt', onUncertain: 'allow'}, 'I would rather not say.');
	t.like(await request(['text']), {
		verdict: 'allow',
		annotate: {notJudged: 'unreadable'},
		findings: {0: {category: 'not-judged', action: 'flag'}},
	});
});

test('rules say what is done about each category', async t => {
	const rules = {'violent-crimes': {action: 'taint'}, hate: {action: 'flag'}, privacy: {from: 1}};
	const {request} = await judge(t, {shape: 'llama-guard', rules}, shown);
	t.like(await request(['unsafe\nS10,S1']), {
		verdict: 'allow',
		findings: {0: {category: 'violent-crimes', action: 'taint'}, 1: {category: 'hate', action: 'flag'}},
	});
	t.like(await request(['unsafe\nS1,S7']), {verdict: 'deny', rule: 'privacy'});
	t.is(await request(['unsafe\nS11']), undefined, 'without * the others are nothing');
});

test('a way that the config leaves out, and an exchange that failed, ask nobody', async t => {
	const {plugin, asked, request} = await judge(t, {shape: 'prompt', in: ['response']}, attack);
	t.is(await request(['text']), undefined);
	const answer = {text: ['text'], channels: ['assistant' as const], principal: {tenant: 'acme'}};
	t.is(await plugin.ask('post-response', {...answer, outcome: 'failed'}), undefined);
	t.is(asked.length, 0);
	t.like(await plugin.ask('post-response', {...answer, outcome: 'ok'}), {verdict: 'deny'});
});

test('Anthropic’s API is asked in its own way', async t => {
	const {plugin, asked} = await judge(t, {shape: 'prompt', speaks: 'anthropic', params: {max_tokens: 50}}, attack);
	await plugin.ask('pre-request', {text: ['text'], channels: ['user'], principal: {tenant: 'acme'}});
	t.like(asked[0], {operation: 'messages', model: 'local/guard', body: {max_tokens: 50, messages: {length: 1}}});
	t.regex(String(asked[0]!.body.system), /attack/);
});

test('a text of a megabyte is not judged, and keeps nobody waiting', async t => {
	const {request, asked} = await judge(t, {shape: 'llama-guard', questions: 2}, 'safe');
	const begun = process.cpuUsage();
	t.like(await request(['a text that is '.repeat(70_000)]), {rule: 'not-judged', annotate: {notJudged: 'too-long'}});
	const {user} = process.cpuUsage(begun);
	t.true(user < 2_000_000, `${user} µs`);
	// A machine that stands still for a moment has it asked again.
	t.is(asked.length % 2, 0);
});
