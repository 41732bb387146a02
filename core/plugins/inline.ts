import {type ErrorCode, GatewayError} from '../errors.ts';
import {type Group, IsolateLost, openGroup, type Value} from '../sandbox/isolate.ts';
import type {WallScripts} from './bundle.ts';
import {openQuarantine} from './quarantine.ts';
import {setupOf} from './setup.ts';
import type {Admitted, Answer, Report, Run, Tier} from './tier.ts';
import {watch} from './watchdog.ts';

type Options = {scripts: WallScripts; report: Report; now?: () => number};

const failure = (message: string): string => `F${JSON.stringify({code: 'plugin_failed', message})}`;
const late = failure('did not answer in time');
const stopped = failure('was stopped, because it blew a limit');
const kept = failure('is quarantined, because it had to be stopped repeatedly');
/** Not an answer: the isolate fell with this call in it, for somebody else's fault. */
const interrupted = 'R';

const answersOf = (said: string): Answer[] => {
	if (said === '') return [];
	return said.split('\u0001').map(part => {
		const at = part.indexOf('\u0000');
		return {place: Number(part.slice(0, at)), kind: part[at + 1] as Answer['kind'], body: part.slice(at + 2)};
	});
};

const isPending = ({kind}: Answer): boolean => (kind as string) === 'P';

/** Plugins that are trusted by digest: one isolate in this process, a context each, one crossing per hook. */
export const openInlineTier = (plugins: readonly Admitted[], {scripts, report, now = Date.now}: Options): Tier => {
	const names = plugins.map(({name}) => name);
	const indexOf = new Map(names.map((name, index) => [name, index]));
	const quarantine = openQuarantine({report, now});
	const waiters = new Map<string, (answer: string) => void>();
	/** Answers of promises that settled before the entry that made them was over. */
	const early = new Map<string, string>();
	const planned = new Set<number>();
	let calls = 0;
	let entered = 0;

	const residents = plugins.map(plugin => ({name: plugin.name, code: plugin.code.toString(), setup: setupOf(plugin), lender: plugin.lender}));
	const limitMs = Math.max(100, ...plugins.map(({manifest}) => manifest.limits.cpuMs));
	const memoryMb = 64 + plugins.reduce((sum, {manifest}) => sum + manifest.limits.memoryMb, 0);

	const onSettled = (resident: number, id: number, answer: string): void => {
		const name = `${resident}:${id}`;
		const tell = waiters.get(name);
		if (tell) tell(answer);
		else if (id === entered) early.set(name, answer);
	};

	const open = (): {group: Group; guard: {stop(): void}} => {
		planned.clear();
		const group = openGroup(residents, {scripts, memoryMb, onSettled, onLost: ({culprit}) => replace(culprit)});
		return {group, guard: watch(group.isolate, group.beats, limitMs)};
	};
	let present = open();

	const replace = (culprit: number): void => {
		present.guard.stop();
		const fallen = [...waiters];
		present = open();
		if (names[culprit] !== undefined) quarantine.stopped(names[culprit], 'it blew a limit');
		for (const [name, tell] of fallen) tell(name.startsWith(`${culprit}:`) ? stopped : interrupted);
	};

	const settled = (resident: number, id: number): Promise<string> => {
		const name = `${resident}:${id}`;
		const answer = early.get(name);
		if (early.delete(name) && answer !== undefined) return Promise.resolve(answer);
		return new Promise(resolve => {
			const finish = (text: string) => {
				waiters.delete(name);
				clearTimeout(timer);
				resolve(text);
			};
			const timer = setTimeout(finish, plugins[resident]!.manifest.limits.timeoutMs, late);
			waiters.set(name, finish);
		});
	};

	/** One crossing. Where the isolate is lost, the member that was running failed. */
	const enter = (run: Run, from: number, to: number, values: readonly Value[]): {id: number; answers: Answer[]} => {
		const id = ++calls;
		entered = id;
		const {group} = present;
		try {
			if (!planned.has(run.id)) {
				const members = run.members.map(({name}, place) => ({guest: indexOf.get(name)!, positions: [...run.positions[place]!]}));
				group.plan(run.id, {hook: run.hook, members, everyone: run.everyone});
				planned.add(run.id);
			}
			return {id, answers: answersOf(group.dispatch(id, run.id, from, to, values))};
		} catch (error) {
			if (!(error instanceof IsolateLost)) throw error;
			const place = run.members.findIndex(({name}) => name === names[error.culprit]);
			return {id, answers: [{place: Math.max(place, from), kind: 'F', body: stopped.slice(1)}]};
		}
	};

	/** What a pending answer settles to; asked once more if a neighbour's fall interrupted it. */
	const answered = async (run: Run, id: number, {place}: Answer, values: readonly Value[], again = true): Promise<Answer[]> => {
		const text = await settled(indexOf.get(run.members[place]!.name)!, id);
		if (text !== interrupted) return text === '' ? [] : [{place, kind: text[0] as Answer['kind'], body: text.slice(1)}];
		if (!again) return [{place, kind: 'F', body: stopped.slice(1)}];
		const second = enter(run, place, place + 1, values);
		const answer = second.answers.find(found => found.place === place);
		if (!answer) return [];
		return isPending(answer) ? answered(run, second.id, answer, values, false) : [answer];
	};

	const firstKept = (run: Run, from: number): number => {
		const place = run.members.findIndex(({name}, index) => index >= from && quarantine.holds(name));
		return place < 0 ? run.members.length : place;
	};

	return {
		loaded: present.group.loaded,

		ask(run, from, values) {
			const to = quarantine.empty ? run.members.length : firstKept(run, from);
			const {id, answers} = enter(run, from, to, values);
			if (to < run.members.length && !answers.some(({kind}) => kind !== 'A')) answers.push({place: to, kind: 'F', body: kept.slice(1)});
			if (!answers.some(isPending)) return answers;
			return Promise.all(answers.map(answer => (isPending(answer) ? answered(run, id, answer, values) : [answer]))).then(all => all.flat());
		},

		async act(plugin, action, input, caller) {
			const resident = indexOf.get(plugin)!;
			const id = ++calls;
			entered = id;
			let text: string;
			try {
				text = present.group.act(resident, id, action, input, caller);
				if (text === 'P') text = await settled(resident, id);
			} catch (error) {
				if (!(error instanceof IsolateLost)) throw error;
				text = stopped;
			}
			if (text[0] === 'V') return text.slice(1);
			const {code, message} = JSON.parse((text === interrupted ? stopped : text).slice(1)) as {code: ErrorCode; message: string};
			throw new GatewayError(code, message, {plugin});
		},

		async close() {
			present.guard.stop();
			present.group.dispose();
		},
	};
};
