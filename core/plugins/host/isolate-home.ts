import {type Group, IsolateLost, type Lender, openGroup, type Plan} from '../../sandbox/isolate.ts';
import type {Guest, Scripts} from './frames.ts';
import {failed, type Home} from './home.ts';

type Options = {scripts: Scripts; lender: Lender; onLost: (reason: string) => void};

/** Promises that never settle keep what they hold; after so many the isolate is replaced. */
const mostAbandoned = 50;

/** How often an entry is tried that ran out of time without having had it. */
const mostTries = 3;

const tooLong = 'ran longer than limits.cpuMs';

const reasonOf = (cause: unknown): string => {
	const words = cause instanceof Error ? cause.message : '';
	if (words.includes('timed out')) return tooLong;
	return words.includes('memory limit') ? 'used more than limits.memoryMb' : 'its isolate was lost';
};

/** A plugin in an isolate of its own, opened when it is first entered and again after it was lost. */
export const isolateHome = ({name, code, setup, limits}: Guest, {scripts, lender, onLost}: Options): Home => {
	const fields = (JSON.parse(setup) as {hooks: Record<string, unknown[]>}).hooks;
	const plans = Object.keys(fields);
	const waiting = new Map<number, (answer: string) => void>();
	let group: Group | undefined;
	let calls = 0;
	let abandoned = 0;
	/** A call that settles before its own entry is over answers at once. */
	let entering = 0;
	let early: string | undefined;
	let enteredAt: NodeJS.CpuUsage | undefined;
	/** Its time ran out while it waited for a processor: it may be entered once more. */
	let excused = false;
	let triesLeft = 0;

	const wasStarved = (reason: string): boolean => {
		if (reason !== tooLong || !enteredAt || triesLeft < 1) return false;
		const {user, system} = process.threadCpuUsage(enteredAt);
		return (user + system) / 1_000 < limits.cpuMs / 2;
	};

	const lose = (reason: string): void => {
		group = undefined;
		abandoned = 0;
		excused = wasStarved(reason);
		const late = [...waiting.values()];
		waiting.clear();
		if (!excused) onLost(reason);
		for (const settled of late) queueMicrotask(() => settled(failed(reason)));
	};

	const onSettled = (_resident: number, id: number, answer: string): void => {
		if (id === entering) {
			early = answer;
			return;
		}
		const settled = waiting.get(id);
		waiting.delete(id);
		// We are called from inside the isolate: nothing may enter it before this entry is over.
		if (settled) queueMicrotask(() => settled(answer));
	};

	const open = (): Group => {
		const opened = openGroup([{name, code, setup, lender}], {
			scripts,
			memoryMb: limits.memoryMb,
			entryMs: limits.cpuMs,
			onSettled,
			onLost: ({cause}) => lose(reasonOf(cause)),
		});
		if ('failure' in opened.loaded[0]!) return opened;
		for (const [index, hook] of plans.entries()) {
			opened.plan(index, {
				hook: hook as Plan['hook'],
				everyone: true,
				members: [{guest: 0, positions: fields[hook]!.map((_, position) => position)}],
			});
		}
		return opened;
	};

	const openAgain = (): Group => {
		const opened = open();
		const [said] = opened.loaded;
		if (!said || !('failure' in said)) return opened;
		opened.dispose();
		throw new Error(said.failure);
	};

	const inside = (settled: (answer: string) => void, entry: (group: Group, id: number) => string, tries: number): string => {
		const id = ++calls;
		excused = false;
		triesLeft = tries - 1;
		try {
			group ??= openAgain();
			entering = id;
			early = undefined;
			enteredAt = process.threadCpuUsage();
			const answer = entry(group, id);
			if (answer !== 'P') return answer;
			if (early !== undefined) return early;
			waiting.set(id, settled);
			return 'P';
		} catch (error) {
			if (error instanceof IsolateLost && excused) return inside(settled, entry, tries - 1);
			if (error instanceof IsolateLost) return failed(reasonOf(error.cause));
			group = undefined;
			onLost('could not be opened again');
			return failed('could not be opened again');
		} finally {
			entering = 0;
			enteredAt = undefined;
		}
	};

	return {
		async load() {
			try {
				group ??= open();
				return group.loaded[0]!;
			} catch (error) {
				return {failure: error instanceof Error ? error.message : 'could not be opened'};
			}
		},
		enter(hook, values, settled) {
			const ask = (present: Group, id: number): string => {
				const answer = present.dispatch(id, plans.indexOf(hook), 0, 1, values);
				return answer === '' ? '' : answer.slice(answer.indexOf('\u0000') + 1);
			};
			return inside(settled, ask, mostTries);
		},
		act: (action, input, caller, settled) => inside(settled, (present, id) => present.act(0, id, action, input, caller), 1),
		abandoned() {
			if (++abandoned < mostAbandoned || !group) return;
			group.dispose();
			lose('left too many calls without an answer');
		},
	};
};
