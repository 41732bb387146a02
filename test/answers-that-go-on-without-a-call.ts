import test, {type ExecutionContext} from 'ava';
import type OpenAI from 'openai';
import {asChunks, asEvents, completion, message, noRemoving, replacing} from './helpers/answers-with-calls.ts';
import {approvals, pendingAt} from './helpers/approvals.ts';
import {freshFolder} from './helpers/config-file.ts';
import {type Event, guardedGateway, leakIn, values} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {anthropicClient, openaiClient, user} from './helpers/sdks.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const fn = (name: string, args: string): Event => ({id: `call_${name}`, type: 'function', function: {name, arguments: args}});
const asking = (...calls: Event[]): Event =>
	completion([{message: {role: 'assistant', content: null, refusal: null, tool_calls: calls}, finish_reason: 'tool_calls'}]);
const bash = asking(fn('bash', '{"cmd":"make"}'));

const namesIn = ({choices}: OpenAI.ChatCompletion) =>
	choices.flatMap(({message}) => message.tool_calls ?? []).map(call => call.type === 'function' && call.function.name);
const wordsIn = ({choices}: OpenAI.ChatCompletion) => choices[0]!.message.content;

test('a call that nobody approves in time is replaced by words with the id of its approval, and goes on when it is asked for again', async t => {
	const {gateway, streamed, whole, records} = await replacing(t, [approvals([{name: 'shell', asked: ['bash'], holdMs: 50}])]);
	const random = seededRandom(3);
	for (const ask of [() => whole.openai(bash), () => streamed.openai(asChunks(random, bash))]) {
		const first = await ask();
		const [one] = await pendingAt(gateway);
		t.true(wordsIn(first)?.startsWith('The call of the tool "bash" was denied by approvals, rule shell: This waits for an approval'));
		t.true(wordsIn(first)?.includes(one!.id));
		t.is(first.choices[0]!.finish_reason, 'stop');
		await gateway.act('approvals', 'decide', {id: one!.id, decision: 'approve'});
		const second = await ask();
		t.deepEqual(namesIn(second), ['bash']);
		t.is(second.choices[0]!.finish_reason, 'tool_calls');
	}
	const waited = {plugin: 'approvals', hook: 'on-tool-call', verdict: 'deny', code: 'approval_required', rule: 'shell', replaced: 1};
	const [first, second] = await records();
	t.like(first, {outcome: 'ok', status: 200, error: undefined});
	t.deepEqual(
		first!.rulings?.filter(({verdict}) => verdict === 'deny'),
		[waited],
	);
	t.deepEqual(
		second!.rulings?.filter(({verdict}) => verdict === 'deny'),
		[],
	);
});

test('of several calls that nobody approves, those behind the first wait no time of their own', async t => {
	t.timeout(20_000);
	const rules = [
		{name: 'shell', asked: ['bash'], holdMs: 50},
		{name: 'slow', asked: ['make', 'sail'], holdMs: 55_000},
	];
	const {gateway, streamed} = await replacing(t, [approvals(rules)]);
	const answer = asking(fn('bash', '{}'), fn('make', '{}'), fn('look', '{}'), fn('sail', '{}'));
	const said = await streamed.openai(asChunks(seededRandom(8), answer));
	t.deepEqual(namesIn(said), ['look']);
	const waiting = await pendingAt(gateway, 3);
	for (const {id} of waiting) t.true(wordsIn(said)?.includes(id));
	await gateway.act('approvals', 'decide', {id: waiting.find(({rule}) => rule === 'slow')!.id, decision: 'approve'});
	t.is(namesIn(await streamed.openai(asChunks(seededRandom(8), answer))).length, 2);
});

test('a call that a person refuses is replaced by words with the reason', async t => {
	const {gateway, streamed} = await replacing(t, [approvals([{name: 'shell', asked: ['bash'], holdMs: 8_000}])]);
	const answered = streamed.openai(asChunks(seededRandom(4), bash));
	const [one] = await pendingAt(gateway);
	await gateway.act('approvals', 'decide', {id: one!.id, decision: 'refuse', reason: 'not on a Friday'});
	t.regex(wordsIn(await answered) ?? '', /not on a Friday/);
});

