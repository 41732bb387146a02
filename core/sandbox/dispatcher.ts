import type {Guest} from './guest.ts';

/**
 * Runs in a context of its own, beside the plugins' contexts in one isolate: one crossing asks every plugin of a run.
 * A plugin's context is only ever handed strings, numbers and booleans, so contexts share no objects.
 *
 * The answer to `dispatch` is '' or, for every member that answered, its place in the run and its answer, as
 * `place NUL answer` joined by SOH: JSON holds neither character.
 */
type Member = {guest: number; positions: number[]};
type Plan = {hook: string; members: Member[]; everyone: boolean};
type Value = string | number | boolean | undefined;
type Entrances = Pick<Guest, 'enter' | 'act' | 'resume'> & {mostChars: number};

const garbage = 'F{"code":"plugin_failed","message":"answered with garbage"}';
// Whatever was thrown belongs to the plugin's realm: it is not looked at.
const thrown = 'F{"code":"plugin_failed","message":"threw across the wall"}';
const nobody = -1;

/** Puts strings together that crossed in pieces: see `pieces.ts`. */
const assemble = (values: Value[], fields: number): void => {
	for (let index = 0; index < fields; index++) {
		const value = values[index];
		if (typeof value !== 'string' || value.charCodeAt(0) !== 2) continue;
		const comma = value.indexOf(',');
		let at = Number(value.slice(1, comma));
		const end = at + Number(value.slice(comma + 1));
		let whole = '';
		while (at < end) whole += values[at++] as string;
		values[index] = whole;
	}
};

/**
 * `beats`: [0] odd while inside, and another even number for each plugin that is entered; [1] who runs, or -1; [2] to [5] what
 * `dispatch` is to do, which would cost more as arguments.
 */
export const dispatcher = (beats: Int32Array) => {
	const guests: Entrances[] = [];
	const plans: Plan[] = [];
	let last = {id: 0, answer: ''};

	const begins = (guest: number): void => {
		beats[0] = beats[0]! + 2;
		beats[1] = guest;
	};
	const whole = (answer: unknown, {mostChars}: Entrances): string =>
		typeof answer === 'string' && answer.length <= mostChars ? answer : garbage;

	const ask = (id: number, hook: string, {guest, positions}: Member, values: Value[]): string => {
		begins(guest);
		try {
			const entrances = guests[guest]!;
			const {enter} = entrances;
			// What most plugins read, without an array for each.
			switch (positions.length) {
				case 1:
					return whole(enter(id, hook, values[positions[0]!]), entrances);
				case 2:
					return whole(enter(id, hook, values[positions[0]!], values[positions[1]!]), entrances);
				case 3:
					return whole(enter(id, hook, values[positions[0]!], values[positions[1]!], values[positions[2]!]), entrances);
			}
			const own: Value[] = [];
			for (let index = 0; index < positions.length; index++) own.push(values[positions[index]!]);
			return whole(enter(id, hook, ...own), entrances);
		} catch {
			return thrown;
		}
	};

	return {
		add(guest: number, mostChars: number, enter: Guest['enter'], act: Guest['act'], resume: Guest['resume']): void {
			guests[guest] = {mostChars, enter, act, resume};
		},
		plan(index: number, json: string): void {
			plans[index] = JSON.parse(json) as Plan;
		},
		/**
		 * Asks the members of a plan from one place up to another, or to the first that does not simply let pass (all, where
		 * `everyone`). The first of the values are fields; behind them stand pieces of long ones.
		 */
		dispatch(id: number, ...values: Value[]): string {
			const plan = beats[2]!;
			const from = beats[3]!;
			const to = beats[4]!;
			const fields = beats[5]!;
			if (values.length > fields) assemble(values, fields);
			const {hook, members, everyone} = plans[plan]!;
			let answers = '';
			let place = from;
			while (place < to) {
				const answer = ask(id, hook, members[place]!, values);
				place++;
				if (answer === '') continue;
				answers += `${answers === '' ? '' : '\u0001'}${place - 1}\u0000${answer}`;
				if (answer[0] !== 'A' && !everyone) break;
			}
			// What runs from here on are promises: of whom, nobody can tell, unless only one was asked.
			if (place - from > 1) begins(nobody);
			last = {id, answer: answers};
			return answers;
		},
		act(guest: number, id: number, name: string, input: string, caller: string): string {
			begins(guest);
			let answer: string;
			try {
				answer = whole(guests[guest]!.act(id, name, input, caller), guests[guest]!);
			} catch {
				answer = thrown;
			}
			last = {id, answer};
			return answer;
		},
		resume(guest: number, promise: number, json: string): void {
			begins(guest);
			try {
				guests[guest]!.resume(promise, json);
			} catch {
				// As above; what was waiting stays unanswered, and the host's clock ends it.
			}
		},
		/** The answer once more, where a promise that a plugin left rejected was thrown in its place. */
		again(id: number): string | undefined {
			return last.id === id ? last.answer : undefined;
		},
	};
};

export type Dispatcher = ReturnType<typeof dispatcher>;
