/** Numbers between 0 and 1 that are the same for the same seed. */
export const seeded = (seed: number): (() => number) => {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
};

export const pickBy = <T>(list: readonly T[], next: () => number): T => list[Math.floor(next() * list.length)]!;

/** Chooses one of what stands between ⟨ and ⟩, apart by |, and fills {name} from `banks`; a name keeps its value within one text. */
export const spin = (template: string, next: () => number, banks: Readonly<Record<string, readonly string[]>> = {}): string => {
	const fixed = new Map<string, string>();
	const choose = (text: string): string => {
		let spun = text;
		for (let open = spun.lastIndexOf('⟨'); open >= 0; open = spun.lastIndexOf('⟨')) {
			const close = spun.indexOf('⟩', open);
			spun = spun.slice(0, open) + pickBy(spun.slice(open + 1, close).split('|'), next) + spun.slice(close + 1);
		}
		return spun.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
			const bank = banks[name];
			if (bank === undefined) return whole;
			if (!fixed.has(name)) fixed.set(name, choose(pickBy(bank, next)));
			return fixed.get(name)!;
		});
	};
	return choose(template);
};

/** Some of a list, in its order or in another. */
export const someOf = <T>(list: readonly T[], count: number, next: () => number): T[] =>
	list
		.map(item => ({item, at: next()}))
		.sort((a, b) => a.at - b.at)
		.slice(0, count)
		.map(({item}) => item);
