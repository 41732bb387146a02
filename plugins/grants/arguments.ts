import type {Json} from '../../plugin-sdk/index.ts';
import {liesWithin} from './paths.ts';
import type {ArgumentRule} from './rules.ts';

const isObject = (value: Json | undefined): value is Record<string, Json> =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at a path of field names: each entry of a list is looked into. Undefined for each that is not there. */
export const valuesAt = (value: Json | undefined, [step, ...rest]: readonly string[]): (Json | undefined)[] => {
	if (Array.isArray(value)) return value.flatMap(entry => valuesAt(entry, step === undefined ? [] : [step, ...rest]));
	if (step === undefined) return [value];
	return valuesAt(isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined, rest);
};

const refusedValue = (value: Json | undefined, {within, oneOf, min, max, optional}: ArgumentRule): string | undefined => {
	if (value === undefined) return optional ? undefined : 'is missing';
	if (within && !(typeof value === 'string' && within.some(root => liesWithin(value, root)))) return 'is outside of what is granted';
	if (oneOf && !oneOf.some(allowed => allowed === value)) return 'is not one of those that are granted';
	if (min === undefined && max === undefined) return undefined;
	if (typeof value !== 'number') return 'is no number';
	if (max !== undefined && value > max) return 'is more than what is granted';
	return min !== undefined && value < min ? 'is less than what is granted' : undefined;
};

/** What is wrong with the argument at `path`, a name with dots into objects; undefined when the rule allows it. Never its value. */
export const refusedArgument = (given: Readonly<Record<string, Json>>, path: string, rule: ArgumentRule): string | undefined => {
	const values = valuesAt({...given}, path.split('.'));
	// An empty list says nothing of what the tool will take instead.
	if (values.length === 0) return rule.optional ? undefined : 'is missing';
	for (const value of values) {
		const why = refusedValue(value, rule);
		if (why !== undefined) return why;
	}
	return undefined;
};
