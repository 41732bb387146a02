/** All phrases at once, as Aho and Corasick have it (1975): each character of a text is looked at once, however many phrases there are. */
export type Automaton = {
	/** The node after a character; 0 where no phrase goes on. */
	next(node: number, unit: number): number;
	/** How many characters the node stands for. */
	depth(node: number): number;
	/** The node of the longest shorter ending that a phrase begins with. */
	shorter(node: number): number;
	/** The phrases that end here, by their index in the list. */
	ending(node: number): readonly number[];
};

const nobody: readonly number[] = [];

export const automatonOf = (phrases: readonly string[]): Automaton => {
	/** Characters that stand in phrases, numbered from 1. */
	const letters = new Uint16Array(0x10000);
	let width = 1;
	for (const phrase of phrases)
		for (let at = 0; at < phrase.length; at++) {
			const unit = phrase.charCodeAt(at);
			if (letters[unit] === 0) letters[unit] = width++;
		}
	const edges = new Map<number, number>();
	const depths: number[] = [0];
	const ends: number[][] = [[]];
	/** The edge that each node came by, from which node. */
	const parents: number[] = [0];
	const units: number[] = [0];

	for (const [index, phrase] of phrases.entries()) {
		let node = 0;
		for (let at = 0; at < phrase.length; at++) {
			const letter = letters[phrase.charCodeAt(at)]!;
			const key = node * width + letter;
			let to = edges.get(key);
			if (to === undefined) {
				to = depths.length;
				edges.set(key, to);
				depths.push(at + 1);
				ends.push([]);
				parents.push(node);
				units.push(letter);
			}
			node = to;
		}
		ends[node]!.push(index);
	}

	const failures = new Int32Array(depths.length);
	const step = (from: number, letter: number): number => {
		for (let node = from; ; node = failures[node]!) {
			const to = edges.get(node * width + letter);
			if (to !== undefined) return to;
			if (node === 0) return 0;
		}
	};
	// Shorter ones first: a node's failure is shorter than itself.
	const order = Array.from(depths.keys()).sort((one, other) => depths[one]! - depths[other]!);
	for (const node of order) {
		if (depths[node]! > 1) failures[node] = step(failures[parents[node]!]!, units[node]!);
		const inherited = ends[failures[node]!]!;
		if (node !== 0 && inherited.length > 0) ends[node] = [...ends[node]!, ...inherited];
	}

	return {
		next(node, unit) {
			const letter = letters[unit]!;
			return letter === 0 ? 0 : step(node, letter);
		},
		depth: node => depths[node]!,
		shorter: node => failures[node]!,
		ending: node => ends[node] ?? nobody,
	};
};
