/** One piece of work after another: what an action has read is still so when it writes. */
export const openTurns = () => {
	let last: Promise<unknown> = Promise.resolve();
	return <T>(work: () => Promise<T>): Promise<T> => {
		const next = last.then(work, work);
		last = next;
		return next;
	};
};
