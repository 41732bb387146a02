import {execFile} from 'node:child_process';
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {setImmediate as turnOfTheLoop} from 'node:timers/promises';
import {promisify} from 'node:util';
import test from 'ava';
import {wallScripts} from '../core/plugins/bundle.ts';
import {setupOf} from '../core/plugins/setup.ts';
import {watch} from '../core/plugins/watchdog.ts';
import {IsolateLost, openGroup} from '../core/sandbox/isolate.ts';
import {inlineWorld, neighbour, type Source, saw} from './helpers/inline-world.ts';

const threads = (): number => readdirSync('/proc/self/task').length;
const onLinux = process.platform === 'linux' ? test.serial : test.serial.skip;
const loops: Source = {name: 'loops', hooks: "hooks: {'pre-request': () => { for (;;); }}", limits: {memoryMb: 8}};

onLinux('two hundred isolates that the watchdog stopped leave no thread, no listener and no memory behind', async t => {
	const world = await inlineWorld(t, [neighbour('one'), loops]);
	const residents = world.plugins.map(plugin => ({
		name: plugin.name,
		code: plugin.code.toString(),
		setup: setupOf(plugin),
		lender: plugin.lender,
	}));
	await world.close();
	const scripts = await wallScripts();
	const listeners = process.listenerCount('exit');
	const fall = async (): Promise<void> => {
		let lost = 0;
		const group = openGroup(residents, {scripts, memoryMb: 64, onSettled: () => undefined, onLost: () => void lost++});
		const guard = watch({isolate: group.isolate, beats: group.beats, limitsMs: [20, 20]});
		group.plan(1, {
			hook: 'pre-request',
			everyone: false,
			members: [
				{guest: 0, positions: [0]},
				{guest: 1, positions: [0]},
			],
		});
		const {culprit} = t.throws(() => group.dispatch(1, 1, 0, 2, ['m']), {instanceOf: IsolateLost});
		t.is(culprit, 1);
		t.is(lost, 1);
		guard.stop();
		await turnOfTheLoop();
	};
	for (let turn = 0; turn < 60; turn++) await fall();
	const before = process.memoryUsage.rss();
	for (let turn = 0; turn < 140; turn++) await fall();
	const grown = (process.memoryUsage.rss() - before) / 1_048_576;
	t.log(`${grown.toFixed(0)} MB more, ${threads()} threads`);
	t.true(grown < 60, `${grown} MB more`);
	t.true(threads() < 40);
	t.is(process.listenerCount('exit'), listeners);
});

test.serial('a tier whose isolate fell again and again has one watcher, and answers', async t => {
	let now = 0;
	const listeners = process.listenerCount('exit');
	const world = await inlineWorld(t, [neighbour('one'), loops], {now: () => now});
	for (let turn = 0; turn < 5; turn++) {
		now += 400_000;
		t.regex(await world.askOne('loops'), /^F/);
		t.is(await world.askOne('one', {model: 'm'}), saw('one', 'm'));
	}
	t.is(process.listenerCount('exit'), Math.max(1, listeners));
	await world.close();
	t.is(process.listenerCount('exit'), listeners);
});

test('a process that exits does so at once, with a tier that nobody closed', async t => {
	const {stdout} = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'helpers/tier-left-open.ts')], {timeout: 30_000});
	t.is(stdout, 'asked\n');
});

test('a closed tier answers with a failure, and does not open an isolate again', async t => {
	const world = await inlineWorld(t, [
		neighbour('one'),
		{name: 'waits', hooks: "hooks: {'pre-request': () => new Promise(() => undefined)}"},
	]);
	const waiting = world.askOne('waits');
	await world.close();
	t.regex(await waiting, /^F/);
	t.regex(await world.askOne('one'), /^F/);
	await t.throwsAsync(world.tier.act('one', 'go', '{}', '{}'), {code: 'plugin_failed'});
});

test('many tiers in one process are each watched', async t => {
	const worlds = await Promise.all(
		Array.from({length: 8}, () =>
			inlineWorld(t, [{name: 'loops', hooks: "hooks: {'pre-request': () => { for (;;); }}"}, neighbour('one')]),
		),
	);
	for (const world of worlds) {
		t.regex(await world.askOne('loops'), /^F/);
		t.is(await world.askOne('one', {model: 'm'}), saw('one', 'm'));
	}
});
