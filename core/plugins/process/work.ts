import type {Admitted} from '../tier.ts';

/** How a call ended for whoever asked. */
export type Outcome =
	| {answers: string}
	/** `culprit`: the host fell while it worked on this call. `bystander`: on another, after it had begun this one. `untouched`: before. */
	| {lost: 'culprit' | 'bystander' | 'untouched'; reason: string; plugin?: string; step?: Step}
	| {late: true};

/** How far a careful ask had come: the place that was entered last, and all answers before it. */
export type Step = {next: number; answers: string};

export type Call = {
	id: number;
	deadlineAt: number;
	/** An action must not be done twice because its host was slow. */
	repeatable: boolean;
	step?: Step;
	/** Whether an answer is one at all; what is not ends the host. */
	accepts(answers: string): boolean;
	finish(outcome: Outcome): void;
};

/** Something the host was told to do and has not acknowledged. */
export type Work = {plugins: readonly Admitted[]; patienceMs: number; call?: Call};

/** Without progress for so many times its patience, a host that does not even work is stuck. */
const idleFactor = 5;

/** What a host was told, in the order it works it off, and for how long it has been at the first. */
export const openQueue = () => {
	const works: Work[] = [];
	let busyMs = 0;
	let waitedMs = 0;
	const progress = (): void => {
		busyMs = 0;
		waitedMs = 0;
	};
	return {
		works: works as readonly Work[],
		get head(): Work | undefined {
			return works[0];
		},
		/** How long it has worked on the first without progress. */
		get busyMs(): number {
			return busyMs;
		},
		get stuck(): boolean {
			const [head] = works;
			return head !== undefined && (busyMs > head.patienceMs || waitedMs > idleFactor * head.patienceMs);
		},
		push(work: Work): void {
			if (works.push(work) === 1) progress();
		},
		/** The first is done; undefined when there was none. */
		shift(): Work | undefined {
			progress();
			return works.shift();
		},
		progress,
		/** Time has gone by: so much of it the host had a processor for. */
		pass(ms: number, ofThatBusyMs: number): void {
			if (works.length === 0) return;
			waitedMs += ms;
			busyMs += Math.min(ms, Math.max(0, ofThatBusyMs));
		},
	};
};
