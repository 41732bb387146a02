import * as z from 'zod';
import {type Pattern, patternOrIssue} from '../../plugin-sdk/pattern.ts';
import {type Custom, createWordList, longestCustom} from './custom.ts';
import type {DetectorType} from './detectors.ts';
import {type Family, families, familyNames, familyOf, isDetectorType, kinds, usualFamilies} from './kinds.ts';
import {addressFinders, personFinders} from './people.ts';
import {type Placeholders, placeholdersOf} from './vault.ts';

const family = z.enum(familyNames);
const mode = z.enum(['redact', 'mask', 'pseudonym', 'deny']);

export type Mode = z.output<typeof mode>;

/** The config, as the handlers use it. */
export type Settings = {
	types: readonly DetectorType[];
	ids: ReadonlySet<string>;
	custom: readonly Custom[];
	request: boolean;
	response: boolean;
	reversible: boolean;
	/** Some kind has the mode `pseudonym`. */
	pseudonyms: boolean;
	modeOf: (type: string) => Mode;
	/** Whether a value is one that may be seen. */
	allowed: (value: string) => boolean;
	placeholdersIn: Placeholders;
};

const phrase = z.string().min(2).max(longestCustom);

const entity = z
	.strictObject({
		/** What the record and the placeholder call it: `project-name` becomes `[PROJECT_NAME]`. */
		name: z
			.string()
			.max(30)
			.regex(/^[a-z]+(?:-[a-z]+)*$/),
		/** Regular expressions that are matched in linear time; matches of more than 128 characters are not found. */
		patterns: z.array(z.string().min(1).max(500)).max(50).default([]),
		/** Words and phrases, found as whole words, capitals or not. */
		words: z.array(phrase).max(10_000).default([]),
		/** Whether the patterns tell capitals from small letters. */
		matchCase: z.boolean().default(true),
		mode: mode.default('redact'),
	})
	.refine(({patterns, words}) => patterns.length + words.length > 0, {error: 'name patterns or words to look for'});

const typeOf = (name: string): string => name.toUpperCase().replaceAll('-', '_');

const taken = new Set<string>(kinds);

const matchesWhole = (pattern: Pattern, value: string): boolean =>
	pattern.scan(value).found.some(({start, end}) => start === 0 && end === value.length);

export const config = z
	.strictObject({
		mask: z
			.array(family)
			.min(1)
			.default([...usualFamilies]),
		in: z
			.array(z.enum(['request', 'response']))
			.min(1)
			.default(['request', 'response']),
		/** The provider gets `[EMAIL_1]`, and the client the real value where the model says `[EMAIL_1]`. */
		reversible: z.boolean().default(false),
		/** `redact`, the default, says what stood there; `mask` keeps the last four characters; `pseudonym` makes another value of it; `deny` refuses. */
		modes: z.partialRecord(family, mode).default({}),
		/** What else is looked for. */
		custom: z.array(entity).max(50).default([]),
		/** Values that may be seen, however they are spelled in capitals: an address of your own support. */
		allow: z.array(z.string().min(1).max(250)).max(1_000).default([]),
		/** Regular expressions for values that may be seen: they must match the whole value. */
		allowPatterns: z.array(z.string().min(1).max(500)).max(100).default([]),
	})
	.transform((given, context): Settings => {
		const chosen = given.mask.flatMap(name => families[name]);
		const byFamily: Partial<Record<Family, Mode>> = given.modes;
		const open = new Set(given.allow.map(value => value.toLowerCase()));
		const compiled = (path: PropertyKey[], sources: readonly string[], ignoreCase: boolean): Pattern[] =>
			sources.flatMap((source, index) => patternOrIssue(context, [...path, index], source, {ignoreCase, window: longestCustom * 2}) ?? []);
		const custom = given.custom.map(({name, patterns, words, matchCase}, index): Custom => {
			if (taken.has(typeOf(name)))
				context.addIssue({code: 'custom', path: ['custom', index, 'name'], message: 'a kind of this plugin has this name'});
			return {
				type: typeOf(name),
				finders: [...compiled(['custom', index, 'patterns'], patterns, !matchCase), ...(words.length === 0 ? [] : [createWordList(words)])],
			};
		});
		if (given.mask.includes('name')) custom.push({type: 'PERSON', finders: personFinders()});
		if (given.mask.includes('address')) custom.push({type: 'ADDRESS', finders: addressFinders()});
		const own = new Map(given.custom.map(({name, mode: own}) => [typeOf(name), own]));
		const openPatterns = compiled(['allowPatterns'], given.allowPatterns, true);
		const modeOf = (type: string): Mode => own.get(type) ?? byFamily[familyOf.get(type)!] ?? 'redact';
		return {
			types: chosen.filter(isDetectorType),
			ids: new Set(chosen.filter(kind => !isDetectorType(kind))),
			custom,
			request: given.in.includes('request'),
			response: given.in.includes('response'),
			reversible: given.reversible,
			pseudonyms: [...chosen, ...own.keys()].some(type => modeOf(type) === 'pseudonym'),
			modeOf,
			allowed: value => open.has(value.toLowerCase()) || openPatterns.some(pattern => matchesWhole(pattern, value)),
			placeholdersIn: placeholdersOf([...kinds, ...own.keys()]),
		};
	});
