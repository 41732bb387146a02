import {GatewayError} from '../errors.ts';

type Options<Write> = {
	/** All of them in one transaction. */
	commit: (group: readonly Write[]) => Promise<void>;
	/** Whether one write is to blame, so that the others can be done without it. */
	blames: (error: unknown) => boolean;
	unavailable: (error: unknown) => GatewayError;
};

type Waiting<Write> = {write: Write; done: () => void; failed: (error: GatewayError) => void};

/**
 * One transaction at a time, in the order asked for. Writes that wait while one runs share the next; each is all or nothing
 * all the same. Every failure is `store_unavailable`.
 */
export const openLine = <Write>({commit, blames, unavailable}: Options<Write>) => {
	let waiting: Waiting<Write>[] = [];
	let tail: Promise<unknown> = Promise.resolve();
	let closed: Promise<void> | undefined;

	const queue = <T>(work: () => Promise<T>): Promise<T> => {
		const turn = tail.then(work).catch(error => {
			throw unavailable(error);
		});
		tail = turn.catch(() => undefined);
		return turn;
	};

	const alone = ({write, done, failed}: Waiting<Write>): Promise<void> => commit([write]).then(done, error => failed(unavailable(error)));

	const writeAll = async (): Promise<void> => {
		const group = waiting;
		waiting = [];
		try {
			await commit(group.map(({write}) => write));
			for (const {done} of group) done();
		} catch (error) {
			if (group.length === 1 || !blames(error)) {
				for (const {failed} of group) failed(unavailable(error));
				return;
			}
			// One of them is to blame; on its own, each gets its own answer.
			for (const one of group) await alone(one);
		}
	};

	const refusal = () => new GatewayError('store_unavailable', 'The store is closed.');

	return {
		/** In a turn of its own. */
		turn: async <T>(work: () => Promise<T>): Promise<T> => {
			if (closed) throw refusal();
			return queue(work);
		},
		/** Together with the other writes that wait. */
		write: (write: Write): Promise<void> =>
			new Promise((done, failed) => {
				if (closed) return failed(refusal());
				waiting.push({write, done, failed});
				if (waiting.length === 1) void queue(writeAll);
			}),
		/** What is asked from now on is refused; `last` comes after all that was asked before. */
		close: (last: () => Promise<void>): Promise<void> => {
			closed ??= queue(last);
			return closed;
		},
	};
};
