import {catalogue, type ErrorCode, GatewayError} from '../errors.ts';
import {type Group, IsolateLost, type Value} from '../sandbox/isolate.ts';
import type {WallScripts} from './bundle.ts';
import {type Home, openHome} from './inline-home.ts';
import {openQuarantine} from './quarantine.ts';
import type {Admitted, Answer, Report, Run, Tier} from './tier.ts';

type Options = {scripts: WallScripts; report: Report; now?: () => number};

const failure = (message: string): string => `F${JSON.stringify({code: 'plugin_failed', message})}`;
const late = failure('did not answer in time');
const stopped = failure('was stopped, because it blew a limit');
const kept = failure('is quarantined, because it had to be stopped repeatedly');
const fallen = failure("was interrupted too often by its neighbours' falls");
const nowhere = failure('has no isolate to run in for the moment');

/** A neighbour that falls three times is kept out: so it takes several of them to use these up. */
const mostTries = 6;

const answersOf = (said: string): Answer[] => {
	if (said === '') return [];
	return said.split('\u0001').map(part => {
		const at = part.indexOf('\u0000');
		return {place: Number(part.slice(0, at)), kind: part[at + 1] as Answer['kind'], body: part.slice(at + 2)};
	});
};

const isPending = ({kind}: Answer): boolean => (kind as string) === 'P';
const answerOf = (place: number, text: string): Answer[] =>
	text === '' ? [] : [{place, kind: text[0] as Answer['kind'], body: text.slice(1)}];

type Crossed = {id: number; answers: Answer[]; lost?: undefined} | {lost: IsolateLost};

