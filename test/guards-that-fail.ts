import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {codeOf} from '../core/plugins/bundle.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {weather} from './helpers/sdks.ts';

/** What the guard does with a text that says `fail-…`, in the place of looking at it. */
const ways = {
	throws: `throw new Error('oh')`,
	'answers garbage': `return {verdict: 'maybe'}`,
	'says what it did not do': `return allow({findings: [{detector: 'x', category: 'x', severity: 'low', score: 1, channel: 'user', action: 'deny'}]})`,
	'never answers': 'return new Promise(() => undefined)',
	'hangs the process it lives in': 'return Array(2 ** 32 - 1).indexOf(1)',
} as const;
type Way = keyof typeof ways;

const secretWord = 'UNSEEN';

const guardThat = async (t: ExecutionContext, way: Way, tier: 'inline' | 'process', onFailure: 'deny' | 'allow') => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'guard',
		before: `const judged = words => { if (!words) return undefined; ${ways[way]}; };`,
		reads: {'pre-request': ['text[]'], 'on-tool-call': ['tool.arguments'], 'post-response': ['text[]', 'window', 'outcome']},
		hooks: `hooks: {
			'pre-request': ({text}) => judged(text.join().includes('fail-request')),
			'on-tool-call': ({tool}) => judged(JSON.stringify(tool.arguments).includes('fail-call')),
			'post-response': ({text, window}) => window
				? (judged(window.text.includes('fail-reply')) ?? allow({clear: window.final ? window.text.length : Math.max(0, window.text.length - 20)}))
				: judged(text.join().includes('fail-reply')),
		}`,
		limits: {cpuMs: 50, timeoutMs: 150},
	});
	return {use: folder, tier, onFailure, ...(tier === 'inline' && {trust: (await codeOf(folder, 'isolate')).digest})};
};

type Answer = {status: number; text: string};
type Place = {what: string; reaches: boolean; ask: () => Promise<Answer>};

const world = async (t: ExecutionContext, way: Way, tier: 'inline' | 'process', onFailure: 'deny' | 'allow' = 'deny') => {
	const tools = await hostileUpstream(
		t,
		({id}, res) => {
			res.writeHead(200, {'content-type': 'application/json'});
			res.end(JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text: `fail-reply ${secretWord}`}]}}));
		},
		[{name: 'act', description: `fail-reply ${secretWord}`, inputSchema: {type: 'object'}}],
	);
	const gateway = await startGateway(t, {
		plugins: [{use: 'virtual-keys'}, await guardThat(t, way, tier, onFailure)],
		servers: {one: {url: tools.url}},
	});
	const key = await gateway.key();
	const post = async (path: string, body: object): Promise<Answer> => {
		const response = await fetch(gateway.url + path, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify(body),
		});
		return {status: response.status, text: await response.text()};
	};
	const wire = wireTo(`${gateway.url}/mcp/one`, key);
	const over = async (said: ReturnType<typeof wire.ask>): Promise<Answer> => {
		const {status, body} = await said;
		return {status: body.error || body.result?.isError ? 400 : status, text: JSON.stringify(body)};
	};
	const say = `say:${Buffer.from(`Well, fail-reply ${secretWord}`).toString('base64url')}`;
	const messages = (content: string) => [{role: 'user', content}];
	const chat = (content: string, model: string, stream: boolean) => () =>
		post('/v1/chat/completions', {model: `local/${model}`, stream, messages: messages(content)});
	const claude = (content: string, model: string, stream: boolean) => () =>
		post('/v1/messages', {model: `claude/${model}`, max_tokens: 50, stream, messages: messages(content)});
	const calling = `call the tool weather with {"city": "fail-call ${secretWord}"}`;
	const places: Place[] = [
		{what: 'a chat', reaches: false, ask: chat('fail-request', 'echo', false)},
		{what: 'a chat that streams', reaches: false, ask: chat('fail-request', 'echo', true)},
		{what: 'messages', reaches: false, ask: claude('fail-request', 'echo', false)},
		{
			what: 'the counting of tokens',
			reaches: false,
			ask: () => post('/v1/messages/count_tokens', {model: 'claude/echo', messages: messages('fail-request')}),
		},
		{what: 'embeddings', reaches: false, ask: () => post('/v1/embeddings', {model: 'local/embed', input: ['fail-request']})},
		{what: 'a call over MCP', reaches: false, ask: () => over(wire.call('act', {a: 'fail-request'}))},
		{what: 'the arguments of a call over MCP', reaches: false, ask: () => over(wire.call('act', {a: 'fail-call'}))},
		{
			what: 'a call that a model asks for',
			reaches: true,
			ask: () => post('/v1/chat/completions', {model: 'local/echo', messages: messages(calling), tools: [weather]}),
		},
		{
			what: 'a call that a model asks for in a stream',
			reaches: true,
			ask: () => post('/v1/chat/completions', {model: 'local/echo', stream: true, messages: messages(calling), tools: [weather]}),
		},
		{what: 'the reply to a chat', reaches: true, ask: chat('hi', say, false)},
		{what: 'the reply to messages', reaches: true, ask: claude('hi', say, false)},
		{what: 'a stream of a chat', reaches: true, ask: chat('hi', say, true)},
		{what: 'a stream of messages', reaches: true, ask: claude('hi', say, true)},
		{what: 'the result of a call over MCP', reaches: true, ask: () => over(wire.call('act', {a: 'b'}))},
		{what: 'a list over MCP', reaches: true, ask: () => over(wire.ask('tools/list'))},
	];
	const last = async (): Promise<StoredRecord | undefined> =>
		(await gateway.journal()).findLast(({kind, surface}) => kind === 'exchange' && surface !== 'admin');
	const called = () => tools.seen.filter(({rpc}) => rpc?.method === 'tools/call').length;
	return {gateway, places, last, called};
};

