import type {Value} from '../../sandbox/isolate.ts';
import type {RunBody} from './frames.ts';
import {failed, type Home} from './home.ts';

export type Resident = {home: Home; timeoutMs: number};

type Asked = {
	run: RunBody;
	/** The place after the last that is asked. */
	to: number;
	residents: ReadonlyMap<string, Resident>;
	values: Value[];
	/** Called after each member with all answers up to it, where the gateway wants to know how far it came. */
	onStep?: (next: number, answers: string) => void;
	/** All answers, later than `askMembers` came back. */
	onLate: (answers: string) => void;
};

const place = (at: number, answer: string): string => `${at}\u0000${answer}`;

const joined = (answers: readonly string[]): string => answers.filter(answer => answer !== '').join('\u0001');

/**
 * Asks the members of a run from `from` on: all answers, as `place NUL answer` joined by SOH, or undefined when `onLate` gets
 * them. A waterfall ends with the first answer that is not A; where everyone is asked, nobody waits for anybody.
 */
export const askMembers = (from: number, {run, to, residents, values, onStep, onLate}: Asked): string | undefined => {
	const answers: string[] = [];
	let pending = 0;
	let walking = true;

	const take = (at: number, answer: string): void => {
		if (answer === '') return;
		// Only a broken guest could write what would read as somebody else's answer.
		answers[at] = place(at, answer.includes('\u0001') || answer.includes('\u0000') ? failed('answered with garbage') : answer);
	};
	const ends = (at: number): boolean =>
		!run.everyone && answers[at] !== undefined && answers[at]![answers[at]!.indexOf('\u0000') + 1] !== 'A';

	const enter = (at: number): 'P' | undefined => {
		const {plugin, positions} = run.members[at]!;
		const {home, timeoutMs} = residents.get(plugin)!;
		let timer: NodeJS.Timeout | undefined;
		let over = false;
		const settled = (answer: string): void => {
			if (over) return;
			over = true;
			clearTimeout(timer);
			take(at, answer);
			pending--;
			if (!run.everyone && !ends(at)) walk(at + 1);
			if (pending === 0 && !walking) onLate(joined(answers));
		};
		const answer = home.enter(
			run.hook,
			positions.map(position => values[position]),
			settled,
		);
		if (answer !== 'P') {
			over = true;
			take(at, answer);
			return undefined;
		}
		pending++;
		timer = setTimeout(() => {
			home.abandoned();
			settled(failed('did not answer within limits.timeoutMs'));
		}, timeoutMs);
		return 'P';
	};

	const walk = (start: number): void => {
		walking = true;
		for (let at = start; at < to; at++) {
			onStep?.(at, joined(answers));
			const waits = enter(at) === 'P';
			if (!run.everyone && (waits || ends(at))) break;
		}
		walking = false;
	};

	walk(from);
	return pending === 0 ? joined(answers) : undefined;
};