/** Plugins that are trusted by digest: one isolate in this process, a context each, one crossing per hook. */
export const openInlineTier = (plugins: readonly Admitted[], {scripts, report, now = Date.now}: Options): Tier => {
	const names = plugins.map(({name}) => name);
	const indexOf = new Map(names.map((name, index) => [name, index]));
	const quarantine = openQuarantine({report, now});
	const home = openHome(plugins, {scripts, report, quarantine, now});
	const planned = new WeakMap<Group, Set<number>>();

	const planIn = (group: Group, run: Run): void => {
		const known = planned.get(group) ?? new Set();
		planned.set(group, known);
		if (known.has(run.id)) return;
		const members = run.members.map(({name}, place) => ({guest: indexOf.get(name)!, positions: [...run.positions[place]!]}));
		group.plan(run.id, {hook: run.hook, members, everyone: run.everyone});
		known.add(run.id);
	};

	const cross = (run: Run, from: number, to: number, values: readonly Value[]): Crossed => {
		const id = home.number();
		const {group} = home;
		if (!group) return {id, answers: [{place: from, kind: 'F', body: nowhere.slice(1)}]};
		try {
			planIn(group, run);
			return {id, answers: answersOf(group.dispatch(id, run.id, from, to, values))};
		} catch (error) {
			if (!(error instanceof IsolateLost)) throw error;
			return {lost: error};
		}
	};

	const hookEnding = ({members}: Run, place: number, id: number): ReturnType<Home['ending']> => {
		const {name, manifest} = members[place]!;
		return home.ending(indexOf.get(name)!, id, manifest.limits.timeoutMs);
	};

	/** One member in a crossing of its own: what it says, in the end. */
	const alone = async (run: Run, place: number, values: readonly Value[]): Promise<string> => {
		const {name} = run.members[place]!;
		for (let tries = 0; tries < mostTries; tries++) {
			if (quarantine.holds(name)) return kept;
			home.weigh();
			const crossed = cross(run, place, place + 1, values);
			if (crossed.lost) {
				if (home.isProven(crossed.lost)) return stopped;
				continue;
			}
			const [answer] = crossed.answers;
			if (!answer) return '';
			if (!isPending(answer)) return `${answer.kind}${answer.body}`;
			const ended = await hookEnding(run, place, crossed.id);
			if (ended === undefined) return late;
			if (ended === 'struck') return stopped;
			if (ended !== 'interrupted') return ended;
		}
		return fallen;
	};

	const settled = async (run: Run, {place}: Answer, id: number, values: readonly Value[]): Promise<Answer[]> => {
		const ended = await hookEnding(run, place, id);
		if (ended === undefined) return answerOf(place, late);
		if (ended === 'struck') return answerOf(place, stopped);
		return answerOf(place, ended === 'interrupted' ? await alone(run, place, values) : ended);
	};

	/**
	 * The long way: some member is kept out, may fall, or answers later. What the members before a fall had said is lost with
	 * the isolate, and an effect of theirs may be what a budget stands on, so all are asked again.
	 */
	const patiently = async (run: Run, from: number, values: readonly Value[], first?: Crossed): Promise<Answer[]> => {
		const {members, everyone} = run;
		const said: (Answer[] | Promise<Answer[]>)[] = [];
		let place = from;
		let falls = 0;
		let crossed = first;
		while (place < members.length) {
			const at = place;
			if (!crossed && quarantine.holds(members[at]!.name)) {
				said.push(answerOf(at, kept));
				place++;
				if (everyone) continue;
				break;
			}
			if (!crossed && home.wary) {
				const telling = alone(run, at, values).then(text => answerOf(at, text));
				said.push(telling);
				place++;
				if (everyone) continue;
				const [end] = await telling;
				if (!end || end.kind === 'A') continue;
				break;
			}
			const to = crossed ? members.length : nextOut(run, at);
			const {lost, ...told} = crossed ?? cross(run, at, to, values);
			crossed = undefined;
			if (lost) {
				if (++falls <= mostTries) continue;
				said.push(answerOf(at, fallen));
				break;
			}
			const {answers, id} = told as {answers: Answer[]; id: number};
			place = to;
			for (const answer of answers) said.push(isPending(answer) ? settled(run, answer, id, values) : [answer]);
			if (everyone) continue;
			const last = answers.at(-1);
			if (!last || last.kind === 'A') continue;
			const [end] = await said.at(-1)!;
			if (end && end.kind !== 'A') break;
			place = last.place + 1;
		}
		return (await Promise.all(said)).flat();
	};

	/** The first place after `from` that is not to be entered. */
	const nextOut = ({members}: Run, from: number): number => {
		const found = members.findIndex(({name}, index) => index > from && quarantine.holds(name));
		return found < 0 ? members.length : found;
	};

	const actText = async (resident: number, action: string, input: string, caller: string): Promise<string> => {
		if (quarantine.holds(names[resident]!)) return kept;
		const id = home.number();
		const {group} = home;
		if (!group) return nowhere;
		try {
			const text = group.act(resident, id, action, input, caller);
			if (text !== 'P') return text;
		} catch (error) {
			if (!(error instanceof IsolateLost)) throw error;
			return stopped;
		}
		const ended = await home.ending(resident, id, plugins[resident]!.manifest.limits.actionMs);
		if (ended === undefined) return late;
		// What an action has done before it fell is not known, so it is not begun again.
		if (ended === 'interrupted') return failure('was interrupted; look what it has done before you try again');
		return ended === 'struck' ? stopped : ended;
	};

	return {
		loaded: home.loaded,

		ask(run, from, values) {
			if (!quarantine.empty || home.wary) return patiently(run, from, values);
			const crossed = cross(run, from, run.members.length, values);
			if (crossed.lost || crossed.answers.some(isPending)) return patiently(run, from, values, crossed);
			return crossed.answers;
		},

		async act(plugin, action, input, caller) {
			const text = await actText(indexOf.get(plugin)!, action, input, caller);
			if (text[0] === 'V') return text.slice(1);
			const {code, message} = JSON.parse(text.slice(1)) as {code: string; message: string};
			throw new GatewayError(Object.hasOwn(catalogue, code) ? (code as ErrorCode) : 'plugin_failed', message, {plugin});
		},

		async close() {
			home.close();
		},
	};
};
