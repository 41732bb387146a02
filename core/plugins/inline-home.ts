import {type Group, type IsolateLost, openGroup} from '../sandbox/isolate.ts';
import type {WallScripts} from './bundle.ts';
import type {openQuarantine} from './quarantine.ts';
import {setupOf} from './setup.ts';
import type {Admitted, Report} from './tier.ts';
import {watch} from './watchdog.ts';

/** What a call's promise came to: an answer, or that its isolate fell with it: by its own doing, or by a neighbour's. */
export type Ending = string | 'struck' | 'interrupted';

/** The isolate that inline plugins share, opened again whenever it is lost. */
export type Home = {
	readonly loaded: Group['loaded'];
	/** The isolate that stands now; undefined for a moment when none can be opened. */
	readonly group: Group | undefined;
	/** Whether somebody seemed to blow a limit lately: for some seconds each enters alone, so that it is known who does it again. */
	readonly wary: boolean;
	/** Whether a fall was somebody's own doing, and counted against it. */
	isProven(lost: IsolateLost): boolean;
	/** Looks how full the isolate is, so that the next entry, if memory ends in it, can be told from those before. */
	weigh(): void;
	/** A number for the next entry. */
	number(): number;
	/** How the promise of call `id` ends; undefined when it takes longer than `withinMs`. */
	ending(resident: number, id: number, withinMs: number): Promise<Ending | undefined>;
	close(): void;
};

type Options = {scripts: WallScripts; report: Report; quarantine: ReturnType<typeof openQuarantine>; now: () => number};

/**
 * The clock of the wall is not the clock of a CPU: on a busy machine, or where a container's share of the CPU is used up, this
 * thread stands still for 100 ms and more, inside a plugin or not.
 */
const leastLimitMs = 250;
const reloadMs = 1_000;
const reopenAfterMs = 1_000;
const entriesPerWeighing = 128;
const waryForMs = 10_000;
/** A promise that is late gets as long again, and at least this, to end by itself. */
const leastGraceMs = 1_000;

export const openHome = (plugins: readonly Admitted[], {scripts, report, quarantine, now}: Options): Home => {
	const residents = plugins.map(plugin => ({
		name: plugin.name,
		code: plugin.code.toString(),
		setup: setupOf(plugin),
		lender: plugin.lender,
	}));
	const limitsMs = plugins.map(({manifest}) => Math.max(leastLimitMs, manifest.limits.cpuMs));
	const memoryMb = 64 + plugins.reduce((sum, {manifest}) => sum + manifest.limits.memoryMb, 0);
	const waiters = new Map<string, (ending: Ending) => void>();
	/** Answers of promises that settled before the entry that made them was over. */
	const early = new Map<string, string>();
	/** Calls nobody waits for any more, and what ends their plugin's patience. */
	const overdue = new Map<string, NodeJS.Timeout>();
	let calls = 0;
	/** The entry before which the memory was looked at, and whether most of it was free: in a full heap, V8 takes its time from whoever runs. */
	let weighed = {entry: 0, roomy: true};
	let waryUntil = 0;
	const proven = new WeakSet<IsolateLost>();
	let closed = false;
	let failedAt = Number.NEGATIVE_INFINITY;

	const onSettled = (resident: number, id: number, answer: string): void => {
		const name = `${resident}:${id}`;
		const tell = waiters.get(name);
		clearTimeout(overdue.get(name));
		if (tell) tell(answer);
		else if (!overdue.delete(name) && id === calls) early.set(name, answer);
	};

	type Present = {group: Group; guard: {stop(): void}};
	const open = (loadMs?: number): Present => {
		const group = openGroup(residents, {scripts, memoryMb, loadMs, onSettled, onLost: fell});
		return {group, guard: watch({isolate: group.isolate, beats: group.beats, limitsMs})};
	};

	const reopen = (): Present | undefined => {
		if (closed || now() - failedAt < reopenAfterMs) return undefined;
		try {
			return open(reloadMs);
		} catch {
			// Every call is refused until it works, and the report says so.
			failedAt = now();
			report({plugin: '*', what: 'stopped', reason: 'the isolate of the inline plugins could not be opened again'});
			return undefined;
		}
	};

	/** Opens the next isolate, and ends what was waiting in this one. */
	const replace = (culprit: number): void => {
		present?.guard.stop();
		for (const timer of overdue.values()) clearTimeout(timer);
		overdue.clear();
		const fallen = [...waiters];
		present = reopen();
		for (const [name, tell] of fallen) tell(name.startsWith(`${culprit}:`) ? 'struck' : 'interrupted');
	};

	const strike = (resident: number, reason: string): void => {
		quarantine.stopped(plugins[resident]!.name, reason);
		replace(resident);
	};

	const isWary = (): boolean => waryUntil !== 0 && now() < waryUntil;

	const fell = (lost: IsolateLost): void => {
		const {culprit, outOfMemory} = lost;
		if (isGuilty(lost)) {
			proven.add(lost);
			strike(culprit, outOfMemory ? 'it used more than limits.memoryMb' : 'it ran longer than limits.cpuMs');
			return;
		}
		if (lost.idle) {
			report({plugin: '*', what: 'stopped', reason: 'this process stood still for longer than the inline plugins may run'});
			replace(-1);
			return;
		}
		waryUntil = now() + waryForMs;
		report({
			plugin: '*',
			what: 'stopped',
			reason: `the inline plugins ${outOfMemory ? 'ran out of memory' : 'were stopped'}; for some seconds each runs alone, to see by whom`,
		});
		replace(-1);
	};

	/** Not at the first fall, which may have been the machine's doing or a neighbour's; not in a heap that others filled. */
	const isGuilty = ({culprit}: IsolateLost): boolean => isWary() && culprit >= 0 && weighed.roomy;

	/** It will never settle, or it makes the host work for it for ever: only a new isolate ends that. */
	const giveUp = (resident: number): void => {
		present?.group.dispose();
		strike(resident, 'it left a call without an answer');
	};

	const weigh = (): void => {
		const {isolate} = present?.group ?? {};
		if (!isolate || isolate.isDisposed) return;
		const {used_heap_size: used, externally_allocated_size: outside} = isolate.getHeapStatisticsSync();
		weighed = {entry: calls + 1, roomy: used + outside < (memoryMb * 1_048_576) / 2};
	};

	let present: Present | undefined = open();
	const {loaded} = present.group;

	return {
		loaded,
		get group() {
			present ??= reopen();
			return present?.group;
		},
		get wary() {
			return isWary();
		},
		isProven: lost => proven.has(lost),
		weigh,
		number() {
			if (calls - weighed.entry >= entriesPerWeighing) weigh();
			if (early.size > 0) early.clear();
			return ++calls;
		},
		ending(resident, id, withinMs) {
			const name = `${resident}:${id}`;
			const answer = early.get(name);
			if (answer !== undefined) return Promise.resolve(answer);
			return new Promise(resolve => {
				const finish = (ending: Ending | undefined) => {
					waiters.delete(name);
					clearTimeout(timer);
					resolve(ending);
				};
				const timer = setTimeout(() => {
					overdue.set(name, setTimeout(giveUp, Math.max(leastGraceMs, withinMs), resident).unref());
					finish(undefined);
				}, withinMs);
				waiters.set(name, finish);
			});
		},
		close() {
			closed = true;
			present?.guard.stop();
			present?.group.dispose();
			replace(-1);
		},
	};
};
