import type {StoredRecord} from '../journal/journal.ts';
import type {Played} from './play.ts';
import type {Stage} from './stage.ts';

type Change = 'newly refused' | 'no longer refused' | 'rewritten';

/** One exchange that would have ended otherwise: nothing of what was said. */
export type Example = {
	exchange: string;
	at: string;
	change: Change;
	plugin?: string | undefined;
	rule?: string | undefined;
	code?: string | undefined;
	message?: string | undefined;
	model?: string | undefined;
	tool?: string | undefined;
	findings: string[];
};

type Found = {plugin: string; category: string; detector: string; channel: string; action: string; exchanges: number};

export type Report = {
	/** Those that were asked about. */
	exchanges: number;
	/** Of these, how many could only be asked about without what was said. */
	withoutWords: number;
	/** Left out: refused by others before, or not to be understood any more (a model that is gone). */
	leftOut: {refusedByOthers: number; notUnderstood: number};
	/** `notAsked`: of those refused before, whom nobody refuses now, since whoever did could not be asked. */
	refused: {before: number; now: number; newly: number; noLonger: number; notAsked: number};
	/** The plugins that read what was said, and so were asked about no exchange without it. */
	readers: string[];
	rewritten: number;
	/** By plugin: how many exchanges it could not answer. */
	failed: Record<string, number>;
	/** Exchanges in which something was found, the most common first. */
	findings: Found[];
	/** The first of each kind of change. */
	examples: Example[];
};

export type Tally = {
	leaveOut(why: keyof Report['leftOut']): void;
	add(record: StoredRecord, played: Played): void;
	report(): Report;
};

/** Counts what the plugins of a stage made of exchanges beside what became of these. */
export const openTally = ({names, readers}: Pick<Stage, 'names' | 'readers'>, mostExamples: number): Tally => {
	const leftOut = {refusedByOthers: 0, notUnderstood: 0};
	const refused = {before: 0, now: 0, newly: 0, noLonger: 0, notAsked: 0};
	const failed = new Map<string, number>();
	const findings = new Map<string, Found>();
	const examples = new Map<Change, Example[]>();
	let exchanges = 0;
	let withoutWords = 0;
	let rewritten = 0;

	const changeOf = (wasRefused: boolean, played: Played): Change | undefined => {
		if (played.refused && !wasRefused) return 'newly refused';
		if (!played.refused && wasRefused) return played.refuserUnasked ? undefined : 'no longer refused';
		return played.rewritten && !played.refused ? 'rewritten' : undefined;
	};

	const keep = (change: Change, {exchange = '', at, model, tool, error}: StoredRecord, played: Played): void => {
		const known = examples.get(change) ?? [];
		if (known.length >= mostExamples) return;
		const by = played.refused ?? (change === 'no longer refused' ? error : undefined);
		const found = played.findings.map(({plugin, category, detector}) => `${plugin}: ${category}/${detector}`);
		known.push({
			exchange,
			at,
			change,
			...(by && {plugin: by.plugin, rule: by.rule, code: by.code}),
			...(played.refused && {message: played.refused.message}),
			model,
			tool,
			findings: [...new Set(found)],
		});
		examples.set(change, known);
	};

	const note = (played: Played): void => {
		for (const plugin of new Set(played.failed)) failed.set(plugin, (failed.get(plugin) ?? 0) + 1);
		const seen = new Set<string>();
		for (const {plugin, category, detector, channel, action} of played.findings) {
			const name = JSON.stringify([plugin, category, detector, channel, action]);
			if (seen.has(name)) continue;
			seen.add(name);
			const known = findings.get(name) ?? {plugin, category, detector, channel, action, exchanges: 0};
			known.exchanges += 1;
			findings.set(name, known);
		}
	};

	return {
		leaveOut(why) {
			leftOut[why] += 1;
		},
		add(record, played) {
			const wasRefused = record.error?.plugin !== undefined && names.has(record.error.plugin);
			exchanges += 1;
			if (played.wordless) withoutWords += 1;
			if (wasRefused) refused.before += 1;
			if (played.refused) refused.now += 1;
			if (wasRefused && !played.refused && played.refuserUnasked) refused.notAsked += 1;
			const change = changeOf(wasRefused, played);
			if (change === 'newly refused') refused.newly += 1;
			if (change === 'no longer refused') refused.noLonger += 1;
			if (change === 'rewritten') rewritten += 1;
			if (change) keep(change, record, played);
			note(played);
		},
		report: () => ({
			exchanges,
			withoutWords,
			leftOut,
			refused,
			readers: [...readers.keys()],
			rewritten,
			failed: Object.fromEntries(failed),
			findings: [...findings.values()].sort((one, other) => other.exchanges - one.exchanges),
			examples: [...examples.values()].flat(),
		}),
	};
};
