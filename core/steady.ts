import type {Answer} from './plugins/tier.ts';
import type {Value} from './sandbox/isolate.ts';
import type {Step} from './steps.ts';

type Identified = {answers: readonly Answer[]; until: number};

/** Where the answer to one question is looked up and kept. */
export type Place = {
	/** What was answered before, while it holds. */
	known(): readonly Answer[] | undefined;
	/** Until `until`, in milliseconds since 1970; kept for nobody when the plugin's kv has changed since it was asked. */
	keep(answers: readonly Answer[], until: number): void;
};

/** Answers of `pre-auth` plugins whose manifest says `steady`, by the declared fields they were given. */
export type Steady = {
	/** Undefined where the first to be asked is not steady: what those behind it say depends on it too. */
	place(step: Step, from: number, values: readonly Value[]): Place | undefined;
	/** The plugin's kv has changed. */
	forget(plugin: string): void;
};

const mostKept = 10_000;

/** No field of `pre-auth` can hold a control character. */
const nameOf = (values: readonly Value[]): string => values.map(value => (value === undefined ? '\u0001' : value)).join('\u0000');

export const openSteady = (now: () => number): Steady => {
	const kept = new Map<string, Map<string, Identified>>();
	const ofPlugin = (plugin: string): Map<string, Identified> => {
		const own = kept.get(plugin) ?? new Map<string, Identified>();
		kept.set(plugin, own);
		return own;
	};
	return {
		place({run: {hook, members}}, from, values) {
			const plugin = members[from];
			if (plugin?.manifest.hooks[hook]?.steady !== true) return undefined;
			// What is forgotten while it is being asked is forgotten with this map.
			const own = ofPlugin(plugin.name);
			const name = nameOf(values);
			return {
				known() {
					const found = own.get(name);
					return found && found.until > now() ? found.answers : undefined;
				},
				keep(answers, until) {
					if (answers.length !== 1 || answers[0]!.place !== from) return;
					if (own.size >= mostKept) own.clear();
					own.set(name, {answers, until});
				},
			};
		},
		forget: plugin => void kept.delete(plugin),
	};
};
