import {leave, type Waiting} from '../upstream/reply.ts';
import type {StreamEnd} from './wire.ts';

type Options = {
	/** Opens the stream, and says when it stands; resolves when it ended, or with `missing`; rejects when it could not be opened, or is left. */
	open: (waiting: Waiting, stands: () => void) => Promise<StreamEnd>;
	now?: () => number;
};

/** A stream that is opened again whenever it ends, as long as it is wanted. */
export type Standing = {
	/** Resolves when it stands, or could not be opened. */
	want(): Promise<void>;
	leave(): void;
	close(): void;
};

const firstMs = 500;
const mostMs = 30_000;
/** One that lived so long was no failure. */
const steadyMs = 10_000;

/** Kept open while somebody wants it. A server that says it has no such stream is not asked again; one that fails is, after a while. */
export const openStanding = ({open, now = Date.now}: Options): Standing => {
	let wanted = 0;
	let running = false;
	let missing = false;
	let closed = false;
	let failures = 0;
	let timer: NodeJS.Timeout | undefined;
	let waiting: Waiting = {left: false};
	let settle = (): void => undefined;
	let settled = Promise.resolve();

	const again = (): void => {
		if (running || missing || closed || wanted === 0) return;
		running = true;
		clearTimeout(timer);
		const begun = now();
		waiting = {left: false};
		settled = new Promise(resolve => {
			settle = resolve;
		});
		open(waiting, settle)
			.then(
				end => {
					missing = end === 'missing';
					failures = end === 'forgotten' ? failures + 1 : 0;
				},
				() => {
					failures = now() - begun > steadyMs ? 1 : failures + 1;
				},
			)
			.finally(() => {
				running = false;
				settle();
				if (!closed && !missing && wanted > 0)
					timer = setTimeout(again, Math.min(mostMs, firstMs * 2 ** Math.max(0, failures - 1))).unref();
			});
	};

	return {
		want() {
			wanted += 1;
			again();
			return settled;
		},
		leave() {
			wanted -= 1;
			if (wanted > 0) return;
			clearTimeout(timer);
			leave(waiting);
		},
		close() {
			closed = true;
			clearTimeout(timer);
			leave(waiting);
		},
	};
};
