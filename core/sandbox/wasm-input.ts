import type {Crossing} from '../../schemas/hooks.ts';
import type {Value} from './isolate.ts';

export type Field = {path: [first: string, second?: string]; crossing: Crossing};

const partsOf = (packed: string): string[] => {
	const start = packed.indexOf('\n');
	const parts: string[] = [];
	let at = start + 1;
	for (const length of packed.slice(0, start).split(',')) {
		if (length === '') continue;
		const end = at + Number(length);
		parts.push(packed.slice(at, end));
		at = end;
	}
	return parts;
};

const json = ({crossing}: Field, value: string | number | boolean): string => {
	if (typeof value !== 'string' || crossing === 'plain') return JSON.stringify(value);
	return crossing === 'json' ? value : JSON.stringify(partsOf(value));
};

const object = (entries: Iterable<[string, string]>): string =>
	`{${[...entries].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;

/** What the declared fields are as one JSON object, `{"principal":{"id":…},"text":[…]}`; what has no value is left out. */
export const inputOf = (fields: readonly Field[], values: readonly Value[]): string => {
	const outer = new Map<string, string>();
	const inner = new Map<string, [string, string][]>();
	for (const [index, field] of fields.entries()) {
		const value = values[index];
		if (value === undefined) continue;
		const [first, second] = field.path;
		if (second === undefined || second === '*') outer.set(first, json(field, value));
		else inner.set(first, [...(inner.get(first) ?? []), [second, json(field, value)]]);
	}
	// Whoever reads all of it has its parts, too.
	for (const [name, entries] of inner) if (!outer.has(name)) outer.set(name, object(entries));
	return object(outer);
};
