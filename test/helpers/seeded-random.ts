/** The same numbers in [0, 1) for the same seed, everywhere (mulberry32). */
export const seededRandom = (seed: number) => {
	let state = seed >>> 0;
	const next = (): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
	const below = (limit: number): number => Math.floor(next() * limit);
	return {
		next,
		/** A whole number in [0, limit). */
		below,
		chance: (probability: number): boolean => next() < probability,
		pick: <T>(list: readonly T[]): T => list[below(list.length)]!,
	};
};

export type Random = ReturnType<typeof seededRandom>;
