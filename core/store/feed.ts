import {randomBytes} from 'node:crypto';
import type {Change} from './store.ts';

/** A change as the log keeps it: `seq` grows in the order of commits; `writer` and `ref` tell a writer its own. */
export type LogRow = {seq: number; writer: string; ref: number; body: string};

/** What was read of the log, and up to which `seq` it had been pruned by then. */
export type Reading = {rows: readonly LogRow[]; prunedTo: number};

export type Entry = Omit<LogRow, 'seq'>;

type Listener = (change: Change) => void;

/**
 * Turns readings of the log, whichever connection made them and however they overlap, into one sequence of changes. A reading
 * must reach from `last()`, as it was when the reading began, up to some `seq` without a hole.
 */
export const openFeed = (lastSeq: number) => {
	// Of this opening alone: a process that was restarted is not told its former life's writes as its own.
	const writer = randomBytes(9).toString('base64url');
	const pending = new Map<number, Change>();
	const listeners = new Set<Listener>();
	let last = lastSeq;
	let refs = 0;

	const tell = (change: Change): void => {
		for (const listener of listeners) listener(change);
	};

	return {
		last: () => last,
		heard: () => listeners.size > 0,
		/** The line that a write of `change` is to put into the log. */
		enter: (change: Change): Entry => {
			const ref = ++refs;
			pending.set(ref, change);
			return {writer, ref, body: JSON.stringify(change)};
		},
		/** That write has ended, well or not. If it was durable after all, its change is told from the log. */
		leave: ({ref}: Entry): void => void pending.delete(ref),
		take: ({rows, prunedTo}: Reading): void => {
			if (prunedTo > last) {
				last = prunedTo;
				tell({kind: 'anew'});
			}
			for (const {seq, ref, body, ...row} of rows) {
				if (seq <= last) continue;
				last = seq;
				const isOwn = row.writer === writer;
				const change = (isOwn && pending.get(ref)) || (JSON.parse(body) as Change);
				if (!(isOwn && change.kind === 'recall')) tell(change);
			}
		},
		onChange: (listener: Listener): (() => void) => {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
	};
};

export type Feed = ReturnType<typeof openFeed>;