const refused = ({status, text}: Answer): boolean => status >= 400 || (/"error"/.test(text) && !/\[DONE\]|message_stop/.test(text));

const kinds: [way: Way, tier: 'inline' | 'process'][] = [
	['throws', 'inline'],
	['throws', 'process'],
	['answers garbage', 'inline'],
	['answers garbage', 'process'],
	['says what it did not do', 'inline'],
	['never answers', 'inline'],
	['never answers', 'process'],
	['hangs the process it lives in', 'process'],
];

for (const [way, tier] of kinds)
	test.serial(
		`a guard (${tier}) that ${way} refuses models and tools alike, in every direction, and the record says that it failed`,
		async t => {
			const {gateway, places, last, called} = await world(t, way, tier);
			for (const {what, reaches, ask} of places) {
				const before = gateway.upstream.requests.length + called();
				const answer = await ask();
				t.true(refused(answer), `${what}: ${answer.status} ${answer.text}`);
				t.false(answer.text.includes(secretWord), `${what}: ${answer.text}`);
				if (!reaches) t.is(gateway.upstream.requests.length + called(), before, `${what} went on`);
				const record = await last();
				t.like(record, {error: {code: 'plugin_failed', plugin: 'guard'}}, what);
				t.not(record?.outcome, 'ok', what);
				t.true(
					record?.rulings?.some(({plugin, verdict}) => plugin === 'guard' && verdict === 'failed'),
					what,
				);
				t.is(record?.findings, undefined, what);
			}
		},
	);

test.serial('a guard that may fail lets pass, and every record says that it has failed', async t => {
	const {places, last} = await world(t, 'throws', 'inline', 'allow');
	for (const {what, ask} of places) {
		const answer = await ask();
		t.false(refused(answer), `${what}: ${answer.status} ${answer.text}`);
		const record = await last();
		t.is(record?.outcome, 'ok', what);
		t.true(
			record?.rulings?.some(({plugin, verdict}) => plugin === 'guard' && verdict === 'failed'),
			what,
		);
	}
});
