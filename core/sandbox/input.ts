import {create, defineProperty, indexOf, objectPrototype, parse, slice} from './intrinsics.ts';
import type {Prototypes} from './unread.ts';

export type Value = string | number | boolean | undefined;
/** A declared path, and how it crosses: see `Crossing` in schemas/hooks.ts. */
export type Field = {path: string[]; crossing: 'plain' | 'json' | 'text'};

/** `count,length,length…\n` and then all parts in one string: cutting it up copies no characters. */
const partsOf = (packed: string): string[] => {
	const parts: string[] = [];
	const end = indexOf(packed, '\n', 0);
	// Apart, or the search for the last comma would go through all of the text.
	const lengths = slice(packed, 0, end);
	let at = end + 1;
	for (let from = 0; from < end; ) {
		const comma = indexOf(lengths, ',', from);
		const to = comma < 0 ? end : comma;
		const length = +slice(lengths, from, to);
		parts[parts.length] = slice(packed, at, at + length);
		at += length;
		from = to + 1;
	}
	return parts;
};

const unpacked = (field: Field, value: Value): unknown => {
	if (typeof value !== 'string' || field.crossing === 'plain') return value;
	return field.crossing === 'text' ? partsOf(value) : parse(value);
};

/** {principal: {accounts}} out of the declared paths and their values, in the plugin's own realm. */
export const inputOf = (fields: Field[], values: Value[], {input: prototype, parts}: Prototypes): Record<string, unknown> => {
	const input: Record<string, unknown> = create(prototype);
	for (let index = 0; index < fields.length; index++) {
		const field = fields[index]!;
		const value = unpacked(field, values[index]);
		const first = field.path[0]!;
		const second = field.path[1];
		if (second === undefined || second === '*') {
			input[first] = value;
			continue;
		}
		const part = parts[first];
		input[first] ??= create(part?.prototype ?? objectPrototype);
		// An assignment would ask the prototype first.
		if (part?.open) defineProperty(input[first], second, {value, writable: true, enumerable: true, configurable: true});
		else (input[first] as Record<string, unknown>)[second] = value;
	}
	return input;
};
