import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, renameSync, type Stats, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** A text, and the files it was made of, by their paths within a folder. */
export type Made = {text: string; files: readonly string[]};

type Kept = {text: string; digests: Record<string, string>};

/** A file that changed so shortly before it was read may have changed again since. */
const restMs = 1_000;

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Reads a file again only when it is not what it was. Throws when there is none. */
const openDigests = () => {
	const known = new Map<string, {seen: Stats; digest: string}>();
	return (path: string): {digest: string; changedAt: number} => {
		const seen = statSync(path);
		const last = known.get(path);
		const same = last && last.seen.mtimeMs === seen.mtimeMs && last.seen.size === seen.size && last.seen.ino === seen.ino;
		const digest = same ? last.digest : sha256(readFileSync(path));
		known.set(path, {seen, digest});
		return {digest, changedAt: seen.mtimeMs};
	};
};

/**
 * Texts made of files in `folder`, kept in `place` from one start to the next. A kept text is used again while each file that it was
 * made of is what it was, byte by byte. Where nothing can be written, nothing is kept.
 */
export const openKeptTexts = (folder: string, place: string) => {
	const digestOf = openDigests();

	const read = (path: string): string | undefined => {
		try {
			const {text, digests} = JSON.parse(readFileSync(path, 'utf8')) as Kept;
			return Object.entries(digests).every(([file, digest]) => digestOf(join(folder, file)).digest === digest) ? text : undefined;
		} catch {
			// Not made yet, cut off, or of a file that is gone: it is made, and whatever is wrong is said then.
			return undefined;
		}
	};
	const write = (path: string, {text, files}: Made, begunAt: number): void => {
		try {
			const known = files.map(file => ({file, ...digestOf(join(folder, file))}));
			if (known.some(({changedAt}) => changedAt > begunAt - restMs)) return;
			const digests = Object.fromEntries(known.map(({file, digest}) => [file, digest]));
			mkdirSync(place, {recursive: true});
			const own = `${path}.${process.pid}`;
			writeFileSync(own, JSON.stringify({text, digests} satisfies Kept));
			renameSync(own, path);
		} catch {
			// A place that we may not write to: it is made at each start.
		}
	};

	/** The text that is called `name`, which says all that `make` depends on beside the files. */
	return async (name: string, make: () => Promise<Made>): Promise<string> => {
		const path = join(place, `${sha256(name).slice(0, 32)}.json`);
		const known = read(path);
		if (known !== undefined) return known;
		const begunAt = Date.now();
		const made = await make();
		write(path, made, begunAt);
		return made.text;
	};
};
