/** Things that have begun and not ended, in no order. */
export type UnderWay<One> = Iterable<One> & {
	readonly size: number;
	/** To be added once. */
	add(one: One): void;
	/** Nothing happens where it is not there. */
	delete(one: One): void;
};

/**
 * What was taken out is held on to by nobody. A Set in its place grows and shrinks with each few of them, and each table that it leaves behind
 * points to the next: all that ever stood in them stayed until a major collection.
 */
export const openUnderWay = <One>(): UnderWay<One> => {
	const list: One[] = [];
	return {
		get size() {
			return list.length;
		},
		add: one => void list.push(one),
		delete(one) {
			const at = list.lastIndexOf(one);
			if (at < 0) return;
			const last = list.pop()!;
			if (at < list.length) list[at] = last;
		},
		[Symbol.iterator]: () => list.slice().values(),
	};
};
