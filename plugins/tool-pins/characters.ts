/** What is not seen where text is shown: tags, zero width, direction, fillers, variation selectors in a row or behind Latin letters. */
const invisible =
	/\u034f|\u17b4|\u17b5|\u180b|\u180c|\u180d|\u180e|\u180f|[\u00ad\u061c\u115f\u1160\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|(?<![\u0370-\u1fff\u2070-\u{10ffff}])[\u200c\u200d]|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]|(?<=[ -~\u00c0-\u024f])[\ufe00-\ufe0e]/gu;

/** What a terminal obeys (ANSI begins with one of them), but for tabs and ends of lines. */
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** What pushes the rest of a text out of sight. */
const padding = /[^\S\n]{80}|(?:[^\S\n]*\n){12}/;

/** Letters, digits, signs and blanks of ASCII: there is nothing in it that is not seen, and nothing that reads like another. */
export const isPlain = (text: string): boolean => /^[\t\n\r -~]*$/.test(text);

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

export const invisibleIn = (text: string): number => (isPlain(text) ? 0 : countOf(text, invisible));
export const controlsIn = (text: string): number => (isPlain(text) ? 0 : countOf(text, controls));
export const isPadded = (text: string): boolean => padding.test(text);

const named = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** The same text with what cannot be seen, or is obeyed, written out. */
export const visible = (text: string): string => (isPlain(text) ? text : text.replace(invisible, named).replace(controls, named));

/** What a terminal takes for a command, from its beginning to its end (ECMA-48). */
const commands =
	/(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]/g;

/** The same text without them, and without the commands of terminals. */
export const visibleOnly = (text: string): string =>
	isPlain(text) ? text : text.replace(commands, '').replace(controls, '').replace(invisible, '');

/** Letters of other scripts that read like these. */
const alike: Readonly<Record<string, string>> = {
	...{
		а: 'a',
		е: 'e',
		о: 'o',
		р: 'p',
		с: 'c',
		у: 'y',
		х: 'x',
		і: 'i',
		ј: 'j',
		ѕ: 's',
		һ: 'h',
		ԁ: 'd',
		ԛ: 'q',
		ԝ: 'w',
		к: 'k',
		м: 'm',
		т: 't',
	},
	...{α: 'a', ο: 'o', ρ: 'p', ν: 'v', ι: 'i', κ: 'k', τ: 't', ε: 'e', υ: 'u', χ: 'x', ı: 'i', ɡ: 'g', ɑ: 'a'},
};

/** Signs that stand for whole sentences: normalising would make a text of them eighteen times as long. */
const words = /[\ufdf0-\ufdff]/g;

const folded = (text: string): string =>
	text.replace(invisible, '').replace(controls, ' ').replace(words, ' ').normalize('NFKC').toLowerCase().replace(/\s+/g, ' ');

/** As a reader takes it: without what is not seen, in small letters, compatibility forms as their plain ones, and blanks as one. */
export const plain = (text: string): string => (isPlain(text) ? text.toLowerCase().replace(/\s+/g, ' ') : folded(text));

/** Words of `plain` text in which letters of several scripts are mixed, in Latin ones alone. */
export const latin = (text: string): string => text.replace(/[\u0131-\u052f]/g, letter => alike[letter] ?? letter);
