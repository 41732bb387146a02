/** Where in a JSON text a stream stands: within a string, behind a backslash there, and where a value may come. */
export type JsonPlace = {readonly inString: boolean; readonly escaped: boolean; readonly expects: boolean};

export const jsonStart: JsonPlace = {inString: false, escaped: false, expects: false};

/** What masking writes where a number stood: no JSON has it outside of a string. */
const written = /-?(?:\[[A-Z][A-Z_\d]*\]|\*{4}[\w.]*)/y;

/** Puts quotes around what masking wrote outside of the strings of a JSON text, so that JSON stays JSON. */
export const quoteMarks = (text: string, {inString, escaped, expects}: JsonPlace): {readonly out: string; readonly place: JsonPlace} => {
	let out = '';
	let done = 0;
	let within = inString;
	let behind = escaped;
	let awaits = expects;
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		if (behind) {
			behind = false;
			continue;
		}
		if (within) {
			behind = character === '\\';
			within = character !== '"';
			continue;
		}
		if (character === '"') within = true;
		written.lastIndex = at;
		const mark = awaits && '[*-'.includes(character) ? written.exec(text)?.[0] : undefined;
		if (!/\s/.test(character)) awaits = ':,['.includes(character) && mark === undefined;
		if (mark === undefined) continue;
		out += `${text.slice(done, at)}"${mark}"`;
		done = at + mark.length;
		at = done - 1;
	}
	return {out: out + text.slice(done), place: {inString: within, escaped: behind, expects: awaits}};
};

/** A text after masking: where it looks like JSON, what stands outside of its strings is quoted. */
export const inJson = (before: string, masked: string): string =>
	masked !== before && /^\s*[{[]/.test(before.slice(0, 50)) ? quoteMarks(masked, jsonStart).out : masked;
