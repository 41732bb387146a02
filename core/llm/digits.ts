import {inBeyondWords} from './exact.ts';
import {type ExactNumber, isObject, type JsonObject} from './json.ts';
import {canonicalNumber} from './numbers.ts';

type Tree = JsonObject | unknown[];

/** Whole numbers as they were written, where a double would say other digits. */
export type Digits = {
	/** Notes what a tree was parsed from; it is read when a number asks for it. */
	from(tree: Tree, text: () => string): void;
	/** All digits of a whole number that stands in one of the trees. */
	of(value: number | ExactNumber, holder: Tree, place: string | number): string;
};

const written = (words: string): string | undefined => {
	const [, digits = '', power = ''] = /^(-?\d+)e(\d{1,2})$/.exec(canonicalNumber(words)) ?? [];
	return digits === '' ? undefined : digits + '0'.repeat(Number(power));
};

export const openDigits = (): Digits => {
	const unread: [tree: Tree, text: () => string][] = [];
	const known = new Map<object, Map<string, string>>();

	/** What is exact in a tree, by where it stands in the other. */
	const compare = (tree: unknown, exact: unknown): void => {
		const isList = Array.isArray(tree) && Array.isArray(exact);
		if (!isList && !(isObject(tree) && isObject(exact))) return;
		for (const [key, value] of Object.entries(exact)) {
			const here: unknown = isList ? tree[Number(key)] : Object.hasOwn(tree, key) ? (tree as JsonObject)[key] : undefined;
			if (!JSON.isRawJSON(value)) compare(here, value);
			else if (here === Number(value.rawJSON)) known.set(tree, (known.get(tree) ?? new Map<string, string>()).set(key, value.rawJSON));
		}
	};

	return {
		from: (tree, text) => void unread.push([tree, text]),
		of(value, holder, place) {
			if (typeof value !== 'number') return written(value.rawJSON) ?? String(Number(value.rawJSON));
			if (Number.isSafeInteger(value)) return String(value);
			for (const [tree, text] of unread.splice(0)) compare(tree, inBeyondWords(text()));
			const words = known.get(holder)?.get(String(place));
			return (words !== undefined && Number(words) === value ? written(words) : undefined) ?? String(value);
		},
	};
};
