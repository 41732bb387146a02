import {businessKinds} from './business.ts';
import {cloudKinds} from './clouds.ts';
import {codeKinds} from './code.ts';
import {modelKinds} from './models.ts';
import type {Row} from './row.ts';

export const kinds: readonly Row[] = [...modelKinds, ...codeKinds, ...cloudKinds, ...businessKinds];

/** Where the kinds stand that begin with these two characters; both are ASCII. */
const bucketOf = (first: number, second: number): number => (first << 7) | second;

const build = (): ReadonlyArray<readonly Row[] | undefined> => {
	const buckets: Row[][] = [];
	for (const row of kinds) {
		const bucket = bucketOf(row[1].charCodeAt(0), row[1].charCodeAt(1));
		buckets[bucket] ??= [];
		buckets[bucket].push(row);
	}
	for (const rows of buckets) rows?.sort(([, one], [, other]) => other.length - one.length);
	// Without holes, so that a look-up stays one read.
	return Array.from({length: 1 << 14}, (_, bucket) => buckets[bucket]);
};

const buckets = build();

/** The kinds that may begin with these two characters, longest prefix first. */
export const kindsAt = (first: number, second: number): readonly Row[] | undefined =>
	first < 128 && second < 128 ? buckets[bucketOf(first, second)] : undefined;
