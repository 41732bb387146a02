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

export const dispatcher = (beats: Int32Array) => {
	const guests: Pick<Guest, 'enter'>['enter'][] = [];
	const plans: Plan[] = [];

	const ask = (id: number, hook: string, {guest, positions}: Member, values: Value[]): string => {
		const own: Value[] = [];
		for (let index = 0; index < positions.length; index++) own.push(values[positions[index]!]);
		beats[1] = guest;
		try {
			const answer = guests[guest]!(id, hook, ...own);
			return typeof answer === 'string' ? answer : 'F{"code":"plugin_failed","message":"answered with garbage"}';
		} catch {
			// Whatever was thrown belongs to the plugin's realm: it is not looked at.
			return 'F{"code":"plugin_failed","message":"threw across the wall"}';
		}
	};

	return {
		add(index: number, enter: Guest['enter']): void {
			guests[index] = enter;
		},
		plan(index: number, json: string): void {
			plans[index] = JSON.parse(json) as Plan;
		},
		/** Asks the members from `from` up to `to`, or to the first that does not simply let pass (all, where `everyone`). */
		dispatch(id: number, plan: number, from: number, to: number, ...values: Value[]): string {
			const {hook, members, everyone} = plans[plan]!;
			let answers = '';
			for (let place = from; place < to; place++) {
				const answer = ask(id, hook, members[place]!, values);
				if (answer === '') continue;
				answers += `${answers === '' ? '' : '\u0001'}${place}\u0000${answer}`;
				if (answer[0] !== 'A' && !everyone) break;
			}
			return answers;
		},
	};
};

export type Dispatcher = ReturnType<typeof dispatcher>;
