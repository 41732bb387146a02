/** What masking writes where a number stood: no JSON has it outside of a string. */
const written = /-?(?:\[[A-Z][A-Z_\d]*\]|\*{4}[\w.]*)/y;

const object = /\{\s*"/y;

/** Puts quotes around what masking wrote as a value of its own outside of the strings of JSON, be it `all` of the text or objects in it. */
const quoteMarks = (text: string, all: boolean): string => {
	let out = '';
	let done = 0;
	let depth = 0;
	let inString = false;
	let escaped = false;
	let awaitsValue = false;
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		object.lastIndex = at;
		if (!all && depth === 0 && (character !== '{' || !object.test(text))) continue;
		if (inString) {
			if (!escaped && character === '"') inString = false;
			escaped = !escaped && character === '\\';
			continue;
		}
		if (character === '"') inString = true;
		written.lastIndex = at;
		const mark: string | undefined = awaitsValue && '[*-'.includes(character) ? written.exec(text)?.[0] : undefined;
		if (!/\s/.test(character)) awaitsValue = ':,['.includes(character) && mark === undefined;
		if (mark === undefined) {
			if ('{['.includes(character)) depth++;
			else if ('}]'.includes(character)) depth--;
			continue;
		}
		out += `${text.slice(done, at)}"${mark}"`;
		done = at + mark.length;
		at = done - 1;
	}
	return out + text.slice(done);
};

/** A text after masking: where it looks like JSON, and in objects within it, what stands for a number is a string, so that JSON stays JSON. */
export const inJson = (before: string, masked: string): string =>
	masked === before ? masked : quoteMarks(masked, /^\s*[{[]/.test(before.slice(0, 50)));
