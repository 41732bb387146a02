import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {type Exchange, openExchange} from '../core/exchange.ts';
import {type Fields, type Hooks, openHooks} from '../core/hooks.ts';
import {admit} from '../core/plugins/admit.ts';
import {wallScripts} from '../core/plugins/bundle.ts';
import {openInlineTier} from '../core/plugins/inline.ts';
import {openProcessTier} from '../core/plugins/process.ts';
import type {Admitted, Run, Tier} from '../core/plugins/tier.ts';
import {openKv} from '../core/store/kv.ts';
import {openStore} from '../core/store/open.ts';
import {pluginEntry} from '../schemas/config.ts';

/** µs for one hook over ten plugins that read three fields each, and for one round trip to the process tier: `node bench/hooks.ts`. */
const rounds = 20_000;
const warmUp = 5_000;
const sdk = resolve(import.meta.dirname, '../plugin-sdk/index.ts');
const quiet = 'estimate.maxCostMicroUsd > 1e12 ? deny({message: "no"}) : undefined';
const noting = 'allow({annotate: {cost: estimate.maxCostMicroUsd}})';
const texts = 'text.length > 1e6 ? deny({message: "no"}) : undefined';

const folder = await mkdtemp(join(tmpdir(), 'sallyport-bench-'));
const store = await openStore(join(folder, 'store.db'));
const kv = await openKv(store);
const scripts = await wallScripts();
const closing: (() => Promise<void>)[] = [];

const plugin = async (name: string, answer: string, reads: readonly string[]): Promise<Admitted> => {
	const home = join(folder, name);
	await mkdir(home);
	await writeFile(
		join(home, 'manifest.json'),
		JSON.stringify({name, version: '1.0.0', sdk: 1, runtime: 'isolate', hooks: {'pre-request': {reads}}}),
	);
	const read = [...new Set(reads.map(path => path.replace('[]', '').split('.')[0]))];
	const code = `import {allow, definePlugin, deny} from ${JSON.stringify(sdk)};
export default definePlugin({hooks: {'pre-request': ({${read.join(', ')}}) => ${answer}}});`;
	await writeFile(join(home, 'index.ts'), code);
	return admit(pluginEntry.parse({use: home}), {
		from: folder,
		at: [],
		lenders: owner => ({
			kv: kv.space(owner),
			http: () => Promise.reject(new Error('none')),
			log: () => undefined,
			count: () => undefined,
			now: Date.now,
		}),
	});
};

const small = ['principal.id', 'model', 'estimate.maxCostMicroUsd'];
const ten = (name: string, answer: (index: number) => string, reads: (index: number) => readonly string[]): Promise<Admitted[]> =>
	Promise.all(Array.from({length: 10}, (_, index) => plugin(`${name}-${index}`, answer(index), reads(index))));

const inline = (plugins: readonly Admitted[]): {tier: Tier; hooks: Hooks} => {
	const tier = openInlineTier(plugins, {scripts, report: event => console.error(event)});
	closing.push(() => tier.close());
	const members = plugins.map(one => ({plugin: one, tier, mode: 'enforce' as const, onFailure: 'deny' as const}));
	return {
		tier,
		hooks: openHooks({
			members,
			carryOut: () => undefined,
			noteFindings: () => undefined,
			onFailed: (...failed) => console.error(failed.slice(1)),
		}),
	};
};

const fieldsFor = (bodyBytes: number): Fields => {
	const text = `${bodyBytes}\n${'x'.repeat(bodyBytes)}`;
	const values: Record<string, string | number> = {
		'principal.id': 'key:k-123',
		model: 'fast',
		'estimate.maxCostMicroUsd': 1_234,
		'text[]': text,
	};
	return path => values[path];
};

const median = (figures: number[]): number => figures.sort((a, b) => a - b)[figures.length >> 1]!;

/** Median µs of `work`, alternating with nothing else. */
const timed = async (work: () => Promise<unknown> | unknown, count = rounds): Promise<number> => {
	const figures: number[] = [];
	for (let round = -warmUp; round < count; round++) {
		const begun = performance.now();
		await work();
		if (round >= 0) figures.push((performance.now() - begun) * 1_000);
	}
	return median(figures);
};

const asked = (hooks: Hooks, exchange: Exchange, bodyBytes: number): Promise<number> => {
	const fields = fieldsFor(bodyBytes);
	return timed(() => hooks.ask('pre-request', exchange, fields, () => undefined));
};

const runOf = (members: readonly Admitted[], id: number): Run => ({
	id,
	hook: 'pre-request',
	members,
	paths: small,
	positions: members.map(() => [0, 1, 2]),
	everyone: false,
});
const line = (what: string, us: number) => console.log(`${what.padEnd(72)}${us.toFixed(1).padStart(8)} µs`);

try {
	const exchange = openExchange({method: 'POST', path: '/v1/chat/completions', ip: '127.0.0.1', surface: 'openai'});
	const sizes = [
		['2 KB', 2_048],
		['1 MB', 1_048_576],
	] as const;
	const layouts = [
		[
			'ten inline plugins that say nothing',
			await ten(
				'quiet',
				() => quiet,
				() => small,
			),
		],
		[
			'ten inline plugins, three with effects',
			await ten(
				'noting',
				index => (index < 3 ? noting : quiet),
				() => small,
			),
		],
		[
			'ten inline plugins, one reads the text',
			await ten(
				'text',
				index => (index === 0 ? texts : quiet),
				index => (index === 0 ? ['text[]'] : small),
			),
		],
		[
			'ten inline plugins, all read the text',
			await ten(
				'texts',
				() => texts,
				() => ['text[]'],
			),
		],
	] as const;
	for (const [what, plugins] of layouts) {
		const {hooks, tier} = inline(plugins);
		for (const [size, bytes] of sizes) line(`${what}, ${size} body`, await asked(hooks, exchange, bytes));
		await tier.close();
	}
	const process = (
		await ten(
			'hosted',
			() => quiet,
			() => small,
		)
	).map(one => ({...one, tier: 'process' as const}));
	const tier = await openProcessTier(process, {scripts, report: event => console.error(event), kv});
	closing.push(() => tier.close());
	for (const count of [1, 10]) {
		const run = runOf(process.slice(0, count), count);
		const us = await timed(() => tier.ask(run, 0, ['key:k-123', 'fast', 1_234]), 3_000);
		line(`one round trip to the process tier, ${count === 1 ? 'one plugin' : 'ten plugins'}`, us);
	}
} finally {
	for (const close of closing) await close();
	await store.close();
	await rm(folder, {recursive: true, force: true});
}
