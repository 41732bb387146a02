/** How far before a value its name may begin. */
export const lookBehind = 100;

const mostSpaces = 14;
const mostName = 60;

const wrapping = ' \t\r\n"\'`(<\\>';
const separating = '=:>|,?.+';

const back = (text: string, from: number, characters: string, most: number): number => {
	let at = from;
	while (at > 0 && from - at < most && characters.includes(text.charAt(at - 1))) at--;
	return at;
};

const isName = (code: number): boolean =>
	(code >= 0x61 && code <= 0x7a) ||
	(code >= 0x41 && code <= 0x5a) ||
	(code >= 0x30 && code <= 0x39) ||
	code === 0x5f ||
	code === 0x2d ||
	code === 0x2e;

const nameEndingAt = (before: string, end: number): string => {
	let start = end;
	while (start > 0 && end - start < mostName && isName(before.charCodeAt(start - 1))) start--;
	return before.slice(start, end);
};

/** `var name string = …`. */
const types = new Set(['string', 'String', 'str', 'char', 'text']);

const yaml = /name: {0,3}["']?(\w{3,60})["']?\s{0,12}(?:secret_)?value {0,3}[:=] {0,3}["'`]?$/;
const hcl = /name {0,3}= {0,3}"(\w{3,60})"\s{0,12}secret_value {0,3}= {0,3}"$/;

/**
 * The name of the value that begins where `before` ends: what stands before `=`, `:`, `=>`, `,` and their like, an opening tag, or
 * `is`. Of `name: X, value: …`, X.
 */
export const nameBefore = (before: string): string | undefined => {
	const quoted = back(before, before.length, wrapping, mostSpaces);
	const separated = back(before, quoted, separating, 4);
	if (separated === quoted) {
		// `<name>` and `password is …`; a name and a value with a space between them is a sentence.
		if (before.slice(quoted).includes('>')) return nameEndingAt(before, quoted);
		return before.slice(quoted - 3, quoted) === ' is' ? nameEndingAt(before, quoted - 3) : undefined;
	}
	const end = back(before, back(before, back(before, separated, ' \t', mostSpaces), '"\'`)]', 2), ' ', 1);
	const written = nameEndingAt(before, end);
	const name = types.has(written) ? nameEndingAt(before, end - written.length - 1) : written;
	return name === 'value' || name === 'secret_value' ? ((yaml.exec(before) ?? hcl.exec(before))?.[1] ?? name) : name;
};
