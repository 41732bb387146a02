/** Something wrong in the config, and how to mend it. `line` and `column` count from 1; they are missing when there is no file to point into. */
export type Problem = {
	file: string;
	line?: number;
	column?: number;
	/** Where in the config: `plugins[2].mode`; empty for the file as a whole. */
	path: string;
	message: string;
	mend: string;
};

export type Path = readonly PropertyKey[];

/** A problem before its line is known. `at`: is it the key itself that is wrong, or what stands behind it? */
export type Complaint = {path: Path; at: 'key' | 'value'; message: string; mend: string};

/** Something wrong with a value. */
export const complain = (path: Path, message: string, mend: string): Complaint => ({path, at: 'value', message, mend});

/** Each name with its place, where one name or a list may stand. */
export const placedNames = (names: string | string[] | undefined, path: Path): {name: string; at: Path}[] =>
	Array.isArray(names) ? names.map((name, index) => ({name, at: [...path, index]})) : names === undefined ? [] : [{name: names, at: path}];

/** `['models', 'gpt-4.1', 0]` as it would be written in code: `models["gpt-4.1"][0]`. */
export const writePath = (path: Path): string =>
	path
		.map(step => {
			if (typeof step === 'number') return `[${step}]`;
			return /^[A-Za-z_$][\w$]*$/.test(String(step)) ? `.${String(step)}` : `[${JSON.stringify(String(step))}]`;
		})
		.join('')
		.replace(/^\./, '');

/** One line: `gateway.config.ts:12:3  plugins[2].mode: "enforced" is not one of enforce, observe. Did you mean "enforce"?` */
export const printProblem = ({file, line, column, path, message, mend}: Problem): string => {
	const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
	return `${place}  ${path === '' ? '' : `${path}: `}${message}. ${mend}`;
};

/** Everything that keeps a config from being used, in the order of the file; its message is one line for each. It never quotes a secret. */
export class ConfigError extends Error {
	readonly problems: readonly Problem[];

	constructor(problems: readonly Problem[]) {
		super(problems.map(printProblem).join('\n'));
		this.name = 'ConfigError';
		this.problems = problems;
	}
}
