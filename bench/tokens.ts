import {readFile} from 'node:fs/promises';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {openTokens} from '../core/llm/tokens.ts';
import {openProduced} from '../core/llm/usage-produced.ts';

/**
 * What counting tokens costs: `node bench/tokens.ts`. Times are per request; `loop` is a plain walk over the same bytes, to
 * judge the machine by.
 */
const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`;
const settled = () => new Promise(resolve => setTimeout(resolve, 300));

await settled();
const before = process.memoryUsage();
const tokens = openTokens();
const gpt = tokens.boundFor('gpt-4o', true);
const claude = tokens.boundFor('claude-opus-4-8', false);
const delay = monitorEventLoopDelay({resolution: 1});
delay.enable();
const begun = performance.now();
await Promise.all([gpt.load(), claude.load()]);
const loadMs = performance.now() - begun;
delay.disable();
await settled();
const after = process.memoryUsage();

const prose = await readFile(new URL('../docs/ledger.md', import.meta.url), 'utf8');
const code = await readFile(new URL('../core/llm/stream.ts', import.meta.url), 'utf8');
const body = (content: string): Buffer =>
	Buffer.from(
		JSON.stringify({
			model: 'gpt-4o',
			messages: [
				{role: 'system', content: 'You are helpful.'},
				{role: 'user', content},
			],
			max_tokens: 100,
		}),
	);
const filled = (text: string, length: number): string => text.repeat(Math.ceil(length / text.length)).slice(0, length);
const letters = (length: number): string =>
	Array.from({length}, () => (Math.random() < 0.03 ? ' ' : String.fromCharCode(97 + Math.floor(Math.random() * 26)))).join('');

const walk = (bytes: Uint8Array): number => {
	let hash = 0;
	for (let at = 0; at < bytes.length; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
	return hash;
};

const cpuMicros = (): number => {
	const {user, system} = process.threadCpuUsage();
	return user + system;
};

let kept = 0;
/** Microseconds of this thread's processor time for one run, whoever else is on the machine; the kernel counts in ticks, so each sample is long. */
const timed = (run: () => number): number => {
	for (const warmedUp = performance.now() + 300; performance.now() < warmedUp; ) kept += run();
	let best = Number.POSITIVE_INFINITY;
	for (let sample = 0; sample < 3; sample += 1) {
		const from = cpuMicros();
		let runs = 0;
		for (; runs % 16 !== 0 || cpuMicros() - from < 200_000; runs += 1) kept += run();
		best = Math.min(best, (cpuMicros() - from) / runs);
	}
	return best;
};

const rows: Record<string, Record<string, string | number>> = {};
const row = (name: string, content: string): void => {
	const bytes = body(content);
	const [loop, exact, unknown] = [() => walk(bytes), () => gpt.input(bytes), () => claude.input(bytes)].map(timed);
	rows[name] = {
		bytes: bytes.length,
		'loop µs': Number(loop!.toFixed(1)),
		'o200k µs': Number(exact!.toFixed(1)),
		'unknown µs': Number(unknown!.toFixed(1)),
		tokens: gpt.input(bytes),
		'as unknown': claude.input(bytes),
	};
};

row('2 KB of prose', filled(prose, 1_900));
row('2 KB of code', filled(code, 1_900));
row('32 KB of prose', filled(prose, 32_000));
row('1 MB of prose', filled(prose, 1_000_000));
row('1 MB of one letter', `- ${'a'.repeat(1_000_000)}`);
row('1 MB of random letters', letters(1_000_000));
row('1 MB of Thai', filled('สวัสดี', 350_000));
console.table(rows);

const delta = Buffer.from(
	`data: ${JSON.stringify({id: 'chatcmpl-D8Z5f52zQqikDBEKQMQoYcWMcWPeU', object: 'chat.completion.chunk', created: 1_770_933_883, model: 'gpt-4o', choices: [{index: 0, delta: {content: ' word'}, logprobs: null, finish_reason: null}]})}\n\n`,
);
const produced = openProduced(gpt);
const perDelta = timed(() => {
	produced.see(delta);
	return delta.length;
});
console.log(`one delta of a stream (${delta.length} bytes): ${perDelta.toFixed(2)} µs`);
console.log(`loading the vocabulary: ${loadMs.toFixed(0)} ms, in turns of at most ${(delay.max / 1e6).toFixed(1)} ms`);
console.log(
	`kept: ${megabytes(after.arrayBuffers - before.arrayBuffers)} in arrays; RSS ${megabytes(before.rss)} → ${megabytes(after.rss)}`,
);
if (Number.isNaN(kept)) console.log(kept);
