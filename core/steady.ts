import type {Answer} from './plugins/tier.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Step} from './steps.ts';

type Identified = {answers: readonly Answer[]; until: number};

/** Answers of `pre-auth` plugins whose manifest says `steady`, by the declared fields they were given. */
export type Steady = {
	known(step: Step, from: number, values: readonly Value[]): readonly Answer[] | undefined;
	/** Keeps one plugin's answer until `until`, in milliseconds since 1970; whoever passed before it was not steady, so it has to be the first. */
	keep(step: Step, from: number, values: readonly Value[], answers: readonly Answer[], until: number): void;
	/** The plugin's kv has changed. */
	forget(plugin: string): void;
};

const mostKept = 10_000;

/** No field of `pre-auth` can hold a control character. */
const nameOf = (values: readonly Value[]): string => values.map(value => (value === undefined ? '\u0001' : value)).join('\u0000');

const isSteady = ({run: {hook, members}}: Step, from: number): boolean => members[from]?.manifest.hooks[hook]?.steady === true;

export const openSteady = (now: () => number): Steady => {
	const kept = new Map<string, Map<string, Identified>>();
	return {
		known(step, from, values) {
			if (!isSteady(step, from)) return undefined;
			const found = kept.get(step.run.members[from]!.name)?.get(nameOf(values));
			return found && found.until > now() ? found.answers : undefined;
		},
		keep(step, from, values, answers, until) {
			if (answers.length !== 1 || answers[0]!.place !== from || !isSteady(step, from)) return;
			const {name} = step.run.members[from]!;
			let own = kept.get(name);
			if (!own || own.size >= mostKept) {
				own = new Map();
				kept.set(name, own);
			}
			own.set(nameOf(values), {answers, until});
		},
		forget: plugin => void kept.delete(plugin),
	};
};
