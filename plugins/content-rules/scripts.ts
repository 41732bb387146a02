import type {Hit, Scanner} from './hits.ts';

/** Whether a script is one that Unicode knows: `Latin`, `Cyrillic`, `Han`. */
export const isScript = (name: string): boolean => {
	if (!/^[A-Z][A-Za-z_]{2,40}$/.test(name)) return false;
	try {
		return new RegExp(`\\p{Script=${name}}`, 'u') !== undefined;
	} catch (error) {
		if (error instanceof SyntaxError) return false;
		throw error;
	}
};

/** Runs longer than this are several. */
const longestRun = 500;

/** Finds letters of scripts that are not `allowed`; marks, digits, signs and pictures belong to all. Letters with blanks between them are one run. */
export const openScripts = (allowed: readonly string[], rule: number): Scanner => {
	const ours = ['Common', 'Inherited', ...allowed].map(name => `\\p{Script_Extensions=${name}}`).join('');
	const foreign = new RegExp(`(?=\\p{L})[^${ours}]`, 'u');
	const run = new RegExp(`(?=\\p{L})[^${ours}](?:[^${ours}]|\\p{M}| (?=[^${ours}])){0,${longestRun}}`, 'gu');
	return (text, from, final) => {
		const found: Hit[] = [];
		run.lastIndex = from;
		let open = text.length;
		for (let match = run.exec(text); match; match = run.exec(text)) {
			const end = match.index + match[0].length;
			if (!final && end >= text.length - 1 && match[0].length < longestRun) {
				open = match.index;
				break;
			}
			if (foreign.test(match[0])) found.push({start: match.index, end, rule});
		}
		return {found, open};
	};
};