test('where a cap leaves room for one call, the next one is replaced, and each is counted as ever', async t => {
	const caps = {use: 'session-caps', config: {caps: {'*': {toolCalls: 1}}}};
	const answer = asking(fn('one', '{}'), fn('two', '{}'));
	const ask = async (denied: 'cut' | 'replace') => {
		const {gateway, key, script, records} = await replacing(t, [caps], {askedTools: {denied}});
		const client = openaiClient(gateway, {apiKey: key, headers: {'x-sallyport-session': 'a'}});
		const content = script({headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(answer)]});
		const said = await client.chat.completions.create({model: 'local/any', messages: user(content)}).catch(() => undefined);
		const [record] = await records();
		return {said, record: record!};
	};
	const cut = await ask('cut');
	const replaced = await ask('replace');
	t.is(cut.said, undefined);
	t.deepEqual(namesIn(replaced.said!), ['one']);
	t.regex(wordsIn(replaced.said!) ?? '', /"two" was denied by session-caps/);
	t.like(replaced.record, {outcome: 'ok', costMicroUsd: cut.record.costMicroUsd, usage: cut.record.usage});
	t.deepEqual(
		replaced.record.rulings?.filter(({replaced}) => replaced).map(({code}) => code),
		['session_limit_exceeded'],
	);
	const counted = (record: typeof cut.record) => record.bookings?.map(({key, amount}) => [key.split('|')[1], amount]).sort();
	t.deepEqual(counted(replaced.record), counted(cut.record));
});

const failing = (t: ExecutionContext) =>
	writePlugin(freshFolder(t), {
		name: 'breaks',
		reads: {'on-tool-call': ['tool.name']},
		hooks: `hooks: {'on-tool-call': () => { throw new Error('broken'); }}`,
	});

test('an answer whose calls nobody can judge is cut', async t => {
	const {streamed, whole, records} = await replacing(t, [{use: await failing(t)}]);
	await t.throwsAsync(whole.openai(bash), {message: /could not answer/});
	await t.throwsAsync(streamed.openai(asChunks(seededRandom(5), bash)), {message: /could not answer/});
	t.deepEqual(
		(await records()).map(({error}) => error?.code),
		['plugin_failed', 'plugin_failed'],
	);
});

test('an answer whose key is revoked while a call of it waits is cut, whatever is decided about the call', async t => {
	const {gateway, script} = await replacing(t, [approvals([{name: 'shell', asked: ['bash'], holdMs: 8_000}])]);
	for (const stream of [false, true]) {
		const apiKey = await gateway.key({name: `revoked ${stream}`});
		const {keys} = (await gateway.act('virtual-keys', 'list')) as {keys: {id: string; name?: string}[]};
		const pieces = stream ? asChunks(seededRandom(6), bash) : [JSON.stringify(bash)];
		const headers = {'content-type': stream ? 'text/event-stream' : 'application/json'};
		const {chat} = openaiClient(gateway, {apiKey});
		const request = {model: 'local/any', messages: user(script({headers, pieces}))};
		const answered = stream ? chat.completions.stream(request).finalChatCompletion() : chat.completions.create(request);
		const refused = t.throwsAsync(answered);
		const [one] = await pendingAt(gateway);
		await gateway.act('virtual-keys', 'revoke', {id: keys.find(({name}) => name === `revoked ${stream}`)!.id});
		await gateway.act('approvals', 'decide', {id: one!.id, decision: 'approve'});
		t.regex(String(await refused), /key/);
	}
});

const taintingGuard = (t: ExecutionContext) =>
	writePlugin(freshFolder(t), {
		name: 'leaks',
		before: `const finding = {detector: 'leaks', category: 'prompt-leak', severity: 'high', score: 1, channel: 'assistant', action: 'taint'};`,
		reads: {'post-response': ['window', 'text[]']},
		hooks: `hooks: {'post-response': ({window, text}) => {
			const isLeak = (window ? [window.text] : text).some(part => part.includes('my orders'));
			return isLeak ? allow({findings: [finding], ...(window && {clear: window.text.length})}) : window && allow({clear: window.text.length});
		}}`,
	});

