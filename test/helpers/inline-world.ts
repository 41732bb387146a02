import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import type {ExecutionContext} from 'ava';
import {admit} from '../../core/plugins/admit.ts';
import {wallScripts} from '../../core/plugins/bundle.ts';
import {openInlineTier} from '../../core/plugins/inline.ts';
import {type Admitted, numbered, type Run, type Tier} from '../../core/plugins/tier.ts';
import type {Lending} from '../../core/sandbox/capabilities.ts';
import type {Value} from '../../core/sandbox/isolate.ts';
import {type Kv, openKv} from '../../core/store/kv.ts';
import {openStore} from '../../core/store/open.ts';
import type {Store} from '../../core/store/store.ts';
import {pluginEntry} from '../../schemas/config.ts';
import {type HookName, hooks} from '../../schemas/hooks.ts';

const sdk = resolve(import.meta.dirname, '../../plugin-sdk/index.ts');

export type Source = {
	name: string;
	/** What stands in `definePlugin({…})` behind the config. */
	hooks: string;
	/** What stands before it. */
	before?: string;
	/** What each hook is handed; it listens at these. */
	reads?: Partial<Record<HookName, string[]>>;
	/** Its answers at `pre-auth` are remembered. */
	steady?: boolean;
	/** At `pre-request`: it is asked again of what runs. */
	recheck?: boolean;
	/** Of a stream, at `post-response`. */
	window?: {chars?: number; overlap?: number; flushMs?: number};
	capabilities?: string[];
	grants?: Record<string, unknown>;
	limits?: Record<string, number>;
	config?: Record<string, unknown>;
};

/** Writes a plugin as an author would, and answers its folder. */
export const writePlugin = async (
	parent: string,
	{
		name,
		hooks: definition,
		before = '',
		reads = {'pre-request': ['model']},
		steady,
		recheck,
		window,
		capabilities = [],
		limits = {},
	}: Source,
): Promise<string> => {
	const folder = join(parent, name);
	await mkdir(folder, {recursive: true});
	const listening = Object.fromEntries(
		Object.entries(reads).map(([hook, paths]) => [
			hook,
			{
				reads: paths,
				...(hook === 'pre-auth' && {steady}),
				...(hook === 'pre-request' && {recheck}),
				...(hook === 'post-response' && {window}),
			},
		]),
	);
	const manifest = {name, version: '1.0.0', sdk: 1, runtime: 'isolate', capabilities, hooks: listening, limits};
	await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
	const code = `// @ts-nocheck
import {allow, definePlugin, deny, identify, redact, rewrite, route} from ${JSON.stringify(sdk)};
${before}
export default definePlugin({${definition}});
`;
	await writeFile(join(folder, 'index.ts'), code);
	return folder;
};

export type Told = {plugin: string; what: string; reason: string};
export type Said = {plugin: string; kind: string; body: string};

export type InlineWorld = {
	tier: Tier;
	plugins: readonly Admitted[];
	store: Store;
	kv: Kv;
	told: Told[];
	logged: {plugin: string; level: string; message: string; facts: unknown}[];
	counted: {plugin: string; name: string; by: number}[];
	/** What each plugin that listens said, at `hook`, to these values of declared paths; all of them, or those named. */
	ask(hook: HookName, fields?: Record<string, Value>, names?: readonly string[], from?: number): Promise<Said[]>;
	/** What one plugin says: its answer's kind and body, '' for nothing. */
	askOne(name: string, fields?: Record<string, Value>): Promise<string>;
	/** Ends it now; a test that does not is ended by its teardown. */
	close(): Promise<void>;
};

type Options = {now?: () => number; http?: Lending['http']};

/** Plugins in the real inline tier, with a store of their own; closed with the test. */
export const inlineWorld = async (
	t: ExecutionContext,
	sources: readonly Source[],
	{now = Date.now, http}: Options = {},
): Promise<InlineWorld> => {
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-inline-'));
	const store = await openStore(join(folder, 'store.db'));
	const kv = await openKv(store);
	const told: Told[] = [];
	const logged: InlineWorld['logged'] = [];
	const counted: InlineWorld['counted'] = [];
	const plugins: Admitted[] = [];
	for (const source of sources) {
		const {capabilities = [], grants, config} = source;
		const entry = pluginEntry.parse({
			use: await writePlugin(folder, source),
			config,
			grants: grants ?? Object.fromEntries(capabilities.map(name => [name, true])),
		});
		const plugin = await admit(entry, {
			from: folder,
			at: [],
			lenders: name => ({
				kv: kv.space(name),
				http: http ?? (() => Promise.reject(new Error('no http here'))),
				log: (level, message, facts) => void logged.push({plugin: name, level, message, facts}),
				count: (counter, by) => void counted.push({plugin: name, name: counter, by}),
				now,
			}),
		});
		plugins.push({...plugin, tier: 'inline'});
	}
	const tier = openInlineTier(plugins, {scripts: await wallScripts(), report: event => void told.push(event), now});
	let closed = false;
	const close = async () => {
		if (closed) return;
		closed = true;
		await tier.close();
		await store.close();
		await rm(folder, {recursive: true, force: true});
	};
	t.teardown(close);

	const runs = new Map<string, Run>();
	const runOf = (hook: HookName, names: readonly string[] | undefined): Run => {
		const key = `${hook} ${names ?? '*'}`;
		const known = runs.get(key);
		if (known) return known;
		const members = plugins.filter(({name, manifest}) => manifest.hooks[hook] && (!names || names.includes(name)));
		const paths = [...new Set(members.flatMap(({manifest}) => manifest.hooks[hook]!.reads))];
		const positions = members.map(({manifest}) => manifest.hooks[hook]!.reads.map(path => paths.indexOf(path)));
		const run = numbered({hook, members, paths, positions, everyone: hooks[hook].kind === 'observe'});
		runs.set(key, run);
		return run;
	};

	const ask: InlineWorld['ask'] = async (hook, fields = {}, names, from = 0) => {
		const run = runOf(hook, names);
		const answers = await tier.ask(
			run,
			from,
			run.paths.map(path => fields[path]),
		);
		return answers.map(({place, kind, body}) => ({plugin: run.members[place]!.name, kind, body}));
	};

	return {
		tier,
		plugins,
		store,
		kv,
		told,
		logged,
		counted,
		ask,
		async askOne(name, fields) {
			const [said] = await ask('pre-request', fields, [name]);
			return said ? said.kind + said.body : '';
		},
		close,
	};
};

/** A plugin that tags what it reads of the model: its answer shows that it ran, and on what. */
export const neighbour = (name: string): Source => ({
	name,
	hooks: `hooks: {'pre-request': ({model}) => allow({annotate: {${name}: 'saw ' + model}})}`,
});

export const saw = (name: string, model: string): string => `A{"verdict":"allow","annotate":{"${name}":"saw ${model}"}}`;
