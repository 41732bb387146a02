import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
// The one place where the SDK looks into the core: a test runs its plugin where the gateway would.
import {admit} from '../core/plugins/admit.ts';
import {wallScripts} from '../core/plugins/bundle.ts';
import {openInlineTier} from '../core/plugins/inline.ts';
import {type Answer, numbered, type Run} from '../core/plugins/tier.ts';
import type {Lending} from '../core/sandbox/capabilities.ts';
import {openKv} from '../core/store/kv.ts';
import {openStore} from '../core/store/open.ts';
import {pluginEntry} from '../schemas/config.ts';
import {crossingOf, type HookInput, type HookName, hooks, type Operation} from '../schemas/hooks.ts';
import type {Caller} from './define-plugin.ts';
import type {HttpRequest, HttpResponse, ModelAnswer, ModelQuestion} from './host.ts';

type Part<T> = T extends readonly (infer Item)[] ? readonly Item[] : T extends object ? {[Key in keyof T]?: Part<T[Key]>} : T;

/** A verdict as the plugin gave it, checked as the gateway checks it. */
export type Given = {verdict: string; [key: string]: unknown};

export type StartedPlugin = {
	/**
	 * Asks the handler, with the fields its manifest declares out of `fields`; undefined when it says nothing, or when
	 * `fields.operation` is none that its manifest lists. Rejects when it fails.
	 */
	ask<Name extends HookName>(hook: Name, fields: Part<HookInput<Name>>): Promise<Given | undefined>;
	/** Calls an action, as an owner of that name or as somebody else. Rejects with GatewayError. */
	act(action: string, input?: unknown, caller?: string | Caller): Promise<unknown>;
	/** What the plugin's kv holds. */
	kv(): Record<string, unknown>;
	/** Carries out the `put` of a verdict. */
	put(entries: Record<string, unknown>): Promise<void>;
	close(): Promise<void>;
};

type Options = {
	config?: Record<string, unknown>;
	/** Milliseconds since 1970, for `clock`. */
	now?: () => number;
	secrets?: Record<string, string>;
	/** Answers `http`; without it every host is refused. */
	http?: (request: HttpRequest) => Promise<HttpResponse>;
	/** Answers `models`; without it nothing is asked. */
	models?: (question: ModelQuestion) => Promise<ModelAnswer>;
	/** Answers `ledger.balance`. */
	balance?: Lending['balance'];
	tier?: 'inline' | 'process';
};

const house = resolve(fileURLToPath(import.meta.url), '../..');

/** The same for every plugin, and a good part of what a start costs. */
const openScripts = () => {
	let made: ReturnType<typeof wallScripts> | undefined;
	return () => {
		made ??= wallScripts();
		return made;
	};
};
const scriptsOnce = openScripts();

const packed = (parts: readonly string[]): string => `${parts.map(part => part.length).join(',')}\n${parts.join('')}`;

/** The value that crosses for a declared path. */
const crossing = (hook: HookName, path: string, fields: Record<string, unknown>) => {
	const bare = path.replace('[]', '');
	const dot = bare.indexOf('.');
	const [first, second] = dot < 0 ? [bare] : [bare.slice(0, dot), bare.slice(dot + 1)];
	const outer = fields[first!];
	const value = second === undefined || second === '*' ? outer : (outer as Record<string, unknown> | undefined)?.[second];
	if (value === undefined) return undefined;
	const way = crossingOf(hook, path);
	if (way === 'text') return packed(value as string[]);
	return way === 'json' ? JSON.stringify(value) : (value as string | number | boolean);
};

/** Starts the plugin in `folder` (or in the folder of a `file:` URL) in the real sandbox, with a store in memory. */
export const startPlugin = async (
	folder: string,
	{config = {}, now = Date.now, secrets = {}, http, models, balance, tier}: Options = {},
): Promise<StartedPlugin> => {
	const path = folder.startsWith('file:') ? dirname(fileURLToPath(folder)) : resolve(folder);
	const data = await mkdtemp(join(tmpdir(), 'sallyport-plugin-'));
	const store = await openStore(join(data, 'store.db'));
	const kv = await openKv(store);
	const {capabilities = [], optional = [], runtime} = JSON.parse(await readFile(join(path, 'manifest.json'), 'utf8'));
	const grants: Record<string, unknown> = {};
	for (const capability of [...capabilities, ...optional])
		grants[capability] = capability === 'http' || capability === 'models' ? ['*'] : capability === 'secrets' ? secrets : true;
	const entry = pluginEntry.parse({use: path, config, grants});
	const plugin = await admit(entry, {
		from: house,
		at: [],
		lenders: name => ({
			kv: kv.space(name),
			http: http ?? (() => Promise.reject(new Error('this test lends no http'))),
			log: () => undefined,
			count: () => undefined,
			...(balance && {balance}),
			...(models && {ask: models}),
			now,
		}),
	});
	const scripts = await scriptsOnce();
	const reported: string[] = [];
	const options = {scripts, report: ({reason}: {reason: string}) => void reported.push(reason)};
	const startedElsewhere = async () => {
		const {openProcessTier} = await import('../core/plugins/process.ts');
		return openProcessTier([{...plugin, tier: 'process'}], {...options, kv});
	};
	const processTier = (tier ?? (runtime === 'wasm' ? 'process' : 'inline')) === 'process';
	const home = processTier ? await startedElsewhere() : openInlineTier([plugin], options);
	const close = async () => {
		await home.close();
		await store.close();
		await rm(data, {recursive: true});
	};

	const said = home.loaded[0]!;
	if ('failure' in said || said.issues.length > 0) {
		await close();
		throw new Error('failure' in said ? said.failure : said.issues.map(({path: at, message}) => `${at.join('.')}: ${message}`).join('\n'));
	}

	const runs = new Map<HookName, Run>();
	const runOf = (hook: HookName): Run => {
		const known = runs.get(hook);
		if (known) return known;
		const reads = plugin.manifest.hooks[hook]?.reads;
		if (!reads) throw new Error(`${plugin.name} does not listen to ${hook}`);
		const run = numbered({hook, members: [plugin], paths: reads, positions: [reads.map((_, index) => index)], everyone: false});
		runs.set(hook, run);
		return run;
	};

	return {
		async ask(hook, fields) {
			const run = runOf(hook);
			const {operation} = fields as {operation?: Operation};
			const {operations} = plugin.manifest.hooks[hook]!;
			if (operation && operations && !operations.includes(operation)) return undefined;
			const [answer]: readonly Answer[] = await home.ask(
				run,
				0,
				run.paths.map(name => crossing(hook, name, {asking: 'test', ...fields})),
			);
			if (!answer) return undefined;
			if (answer.kind === 'F') throw new Error((JSON.parse(answer.body) as {message: string}).message);
			return hooks[hook].answer.parse(JSON.parse(answer.body)) as Given;
		},
		async act(action, input = {}, caller = 'test') {
			const who: Caller = typeof caller === 'string' ? {actor: caller, role: 'owner'} : caller;
			return JSON.parse(await home.act(plugin.name, action, JSON.stringify(input), JSON.stringify(who)));
		},
		put: entries =>
			kv.putSoon(
				plugin.name,
				Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, value === null ? null : JSON.stringify(value)])),
			),
		kv: () => Object.fromEntries(Object.entries(kv.all(plugin.name)).map(([key, json]) => [key, JSON.parse(json)])),
		close,
	};
};
