import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import type {ExecutionContext} from 'ava';
import {bundle, wallScripts} from '../../core/plugins/bundle.ts';
import {openProcessTier} from '../../core/plugins/process.ts';
import {type Admitted, type Answer, numbered, type Run, type Tier} from '../../core/plugins/tier.ts';
import {type Lending, lend} from '../../core/sandbox/capabilities.ts';
import type {Value} from '../../core/sandbox/isolate.ts';
import {compile} from '../../plugin-sdk/assembly-script.ts';
import type {HookName} from '../../schemas/hooks.ts';
import {type Capability, manifest} from '../../schemas/manifest.ts';

export type Tenant = {
	name: string;
	code: string | Buffer;
	config?: Record<string, unknown>;
	capabilities?: Capability[];
	secrets?: Record<string, string>;
	limits?: {cpuMs?: number; timeoutMs?: number; actionMs?: number; memoryMb?: number; answerChars?: number};
	actions?: Record<string, {input: Record<string, unknown>}>;
};
type Told = {plugin: string; what: string; reason: string};

/** What a test asks its plugins at. */
const reads: Partial<Record<HookName, string[]>> = {'pre-request': ['model', 'text[]'], 'post-response': ['costMicroUsd']};

/** The code of a TypeScript plugin, as the gateway would run it. */
export const isolateCode = async (source: string): Promise<string> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-code-'));
	const file = join(folder, 'index.ts');
	await writeFile(file, source);
	try {
		return await bundle(file, 'sallyportPlugin');
	} finally {
		await rm(folder, {recursive: true});
	}
};

/** A module compiled from AssemblyScript. */
export const wasmCode = async (source: string): Promise<Buffer> =>
	Buffer.from(await compile(resolve('tested.ts'), {'tested.ts': `import './host';\n${source}`}));

/** Every plugin's namespace, in memory; what the store would do is none of these tests' business. */
const openSpaces = () => {
	const spaces = new Map<string, Map<string, string>>();
	const listeners: ((plugin: string, entries: Record<string, string | null>) => void)[] = [];
	const of = (plugin: string) => spaces.get(plugin) ?? spaces.set(plugin, new Map()).get(plugin)!;
	return {
		all: (plugin: string) => Object.fromEntries(of(plugin)),
		onChange: (listener: (typeof listeners)[number]) => void listeners.push(listener),
		async put(plugin: string, entries: Record<string, string | null>) {
			for (const [key, json] of Object.entries(entries)) {
				if (json === null) of(plugin).delete(key);
				else of(plugin).set(key, json);
			}
			for (const listener of listeners) listener(plugin, entries);
		},
	};
};

export type ProcessWorld = {
	tier: Tier;
	told: Told[];
	logged: {plugin: string; level: string; message: string; facts: unknown}[];
	counted: Record<string, number>;
	put(plugin: string, entries: Record<string, string | null>): Promise<void>;
	space(plugin: string): Record<string, string>;
	run(hook: HookName, names: string[], everyone?: boolean): Run;
	/** Asks one plugin at pre-request; undefined when it says nothing. */
	ask(name: string, model?: string, text?: string): Promise<Answer | undefined>;
	close(): Promise<void>;
};

type Lenders = Partial<Pick<Lending, 'http' | 'ask'>> & {now?: () => number};

/** A process tier with these plugins in it. */
export const processWorld = async (tenants: readonly Tenant[], {http, ask, now}: Lenders = {}): Promise<ProcessWorld> => {
	const kv = openSpaces();
	const told: Told[] = [];
	const logged: ProcessWorld['logged'] = [];
	const counted: Record<string, number> = {};
	const admitted = tenants.map(({name, code, config = {}, capabilities = [], secrets = {}, limits = {}, actions}): Admitted => {
		const hooks = Object.fromEntries(Object.entries(reads).map(([hook, paths]) => [hook, {reads: paths}]));
		const runtime = typeof code === 'string' ? 'isolate' : 'wasm';
		return {
			name,
			manifest: manifest.parse({name, version: '1.0.0', sdk: 1, runtime, capabilities, hooks, limits, ...(actions && {actions})}),
			digest: 'sha256:0',
			tier: 'process',
			code,
			config,
			lent: {capabilities, secrets},
			lender: lend({
				name,
				granted: new Set(capabilities),
				kv: {get: () => undefined, list: () => [], put: entries => kv.put(name, entries)},
				secrets,
				http: http ?? (() => Promise.reject(new Error('this test lends no http'))),
				...(ask && {ask}),
				log: (level, message, facts) => void logged.push({plugin: name, level, message, facts}),
				count: (counter, by) => {
					counted[counter] = (counted[counter] ?? 0) + by;
				},
				now: Date.now,
			}),
		};
	});
	const tier = await openProcessTier(admitted, {scripts: await wallScripts(), report: event => void told.push(event), kv, now});
	const known = new Map<string, Run>();
	const run = (hook: HookName, names: string[], everyone = false): Run => {
		const id = JSON.stringify([hook, names, everyone]);
		const members = names.map(name => admitted.find(plugin => plugin.name === name)!);
		const paths = reads[hook]!;
		const made = known.get(id) ?? numbered({hook, members, paths, positions: members.map(() => paths.map((_, index) => index)), everyone});
		known.set(id, made);
		return made;
	};

	return {
		tier,
		told,
		logged,
		counted,
		put: kv.put,
		space: kv.all,
		run,
		async ask(name, model = 'fast', text = '') {
			const values: Value[] = [model, `${text.length}\n${text}`];
			const [answer] = await tier.ask(run('pre-request', [name]), 0, values);
			return answer;
		},
		close: () => tier.close(),
	};
};

/** The same, closed with the test. */
export const processWorldOf = async (t: ExecutionContext, tenants: readonly Tenant[], lenders?: Lenders): Promise<ProcessWorld> => {
	const world = await processWorld(tenants, lenders);
	t.teardown(world.close);
	return world;
};

/** Code, message and all of an answer's body. */
export const bodyOf = (answer: Answer | undefined): Record<string, unknown> => JSON.parse(answer?.body ?? '{}');
