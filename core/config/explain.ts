import * as z from 'zod';
import {fromEnv} from '../../schemas/from-env.ts';
import {hintFor, isSecret} from './hints.ts';
import {kinds} from './kinds.ts';
import {didYouMean} from './nearest.ts';
import type {Complaint, Path} from './problems.ts';

type Issue = z.core.$ZodIssue;

/** What stands at `path` in `value`; undefined when nothing does. */
export const valueAt = (value: unknown, path: Path): unknown =>
	path.reduce<unknown>(
		(here, step) => (typeof here === 'object' && here !== null && Object.hasOwn(here, step) ? Reflect.get(here, step) : undefined),
		value,
	);

const unwrapped = (schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined =>
	schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
		? unwrapped(schema.unwrap())
		: schema;

/** The keys that the object at `path` may have. */
const knownKeys = (schema: z.core.$ZodType, path: Path): string[] => {
	let options: (z.core.$ZodType | undefined)[] = [schema];
	for (const step of path) {
		options = options.flatMap((option): (z.core.$ZodType | undefined)[] => {
			const inner = unwrapped(option);
			if (inner instanceof z.ZodObject) return [inner.shape[String(step)]];
			if (inner instanceof z.ZodArray) return [inner.element];
			if (inner instanceof z.ZodRecord) return [inner.valueType];
			return inner instanceof z.ZodUnion ? inner.options.map(unwrapped) : [];
		});
	}
	return options.flatMap(option => {
		const inner = unwrapped(option);
		const objects = inner instanceof z.ZodUnion ? inner.options.map(unwrapped) : [inner];
		return objects.flatMap(object => (object instanceof z.ZodObject ? Object.keys(object.shape) : []));
	});
};

const kindOf = (value: unknown): string => {
	if (Array.isArray(value)) return 'a list';
	if (value === null) return 'null';
	if (typeof value === 'boolean') return String(value);
	return kinds[typeof value] ?? `a ${typeof value}`;
};

const shown = (value: unknown, path: Path): string => {
	if (isSecret(path) || (typeof value === 'object' && value !== null)) return kindOf(value);
	if (typeof value !== 'string') return String(value);
	return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
};

const quoted = (values: readonly unknown[]): string =>
	values.map(value => (typeof value === 'string' ? `'${value}'` : String(value))).join(' or ');

const wrongKind = (value: unknown, path: Path, expected: string): Complaint => {
	const key = String(path.at(-1) ?? 'this');
	const mend = hintFor(path) ?? `Write ${key}: with ${expected}.`;
	if (value === undefined) return {path, at: 'value', message: 'is missing', mend};
	if (fromEnv.safeParse(value).success) {
		const places = "only for the store, the sealingKey, a provider's key, a server's secrets and headers, and a plugin's grants.secrets";
		return {path, at: 'value', message: 'env() is not read here', mend: `It stands ${places}; write ${expected} here.`};
	}
	const received = typeof value === 'number' && expected === kinds.int ? String(value) : kindOf(value);
	return {path, at: 'value', message: `must be ${expected}, not ${received}`, mend};
};

/** An issue of zod's, said so that somebody can act on it. */
const explainIssue = (issue: Issue, raw: unknown, schema: z.core.$ZodType): Complaint[] => {
	const {path} = issue;
	const value = valueAt(raw, path);
	const wrong = (message: string, mend: string): Complaint[] => [{path, at: 'value', message, mend: hintFor(path) ?? mend}];

	switch (issue.code) {
		case 'unrecognized_keys': {
			const known = knownKeys(schema, path);
			const own = path[0] === 'plugins' && path.length === 2 ? "; a plugin's own settings stand in its config" : '';
			return issue.keys.map(key => ({
				path: [...path, key],
				at: 'key',
				message: 'unknown key',
				mend: didYouMean(key, known, `Known here: ${known.join(', ')}${own}.`),
			}));
		}
		case 'invalid_type':
			return [wrongKind(value, path, kinds[issue.expected] ?? issue.expected)];
		case 'invalid_value': {
			if (value === undefined) return wrong('is missing', `Write ${quoted(issue.values)}.`);
			if (issue.values.length === 1) return wrong(`${shown(value, path)} cannot stand here`, `Write ${quoted(issue.values)}.`);
			const names = issue.values.map(String);
			const message = `${shown(value, path)} is not one of ${names.join(', ')}`;
			const mend = didYouMean(String(value), names, hintFor(path) ?? `Write ${quoted(issue.values)}.`);
			return [{path, at: 'value', message, mend}];
		}
		case 'too_small':
			if (issue.origin === 'array') return wrong('is an empty list', 'Write at least one entry.');
			if (issue.origin === 'string') return wrong('is empty', 'Write something.');
			return wrong(`${shown(value, path)} is too small`, `Write ${issue.minimum} or more.`);
		case 'too_big':
			if (issue.origin === 'string') return wrong(`is too long`, `Write ${issue.maximum} characters or fewer.`);
			return wrong(`${shown(value, path)} is too large`, `Write ${issue.maximum} or less.`);
		case 'invalid_format': {
			const rule = issue.message.startsWith('Invalid ') ? '' : `: ${issue.message}`;
			const what = isSecret(path) ? 'this' : shown(value, path);
			return wrong(`${what} is not in the right form${rule}`, 'Write it in the form of the example in the shipped gateway.config.ts.');
		}
		case 'invalid_key': {
			const name = String(path.at(-1));
			const [rule] = issue.issues;
			const why = rule?.code === 'invalid_format' || rule?.code === 'custom' ? `: ${rule.message}` : '';
			return [{path, at: 'key', message: `${shown(name, [])} cannot be a name here${why}`, mend: betterName(name, path, rule)}];
		}
		case 'invalid_union': {
			// The branch that is of the right kind and fails further in says what is wrong; without one, no branch is of the right kind.
			const near = issue.errors.find(errors => !errors.some(error => error.code === 'invalid_type' && error.path.length === 0));
			if (near) return near.flatMap(inner => explainIssue({...inner, path: [...path, ...inner.path]} as Issue, raw, schema));
			const expected = issue.errors.flatMap(errors => errors.map(error => (error.code === 'invalid_type' ? error.expected : '')));
			const takesEnv = isSecret(path) && path[2] !== 'config';
			const choices = takesEnv ? "env('NAME')" : expected.map(kind => kinds[kind] ?? kind).join(' or ');
			return [wrongKind(value, path, choices)];
		}
		default:
			return wrong(issue.message, 'Look at the shipped gateway.config.ts.');
	}
};

const fits = (name: string, rule: Issue | undefined): boolean => {
	const [, pattern, flags] = /^\/(.*)\/(\w*)$/s.exec(rule?.code === 'invalid_format' ? (rule.pattern ?? '') : '') ?? [];
	return pattern === undefined || new RegExp(pattern, flags).test(name);
};

/** A name is proposed where it would be taken; no pattern is run that came from a plugin. */
const betterName = (name: string, path: Path, rule: Issue | undefined): string => {
	if (name === '') return 'Give it a name.';
	if (name.length > 200) return 'Give it a shorter name.';
	const plain = name
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^[^a-z]+|-$/g, '');
	return plain !== '' && path[0] !== 'plugins' && fits(plain, rule) ? `Rename it, to "${plain}" perhaps.` : 'Rename it.';
};

/** Everything `schema` has against `raw`, said so that somebody can act on it; values that may be secrets are not quoted. */
export const explain = (error: z.ZodError, raw: unknown, schema: z.core.$ZodType): Complaint[] =>
	error.issues.flatMap(issue => explainIssue(issue, raw, schema));
