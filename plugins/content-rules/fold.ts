/** Letters of other scripts, and signs, that read like these. */
const alike: Readonly<Record<string, string>> = {
	...{а: 'a', в: 'b', с: 'c', ԁ: 'd', е: 'e', һ: 'h', і: 'i', ј: 'j', к: 'k', ӏ: 'l', м: 'm', н: 'h', о: 'o', р: 'p', ԛ: 'q', ѕ: 's'},
	...{т: 't', у: 'y', ѵ: 'v', ԝ: 'w', х: 'x', г: 'r', п: 'n'},
	...{α: 'a', β: 'b', ε: 'e', η: 'n', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x', γ: 'y', ω: 'w', ζ: 'z', μ: 'm'},
	...{
		ı: 'i',
		ɡ: 'g',
		ɑ: 'a',
		ɩ: 'i',
		ʀ: 'r',
		ʟ: 'l',
		ɴ: 'n',
		ᴀ: 'a',
		ᴇ: 'e',
		ᴏ: 'o',
		ø: 'o',
		ł: 'l',
		đ: 'd',
		ħ: 'h',
		ŧ: 't',
		ß: 'ss',
		æ: 'ae',
		œ: 'oe',
	},
	...{օ: 'o', ս: 'u', ո: 'n', հ: 'h', ց: 'g', զ: 'q', ա: 'w', '’': "'", '‘': "'"},
};

/** What is not seen, and marks above and below letters: a word with and without them is the same. */
const dropped = /^(?:\p{M}|\p{Cf}|[\u115f\u1160\u3164\uffa0])$/u;
const space = /^[\s\p{Z}\p{Pd}_\p{Cc}]$/u;

const made = (character: string): string => {
	if (dropped.test(character)) return '';
	if (space.test(character)) return ' ';
	let out = '';
	for (const part of character.normalize('NFKD').toLowerCase().normalize('NFKD')) {
		if (!dropped.test(part)) out += space.test(part) ? ' ' : (alike[part] ?? part);
	}
	// One sign stands for a sentence of eighteen letters; nobody writes a phrase with it.
	return out.length > 4 ? ' ' : out;
};

/** As many characters as a text may use are remembered, in two halves. */
const mostKnown = 20_000;

/** What each character is compared as: small letters without accents, look-alikes as Latin ones, blanks and dashes as a space, nothing for what is not seen. */
export const openFolding = () => {
	const plain: string[] = Array.from({length: 128}, (_, code) => made(String.fromCharCode(code)));
	const known = new Map<number, string>();
	return (codePoint: number): string => {
		if (codePoint < 128) return plain[codePoint]!;
		const folded = known.get(codePoint);
		if (folded !== undefined) return folded;
		if (known.size >= mostKnown) known.clear();
		const now = made(String.fromCodePoint(codePoint));
		known.set(codePoint, now);
		return now;
	};
};

export type Folding = ReturnType<typeof openFolding>;

/** A phrase as texts are compared with it: folded, blanks in a row as one, none at its ends. */
export const foldPhrase = (fold: Folding, phrase: string): string =>
	Array.from(phrase, character => fold(character.codePointAt(0)!))
		.join('')
		.replace(/ +/g, ' ')
		.trim();