test('a call is replaced that stands beside what taints it, streamed or whole', async t => {
	const deny = {by: ['prompt-leak'], deny: {asked: ['bash']}};
	const rules = {use: 'grants', config: {allow: {'*': {models: ['*'], whenTainted: deny}}}};
	const {streamed, whole, seen, records} = await replacing(t, [{use: await taintingGuard(t)}, rules], {journal: {payloads: 'masked'}});
	const said = completion([
		{
			message: {role: 'assistant', content: 'my orders', tool_calls: [fn('bash', '{"cmd":"make koepenick"}'), fn('look', '{}')]},
			finish_reason: 'tool_calls',
		},
	]);
	for (const answer of [await whole.openai(said), await streamed.openai(asChunks(seededRandom(7), said))]) {
		t.deepEqual(namesIn(answer), ['look']);
		t.regex(wordsIn(answer) ?? '', /^my orders\n\nThe call of the tool "bash" was denied by grants/);
	}
	const use = {type: 'tool_use', id: 'toolu_1', name: 'bash', input: {cmd: 'make koepenick'}};
	const block = message([{type: 'text', text: 'my orders', citations: null}, use], 'tool_use');
	const {text} = await seen('anthropic', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(block)]}, false);
	t.like(JSON.parse(text), {stop_reason: 'end_turn', content: [{text: 'my orders'}, {type: 'text'}]});
	t.notRegex(JSON.stringify([text, await records()]), /koepenick/);
});

test('guards see what stands in the place of a call: a value that its rule quotes is masked there, wherever the answer is cut', async t => {
	const rule = await noRemoving(t, `'No removing for ' + tool.arguments.who + '.'`);
	const world = await guardedGateway(t, 'mask', {others: [rule], askedTools: {denied: 'replace'}});
	const {gateway, key: apiKey, script, seen} = world;
	const seed = Date.now() % 1_000_000;
	const random = seededRandom(seed);
	for (const value of values) {
		const args = {cmd: 'rm -rf /', who: value};
		const said = completion([
			{
				message: {role: 'assistant', content: `For ${value}`, tool_calls: [fn('bash', JSON.stringify(args)), fn('look', '{"at":"this"}')]},
				finish_reason: 'tool_calls',
			},
		]);
		const use = {type: 'tool_use', id: 'toolu_1', name: 'bash', input: args};
		const block = message([{type: 'text', text: `For ${value}`, citations: null}, use], 'tool_use');
		const bytes = (pieces: string[]) => {
			const all = Buffer.from(pieces.join(''));
			const cuts = Array.from({length: 6}, () => random.below(all.length)).sort((a, b) => a - b);
			return [0, ...cuts].map((from, at) => all.subarray(from, cuts[at] ?? all.length));
		};
		for (const got of [
			await seen('openai', {pieces: bytes(asChunks(random, said))}),
			await seen('openai', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(said)]}, false),
			await seen('anthropic', {pieces: bytes(asEvents(random, block))}),
			await seen('anthropic', {headers: {'content-type': 'application/json'}, pieces: [JSON.stringify(block)]}, false),
		]) {
			t.is(leakIn(got), undefined, `seed ${seed}`);
			t.regex(got.text, /No removing|emoving/);
		}
		const chat = openaiClient(gateway, {apiKey}).chat.completions;
		const openai = await chat
			.stream({model: 'local/any', messages: user(script({pieces: bytes(asChunks(random, said))}))})
			.finalChatCompletion();
		t.deepEqual(namesIn(openai), ['look']);
		t.regex(wordsIn(openai) ?? '', /^For \S.*\n\nThe call of the tool "bash" was denied by no-removing, rule files: No removing for .*\.$/);
		const {content, stop_reason} = await anthropicClient(gateway, {apiKey})
			.messages.stream({model: 'claude/any', max_tokens: 500, messages: user(script({pieces: bytes(asEvents(random, block))}))})
			.finalMessage();
		t.deepEqual([content.map(({type}) => type), stop_reason], [['text', 'text'], 'end_turn']);
	}
});
