/** How many single edits (insert, delete, replace, swap of neighbours) lead from `a` to `b`. */
const editDistance = (a: string, b: string): number => {
	let before: number[] = [];
	let last = Array.from({length: b.length + 1}, (_, column) => column);
	for (let row = 1; row <= a.length; row++) {
		const next = [row];
		for (let column = 1; column <= b.length; column++) {
			const same = a[row - 1] === b[column - 1];
			const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
			next[column] = Math.min(
				last[column]! + 1,
				next[column - 1]! + 1,
				last[column - 1]! + (same ? 0 : 1),
				swapped ? before[column - 2]! + 1 : Number.POSITIVE_INFINITY,
			);
		}
		before = last;
		last = next;
	}
	return last[b.length]!;
};

/** The one of `known` that `word` was most likely meant to be, or undefined when none is near. Upper and lower case count as the same. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
	const [best] = known
		.map(candidate => ({candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase())}))
		.sort((a, b) => a.distance - b.distance);
	return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length * 0.4)) ? best.candidate : undefined;
};

/** The mend for a word that should have been one of `known`. */
export const didYouMean = (word: string, known: readonly string[], otherwise: string): string => {
	const near = nearest(word, known);
	return near === undefined ? otherwise : `Did you mean "${near}"?`;
};
