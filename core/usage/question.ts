import * as z from 'zod';
import {type Dimension, type Series, traits, type UsageQuery} from '../store/usage.ts';
import {clockOf, type Granularity, granularities, momentOf, monthBefore, type Period, periodsOf, stretches, wrong} from './periods.ts';

/** What an exchange may have several of: it counts for each. */
const abouts = ['tag', 'verdict', 'unit'] as const;
/** What usage can be told apart by. */
export const facets = [...traits, ...abouts] as const;
export type Facet = (typeof facets)[number];

const isAbout = (facet: Facet): facet is (typeof abouts)[number] => (abouts as readonly Facet[]).includes(facet);
const dimensionOf = (facet: Facet): Dimension => (isAbout(facet) ? 'value' : facet);

const word = z.string().max(700);
const oneOf = z.array(word).min(1).max(50);
const within = oneOf.refine(names => names.every(name => name === '' || name.includes('/')), 'write it with its tenant: acme/search');

const wanted = {
	from: word.optional(),
	to: word.optional(),
	by: word
		.transform(text => text.split(',').map(name => name.trim()))
		.pipe(
			z
				.array(z.enum(facets))
				.max(6)
				.refine(names => new Set(names).size === names.length, 'each one once'),
		)
		.default([]),
	granularity: z.enum(granularities).default('day'),
	timeZone: z.string().min(1).max(60).default('UTC'),
	limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
	cursor: z.string().max(20_000).optional(),
	format: z.enum(['json', 'csv']).optional(),
};

/** What only rows with one of these values count for. */
const filters = {
	tenant: oneOf.optional(),
	team: within.optional(),
	user: within.optional(),
	key: oneOf.optional(),
	model: oneOf.optional(),
	provider: oneOf.optional(),
	deployment: oneOf.optional(),
	operation: oneOf.optional(),
	outcome: z.array(z.enum(['ok', 'failed', 'aborted', 'denied'])).optional(),
	code: oneOf.optional(),
	plugin: oneOf.optional(),
	server: oneOf.optional(),
	tool: oneOf.optional(),
	tag: oneOf.optional(),
	verdict: oneOf.optional(),
	unit: oneOf.optional(),
} satisfies Record<Facet, z.ZodType>;

/** The parameters of `GET /admin/usage`. */
export const usageParams = z.strictObject({...wanted, ...filters}).superRefine(({by, ...said}, issues) => {
	const named = abouts.filter(about => by.includes(about) || said[about] !== undefined);
	if (named.length > 1) issues.addIssue({code: 'custom', path: [named[1]!], message: `it cannot be asked for together with ${named[0]}`});
});

/** Those of whoever asks about its own usage. */
export const ownParams = z.strictObject({
	...wanted,
	by: wanted.by
		.unwrap()
		.pipe(z.array(z.enum(['model', 'server', 'tool', 'operation', 'outcome', 'code', 'tag'])))
		.default([]),
});

/** Until the year 3000: calendars are not asked beyond it. */
const moment = z.int().min(0).max(32_503_680_000_000);
const place = z.strictObject({f: moment, t: moment, p: z.int().min(0), v: z.array(z.string()).max(6)});

/** Where a page ended. */
export type Cursor = {from: number; to: number; period: number; values: readonly string[]};

export const written = ({from, to, period, values}: Cursor): string =>
	Buffer.from(JSON.stringify({f: from, t: to, p: period, v: values})).toString('base64url');

const read = (text: string): Cursor | undefined => {
	try {
		const {f, t, p, v} = place.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
		return {from: f, to: t, period: p, values: v};
	} catch {
		// Whoever made it up is told by who asked.
		return undefined;
	}
};

/** A question that can be answered: nothing in it is open any more. */
export type Question = {
	from: number;
	to: number;
	granularity: Granularity;
	timeZone: string;
	by: readonly Facet[];
	where: {readonly [Name in Facet]?: readonly string[]};
	periods: readonly Period[];
	limit: number;
	after?: {period: number; values: readonly string[]};
};

type Said = Omit<z.output<typeof usageParams>, Facet | 'format'> & {[Name in Facet]?: readonly string[] | undefined};

/** What was asked for, by default of the present month there. Throws `invalid_request`. */
export const questionOf = ({from, to, by, granularity, timeZone, limit, cursor, ...where}: Said, now: number): Question => {
	clockOf(timeZone);
	const after = cursor === undefined ? undefined : read(cursor);
	if (cursor !== undefined && after?.values.length !== by.length)
		throw wrong('cursor', 'it is the `next` of a page of the same question, or is left out.');
	const end = after?.to ?? (to === undefined ? now : momentOf('to', to, timeZone));
	const start = after?.from ?? (from === undefined ? monthBefore(end, timeZone) : momentOf('from', from, timeZone));
	return {
		from: start,
		to: end,
		granularity,
		timeZone,
		by,
		where,
		periods: periodsOf(start, end, granularity, timeZone),
		limit,
		...(after && {after: {period: after.period, values: after.values}}),
	};
};

/** The rows that answer a question: of the shortest series that tell apart what it does. */
export const queryOf = ({by, where, periods, limit, after}: Question): UsageQuery => {
	const named = [...by, ...facets.filter(facet => where[facet] !== undefined)];
	const kind = named.find(isAbout) ?? 'all';
	const detail = named.includes('user') || named.includes('key') ? 'key' : 'team';
	return {
		spans: periods.flatMap((one, period) =>
			stretches(one).map(({grain, ...stretch}) => ({period, series: `${grain}/${kind}/${detail}` satisfies Series, ...stretch})),
		),
		by: by.map(dimensionOf),
		where: Object.fromEntries(facets.flatMap(facet => (where[facet] ? [[dimensionOf(facet), where[facet]]] : []))),
		limit,
		...(after && {after}),
	};
};
