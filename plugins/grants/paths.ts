/** Characters that are not seen, and what a server may decode, once or again, into a dot, a separator or an end. `%c0` and `%c1` begin no UTF-8 but that of old decoders. */
const hidden = /[\u0000-\u001f\u007f]|%(?:25)*(?:2e|2f|5c|0[0-9a-f]|1[0-9a-f]|7f|c0|c1)/i;
/** Two at the beginning lead to another machine. */
const elsewhere = /^[\\/]{2}/;

/** Some servers take what stands behind a semicolon for a parameter of the step: `..;x`. */
const isUp = (step: string): boolean => step.split(';')[0]!.trim() === '..';

const separators = (path: string): number => path.replace(/[^\\/]/g, '').length;

/** Letters that a server may take for dots and separators: `．．／`. */
const isDisguised = (path: string): boolean => {
	const plain = path.normalize('NFKC');
	return plain !== path && (separators(plain) !== separators(path) || plain.split(/[\\/]/).some(isUp));
};

/** Whether a path or an address may lead somewhere else than its words say, whoever reads it. */
export const strays = (path: string): boolean => hidden.test(path) || isDisguised(path) || path.split(/[\\/]/).some(isUp);

/** The steps of a path without `.` and empty ones; undefined where it climbs, or hides what it says. */
const stepsOf = (path: string, isWindows: boolean): string[] | undefined => {
	if (path === '' || strays(path)) return undefined;
	const steps = path.split(isWindows ? /[\\/]/ : '/');
	// Windows drops them at the end of each name.
	if (isWindows && steps.some(step => step !== '.' && /[. ]$/.test(step))) return undefined;
	// The first is what stands before the root: empty, or a drive, or the scheme of an address.
	return steps.filter((step, index) => index === 0 || (step !== '' && step !== '.'));
};

/** Whether `path` is `root` or lies below it, by its words alone: no link and no working directory is looked at. */
export const liesWithin = (path: string, root: string): boolean => {
	const isWindows = root.includes('\\');
	// Where a backslash is part of a name, a path with one may be read as another path by somebody else.
	if (!isWindows && path.includes('\\')) return false;
	if (elsewhere.test(path) !== elsewhere.test(root)) return false;
	const [wanted, given] = [stepsOf(root, isWindows), stepsOf(path, isWindows)];
	if (!wanted || !given || given.length < wanted.length) return false;
	return wanted.every((step, index) => step === given[index]);
};

/** Whether a pattern, as far as it goes, stands for this resource of a server; `name` is `server/uri`. Below an address nothing is granted that may lead out of it again. */
export const fitsResource = (pattern: string, name: string): boolean => {
	if (!pattern.endsWith('*')) return pattern === name;
	const start = pattern.slice(0, -1);
	if (!name.startsWith(start)) return false;
	const slash = start.indexOf('/');
	const isWholeServer = slash < 0 || slash === start.length - 1;
	return isWholeServer || !(strays(name) || name.includes('\\'));
};
