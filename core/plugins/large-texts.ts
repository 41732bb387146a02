import type {Value} from '../sandbox/isolate.ts';
import {type Admitted, type Answer, numbered, type Run, type Tier} from './tier.ts';

/** Reading more than this would keep every other exchange of this process waiting. */
const mostInlineChars = 16_384;

/** How much longer a plugin may take over a text that is too large for this process. */
const patience = 10;

/** Fields as long as somebody likes. */
const long: ReadonlySet<string> = new Set([
	'text[]',
	'messages',
	'tools',
	'params.*',
	'window',
	'result',
	'tool.arguments',
	'tool.definition',
	'tool.annotations',
]);
const isLong = (path: string): boolean => long.has(path) || path.startsWith('params.');

/** The same plugin, for the plugin host. */
export const elsewhere = (plugin: Admitted): Admitted => {
	const {limits} = plugin.manifest;
	const {cpuMs, timeoutMs} = limits;
	const more = {cpuMs: Math.min(5_000, cpuMs * patience), timeoutMs: Math.min(120_000, timeoutMs * patience)};
	return {...plugin, tier: 'process', manifest: {...plugin.manifest, limits: {...limits, ...more}}};
};

/** Whether it reads what may be long, and can do so elsewhere: the ledger is only here. */
export const mayMove = ({manifest}: Admitted): boolean =>
	!manifest.capabilities.includes('ledger') && Object.values(manifest.hooks).some(hook => hook?.reads.some(isLong));

/** Consecutive members of a run that are asked in the same place. */
type Part = {start: number; run: Run; away: boolean};

type Options = {
	plugins: readonly Admitted[];
	/** A tier in another process, with the plugins of these that may move. */
	open: (movers: readonly Admitted[]) => Promise<Tier>;
	onFailed: (error: unknown) => void;
};

/**
 * The inline tier, except that plugins which read a long text do so in a process of their own: here it would keep the event loop. That
 * process starts with the first such text.
 */
export const withLargeTexts = (inline: Tier, {plugins, open, onFailed}: Options): Tier => {
	const movers = new Map(plugins.filter(mayMove).map(plugin => [plugin.name, elsewhere(plugin)]));
	const parts = new WeakMap<Run, readonly Part[]>();
	const longOf = new WeakMap<Run, readonly number[]>();
	let away: Promise<Tier | undefined> | undefined;
	let closed = false;

	const tierAway = (): Promise<Tier | undefined> =>
		(away ??= open([...movers.values()]).catch((error: unknown) => {
			onFailed(error);
			// The next text tries again; this one is refused.
			away = undefined;
			return undefined;
		}));

	const goes = (run: Run, place: number): boolean => {
		const plugin = run.members[place]!;
		return movers.has(plugin.name) && run.positions[place]!.some(position => isLong(run.paths[position]!));
	};

	const partsOf = (run: Run): readonly Part[] => {
		const known = parts.get(run);
		if (known) return known;
		const made: Part[] = [];
		for (let start = 0; start < run.members.length; ) {
			const isAway = goes(run, start);
			let end = start + 1;
			while (end < run.members.length && goes(run, end) === isAway) end++;
			const members = run.members.slice(start, end).map(plugin => (isAway ? movers.get(plugin.name)! : plugin));
			made.push({start, away: isAway, run: numbered({...run, members, positions: run.positions.slice(start, end)})});
			start = end;
		}
		parts.set(run, made);
		return made;
	};

	/** Which values of a run may be long and are read by somebody who can read them elsewhere. */
	const longIn = (run: Run): readonly number[] => {
		const known = longOf.get(run);
		if (known) return known;
		const found = run.members.some((_, place) => goes(run, place)) ? run.paths.flatMap((path, index) => (isLong(path) ? [index] : [])) : [];
		longOf.set(run, found);
		return found;
	};

	const isLarge = (run: Run, values: readonly Value[]): boolean => {
		let chars = 0;
		for (const index of longIn(run)) {
			const value = values[index];
			if (typeof value === 'string') chars += value.length;
		}
		return chars > mostInlineChars;
	};

	const askPart = async ({run, start, away: isAway}: Part, from: number, values: readonly Value[]): Promise<readonly Answer[]> => {
		const place = Math.max(0, from - start);
		const tier = isAway ? await tierAway() : inline;
		const answers = tier && !closed ? await tier.ask(run, place, values) : undefined;
		if (answers) return answers.map(answer => ({...answer, place: answer.place + start}));
		return [{place: start + place, kind: 'F', body: '{"code":"plugin_failed","message":"has no process to read large texts in"}'}];
	};

	const askParts = async (run: Run, from: number, values: readonly Value[]): Promise<readonly Answer[]> => {
		const own = partsOf(run).filter(({start, run: {members}}) => start + members.length > from);
		if (run.everyone) return (await Promise.all(own.map(part => askPart(part, from, values)))).flat();
		const answers: Answer[] = [];
		for (const part of own) {
			answers.push(...(await askPart(part, from, values)));
			if (answers.length > 0 && answers.at(-1)!.kind !== 'A') break;
		}
		return answers;
	};

	return {
		loaded: inline.loaded,
		ask: (run, from, values) => (isLarge(run, values) ? askParts(run, from, values) : inline.ask(run, from, values)),
		act: inline.act,
		async close() {
			closed = true;
			await Promise.all([inline.close(), away?.then(tier => tier?.close())]);
		},
	};
};
