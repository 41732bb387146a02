import {monitorEventLoopDelay} from 'node:perf_hooks';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {codeOf} from '../core/plugins/bundle.ts';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {freshFolder} from './helpers/config-file.ts';
import {falconGuard, word} from './helpers/falcon-guard.ts';
import {providerKey, startGateway} from './helpers/gateway.ts';
import {chunkOf, streamOf} from './helpers/guarded-streams.ts';
import {writePlugin} from './helpers/inline-world.ts';
import {scriptedUpstream} from './helpers/scripted-upstream.ts';
import {modelRecords} from './helpers/sdks.ts';

const aim = 50;
/** This machine may be busy, and the client and the provider of this test live in the same process. */
const allowance = 4;

const prose = 'The quick brown fox, who lives at 12 Long Street, jumps over 13 lazy dogs; call me at noon about order 48213. ';
const times = (text: string, chars: number): string => text.repeat(Math.ceil(chars / text.length));
const million = 1_000_000;
/** What a plugin of the inline tier reads in the gateway's own process: docs/guards.md. */
const mostInlineChars = 16_384;
const asking = (content: unknown) => [{role: 'user', content}];

/** Twenty-four levels, of so many characters in all. */
const nested = (chars: number): unknown => {
	let value: unknown = 'leaf';
	for (let depth = 0; depth < 24; depth++) value = {list: [value], [`key${depth}`]: times(prose, chars / 24)};
	return value;
};

const line = prose.slice(0, 90);

const bodies: Record<string, (chars: number) => unknown[]> = {
	prose: chars => asking(times(prose, chars)),
	'a conversation of short turns': chars =>
		Array.from({length: chars / 100}, (_, at) => ({role: at % 2 === 0 ? 'user' : 'assistant', content: line})),
	'a deep result of a tool': chars => [
		{role: 'tool', tool_call_id: 'c', content: JSON.stringify(nested(chars / 2))},
		{role: 'user', content: [{type: 'tool_result', tool_use_id: 'c', content: [nested(chars / 2)]}]},
	],
	'one word without an end': chars => asking(times('a', chars)),
	'nothing but invisible characters': chars => asking(times('\u200b', chars / 2)),
	'beginnings of e-mail addresses': chars => asking(times('a@', chars)),
	'almost host names': chars => asking(times('a.b-', chars)),
	'beginnings of keys': chars => asking(times('sk-ghp_AKIA', chars)),
	'heads of private keys': chars => asking(times('-----BEGIN PRIVATE KEY-----\n', chars)),
	'connection strings': chars => asking(times('postgres://a:b@c/', chars)),
	'names before values': chars => asking(times('password="x", token: y; ', chars)),
	'digits and dots': chars => asking(times('1.', chars)),
	'numbers with bad check digits': chars => asking(times('4111 1111 1111 1112 ', chars)),
};

const guards: Record<string, NonNullable<GatewayConfigInput['plugins']>[number]> = {
	masking: {use: 'masking'},
	secrets: {use: 'secrets'},
	'word-list': {use: 'word-list', config: {words: ['zebra crossing', 'aaab'], action: 'deny'}},
	injection: {use: 'injection', config: {action: 'flag'}},
};

