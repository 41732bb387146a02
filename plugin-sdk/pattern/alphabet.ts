/** Characters that no step of an expression tells apart are one letter, a small number; 0 is where the text ends. */
export type Alphabet = {
	letterOf(codePoint: number): number;
	/** Whether a letter is one of those that an atom takes. */
	takes(atom: number, letter: number): boolean;
	/** Whether it is what `\w` takes: `\b` stands between one that is and one that is not. */
	isWord(letter: number): boolean;
};

export const end = 0;

const pageSize = 256;

/** V8 itself says what an atom takes, one character at a time: it cannot go back over one. */
export const alphabetOf = (atoms: readonly string[], ignoreCase: boolean): Alphabet => {
	const tests = [...atoms, '\\w'].map(atom => new RegExp(`^(?:${atom})$`, ignoreCase ? 'iu' : 'u'));
	const letters = new Map<string, number>();
	/** By letter: for each atom, and at last for `\w`, `1` where it takes it. */
	const taken: string[] = [''];
	const pages: Uint16Array[] = [];
	const beyond = new Map<number, number>();

	const find = (codePoint: number): number => {
		const character = String.fromCodePoint(codePoint);
		const by = tests.map(test => (test.test(character) ? '1' : '0')).join('');
		const known = letters.get(by);
		if (known !== undefined) return known;
		letters.set(by, taken.push(by) - 1);
		return taken.length - 1;
	};

	const letterBeyond = (codePoint: number): number => {
		const known = beyond.get(codePoint);
		if (known !== undefined) return known;
		if (beyond.size > 10_000) beyond.clear();
		const letter = find(codePoint);
		beyond.set(codePoint, letter);
		return letter;
	};

	return {
		letterOf(codePoint) {
			if (codePoint > 0xffff) return letterBeyond(codePoint);
			const index = codePoint >>> 8;
			pages[index] ??= new Uint16Array(pageSize);
			const page = pages[index];
			const at = codePoint & (pageSize - 1);
			const letter = page[at]!;
			if (letter !== 0) return letter;
			page[at] = find(codePoint);
			return page[at];
		},
		takes: (atom, letter) => taken[letter]![atom] === '1',
		isWord: letter => letter !== end && taken[letter]![atoms.length] === '1',
	};
};
