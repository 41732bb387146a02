import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {Duplex} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import test from 'ava';
import {wallScripts} from '../core/plugins/bundle.ts';
import {type AskBody, frame, frameReader, type Guest, type RunBody} from '../core/plugins/host/frames.ts';
import {hostScript} from '../core/plugins/process/script.ts';
import {setupOf} from '../core/plugins/setup.ts';
import {manifest} from '../schemas/manifest.ts';
import {obligingPlugin} from './helpers/obliging-plugin.ts';
import {isolateCode} from './helpers/process-world.ts';

const calls = 1_000;

const obliging = manifest.parse({
	name: 'a',
	version: '1.0.0',
	sdk: 1,
	runtime: 'isolate',
	hooks: {'pre-request': {reads: ['model', 'text[]']}},
	limits: {answerChars: 100_000},
});

test('a host whose gateway is busy for a while, so that its answers pile up, goes on when they are read', async t => {
	const {text, addon} = await hostScript();
	const child = spawn(process.execPath, ['--permission', '--allow-addons', `--allow-fs-read=${addon}`, '--no-warnings', '-'], {
		env: {},
		stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	child.stdin!.end(text);
	const wire = child.stdio[3] as Duplex;
	const guest: Guest = {
		name: 'a',
		runtime: 'isolate',
		code: await isolateCode(obligingPlugin),
		setup: setupOf({config: {}, manifest: obliging}),
		limits: {memoryMb: 64, cpuMs: 5_000, timeoutMs: 60_000, actionMs: 60_000, answerChars: 100_000},
		capabilities: [],
		secrets: {},
		kv: {},
	};
	const run: RunBody = {id: 1, hook: 'pre-request', everyone: false, members: [{plugin: 'a', positions: [0, 1]}]};
	const words = 'x'.repeat(1_000);
	const ask = (call: number) => frame('Q', JSON.stringify([call, 1, 0, 1, false, ['fast', `${words.length}\n${words}`]] satisfies AskBody));
	const asks = Array.from({length: calls}, (_, index) => ask(index + 1));
	wire.write(
		Buffer.concat([frame('B', JSON.stringify(await wallScripts())), frame('P', JSON.stringify(guest)), frame('R', JSON.stringify(run))]),
	);
	wire.write(Buffer.concat(asks));
	if (wire.writableLength > 0) await once(wire, 'drain');
	await sleep(500);
	let answered = 0;
	wire.on(
		'data',
		frameReader(
			(kind, said) => void (kind === 'A' && said.includes(words) && answered++),
			why => t.fail(why),
		),
	);
	for (let tries = 0; tries < 500 && answered < calls; tries++) await sleep(20);
	t.is(answered, calls);
});
