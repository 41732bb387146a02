/** What masking writes where a number stood: no JSON has it outside of a string. */
const written = /-?(?:\[[A-Z][A-Z_\d]*\]|\*{4}[\w.]*)/y;

/** Puts quotes around what masking wrote as a value of its own outside of the strings of a JSON text. */
const quoteMarks = (text: string): string => {
	let out = '';
	let done = 0;
	let inString = false;
	let escaped = false;
	let awaitsValue = false;
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		if (inString) {
			if (!escaped && character === '"') inString = false;
			escaped = !escaped && character === '\\';
			continue;
		}
		if (character === '"') inString = true;
		written.lastIndex = at;
		const mark: string | undefined = awaitsValue && '[*-'.includes(character) ? written.exec(text)?.[0] : undefined;
		if (!/\s/.test(character)) awaitsValue = ':,['.includes(character) && mark === undefined;
		if (mark === undefined) continue;
		out += `${text.slice(done, at)}"${mark}"`;
		done = at + mark.length;
		at = done - 1;
	}
	return out + text.slice(done);
};

/** A text after masking: where it looks like JSON, what stands for a number is a string, so that JSON stays JSON. */
export const inJson = (before: string, masked: string): string =>
	masked !== before && /^\s*[{[]/.test(before.slice(0, 50)) ? quoteMarks(masked) : masked;