const start = async (t: ExecutionContext, plugins: NonNullable<GatewayConfigInput['plugins']>) => {
	const {baseUrl, script} = await scriptedUpstream(t);
	const gateway = await startGateway(t, {
		providers: {local: {speaks: 'openai', baseUrl, key: providerKey}},
		plugins: [{use: 'virtual-keys'}, ...plugins],
		limits: {bodyMb: 8},
	});
	const key = await gateway.key();
	const send = async (body: string | Buffer): Promise<{status: number; text: string}> => {
		const response = await fetch(`${gateway.url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body,
		});
		return {status: response.status, text: await response.text()};
	};
	return {gateway, script, send};
};

const headers = {'content-type': 'application/json'};
const whole = (content: string) =>
	JSON.stringify({
		choices: [{index: 0, message: {role: 'assistant', content}, finish_reason: 'stop'}],
		usage: {prompt_tokens: 1, completion_tokens: 1, total_tokens: 2},
	});

for (const [name, plugin] of Object.entries(guards))
	test.serial(`${name} keeps the event loop of the gateway free, whatever it is given to read`, async t => {
		const {script, send} = await start(t, [plugin]);
		const ask = async (messages: unknown[]) => {
			const body = Buffer.from(
				JSON.stringify({model: 'local/any', messages: [{role: 'user', content: script({headers, pieces: [whole('ok')]})}, ...messages]}),
			);
			const delay = monitorEventLoopDelay({resolution: 2});
			delay.enable();
			await sleep(10);
			delay.reset();
			const {status} = await send(body);
			delay.disable();
			return {status, ms: delay.max / 1e6};
		};
		// The first text of this size starts a process.
		await ask(asking(times(prose, 100_000)));
		for (const chars of [mostInlineChars - 2_000, million]) {
			for (const [what, messages] of Object.entries(bodies)) {
				let best = await ask(messages(chars));
				for (let again = 0; again < 4 && best.ms > aim; again++) {
					const next = await ask(messages(chars));
					if (next.ms < best.ms) best = next;
				}
				t.log(`${chars} of ${what}: ${best.status}, the loop stood still for at most ${best.ms.toFixed(0)} ms`);
				t.true(best.ms <= aim * allowance, `${chars} of ${what}: ${best.ms.toFixed(0)} ms`);
				t.true(best.status === 200 || best.status === 503, `${what}: ${best.status}`);
			}
		}
	});

test.serial('a large text is masked by every guard in its order, in both directions and in a stream, like a small one', async t => {
	const plugins = [
		{use: 'masking', config: {mask: ['email']}},
		{use: 'budgets', config: {window: 'day' as const, limitUsd: {'*': 100}}},
		await falconGuard(t),
		{use: 'secrets'},
	];
	const {gateway, script, send} = await start(t, plugins);
	const said = `write to ada@example.com, mask the ${word}, with ghp_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo`;
	const masked = 'write to [EMAIL], mask the [BIRD], with [SECRET]';
	for (const filler of ['', times(prose, 200_000)]) {
		const text = `${filler}${said}. ${filler}`;
		const stream = streamOf('openai', [chunkOf({delta: {content: text}})]);
		for (const [isStream, pieces] of [
			[false, [whole(text)]],
			[true, [stream]],
		] as const) {
			const content = script({headers: isStream ? {} : headers, pieces});
			const answer = await send(
				JSON.stringify({
					model: 'local/any',
					max_tokens: 10,
					stream: isStream,
					messages: [
						{role: 'user', content},
						{role: 'user', content: text},
					],
				}),
			);
			t.is(answer.status, 200, answer.text.slice(0, 300));
			t.true(answer.text.includes(masked), `${isStream} ${filler.length}`);
			t.false(/ada@|4711|ghp_x7/.test(answer.text));
			const record = (await modelRecords(gateway)).at(-1);
			t.deepEqual(
				record?.findings?.filter(({hook}) => hook === 'pre-request').map(({plugin}) => plugin),
				['masking', 'falcons', 'secrets'],
			);
			t.true((record?.bookings?.length ?? 0) > 0, 'budgets, which stand between them, have booked it');
		}
	}
});

test.serial('a guard that hangs at large texts refuses those, and goes on with small ones', async t => {
	const folder = await writePlugin(freshFolder(t), {
		name: 'hanging',
		reads: {'pre-request': ['text[]']},
		hooks: `hooks: {'pre-request': ({text}) => { if (text.join('').length > 16_384) for (;;); }}`,
		limits: {cpuMs: 20, timeoutMs: 100},
	});
	const {send, script} = await start(t, [{use: folder, tier: 'inline', trust: (await codeOf(folder, 'isolate')).digest}]);
	const ask = (text: string) =>
		send(
			JSON.stringify({
				model: 'local/any',
				messages: [
					{role: 'user', content: script({headers, pieces: [whole('fine')]})},
					{role: 'user', content: text},
				],
			}),
		);
	for (let again = 0; again < 5; again++) {
		const large = await ask(times(prose, 100_000));
		t.is(large.status, 503);
		t.true(large.text.includes('plugin_failed'));
		t.is((await ask('a small one')).status, 200);
	}
});
