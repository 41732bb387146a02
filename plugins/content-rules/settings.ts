import * as z from 'zod';
import type {Channel} from '../../plugin-sdk/index.ts';
import {patternOrIssue} from '../../plugin-sdk/pattern.ts';
import type {Scanner} from './hits.ts';
import {type Check, compileSchema, SchemaRefused} from './json-schema.ts';
import {type LinkRules, openLinks} from './links.ts';
import {openPhrases, type Phrase} from './phrases.ts';
import {isScript, openScripts} from './scripts.ts';
import {plainHostOf} from './targets.ts';

/** Which way a text goes, and what it is. */
export const places = ['request', 'answer', 'tool-arguments', 'tool-results', 'tool-descriptions'] as const;
export type Place = (typeof places)[number];

const action = z.enum(['flag', 'mask', 'strip', 'deny', 'taint']);
export type Action = z.output<typeof action>;

/** As findings name things. */
const name = z
	.string()
	.max(40)
	.regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, 'a name is lower-case letters and digits, with dashes between them')
	.refine(text => text.replace(/\D/g, '').length <= 6, 'a name has at most six digits');

const channel = z.enum(['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments']);
const everywhere: Place[] = ['request', 'answer', 'tool-arguments', 'tool-results'];

/** What all rules have. */
const common = (where: Place[], category: string, usual: Action) => ({
	action: action.default(usual),
	on: z.array(z.enum(places)).min(1).default(where),
	/** Only texts that came from there. */
	channels: z.array(channel).min(1).optional(),
	category: name.default(category),
	severity: z.enum(['low', 'medium', 'high', 'critical']).default('medium'),
});

const phrase = z.string().trim().min(1).max(200);
const hosts = z
	.array(z.string().regex(/^(?:\*\.)?[^\s/:@*\\?#]+$/, 'a host is docs.acme.example, or *.acme.example for all below it'))
	.max(1_000)
	.default([])
	.transform(all => all.map(plainHostOf));
const schemes = (usual: string[]) =>
	z
		.array(z.string().regex(/^[a-z][a-z0-9+.-]{0,30}$/, 'a scheme is like https'))
		.max(50)
		.default(usual);

const script = z.string().refine(isScript, {error: 'this is no script of Unicode; Latin, Cyrillic, Greek, Arabic, Han and Hangul are'});

const checkOf = (context: z.RefinementCtx, schema: z.core.util.JSONType | undefined): Check | undefined => {
	if (schema === undefined) return undefined;
	try {
		return compileSchema(schema);
	} catch (error) {
		if (!(error instanceof SchemaRefused)) throw error;
		context.addIssue({code: 'custom', path: ['answers', 'schema', ...error.path], message: `The schema is refused: ${error.message}.`});
		return undefined;
	}
};

const answers = z.strictObject({
	/** The longest answer, in characters. */
	maxChars: z.int().min(1).max(10_000_000).optional(),
	/** `strip` cuts what is longer off. */
	tooLong: z.enum(['flag', 'strip', 'deny']).default('deny'),
	json: z.boolean().default(false),
	schema: z.json().optional(),
	/** What is done about an answer that is not JSON, or not as the schema wants it. */
	notJson: z.enum(['flag', 'deny']).default('deny'),
});

const given = z.strictObject({
	phrases: z
		.array(
			z.strictObject({
				name,
				phrases: z.array(phrase).min(1).max(20_000),
				/** What is found within one of these is none. */
				except: z.array(phrase).max(20_000).default([]),
				/** Also in the middle of words. */
				parts: z.boolean().default(false),
				...common(everywhere, 'phrase', 'deny'),
			}),
		)
		.max(200)
		.default([]),
	patterns: z
		.array(
			z.strictObject({name, pattern: z.string().min(1), ignoreCase: z.boolean().default(false), ...common(everywhere, 'pattern', 'deny')}),
		)
		.max(200)
		.default([]),
	links: z.strictObject({hosts, schemes: schemes(['https', 'http', 'mailto']), ...common(['answer'], 'link', 'mask')}).optional(),
	images: z.strictObject({hosts, schemes: schemes(['https']), ...common(['answer'], 'image', 'mask')}).optional(),
	html: z.strictObject({tags: z.enum(['active', 'all']).default('active'), ...common(['answer'], 'html', 'strip')}).optional(),
	scripts: z.strictObject({allow: z.array(script).min(1).max(50), ...common(['answer'], 'script', 'flag')}).optional(),
	answers: answers.optional(),
});

/** A rule about words, and what is done where it finds some. */
export type Rule = {
	/** What found it: the name of the rule, or `link`. */
	detector: string;
	category: string;
	severity: 'low' | 'medium' | 'high' | 'critical';
	action: Action;
	/** What is put in the place of what it finds. */
	mark: string;
};

export type AnswerRules = {
	maxChars: number | undefined;
	tooLong: 'flag' | 'strip' | 'deny';
	json: boolean;
	check: Check | undefined;
	notJson: 'flag' | 'deny';
};

/** The config, as the handlers use it. */
export type Settings = {
	rules: readonly Rule[];
	/** What reads a text, by where it goes and where it came from; nobody, where no rule is for that. */
	scannersFor(place: Place, from: Channel): readonly Scanner[];
	answers: AnswerRules | undefined;
};

type Common = z.output<z.ZodObject<ReturnType<typeof common>>>;

export const config = given.transform((settings, context): Settings => {
	const rules: Rule[] = [];
	const wanted: Common[] = [];
	const add = (detector: string, rule: Common): number => {
		wanted.push(rule);
		const {category, severity, action: does} = rule;
		return rules.push({detector, category, severity, action: does, mark: does === 'strip' ? '' : `[${detector.toUpperCase()}]`}) - 1;
	};
	const isFor = (rule: number, place: Place, from: Channel): boolean => {
		const {on, channels} = wanted[rule]!;
		return on.includes(place) && (channels?.includes(from) ?? true);
	};

	const phrases: Phrase[] = settings.phrases.flatMap(rule => {
		const index = add(rule.name, rule);
		const of = (text: string, except: boolean): Phrase => ({phrase: text, rule: index, whole: !rule.parts, except});
		return [...rule.phrases.map(text => of(text, false)), ...rule.except.map(text => of(text, true))];
	});
	const patterns = settings.patterns.map((rule, at) => {
		const index = add(rule.name, rule);
		const {ignoreCase} = rule;
		const pattern = patternOrIssue(context, ['patterns', at, 'pattern'], rule.pattern, {ignoreCase});
		const scan: Scanner = (text, from, final) => {
			const {found = [], open = text.length} = pattern?.scan(text, from, final) ?? {};
			return {found: found.map(match => ({...match, rule: index})), open};
		};
		return {index, scan};
	});
	const {links, images, html, scripts} = settings;
	const linkRule = links && {rule: add('link', links), allowed: links};
	const imageRule = images && {rule: add('image', images), allowed: images};
	const htmlRule = html && {rule: add('html', html), tags: html.tags};
	const scriptRule = scripts && {rule: add('script', scripts), scan: openScripts(scripts.allow, rules.length - 1)};

	const automata = new Map<string, Scanner>();
	/** The same phrases are read by the same scanner, wherever they stand. */
	const scannerOf = (ours: readonly Phrase[]): Scanner => {
		const key = [...new Set(ours.map(({rule}) => rule))].join();
		const known = automata.get(key) ?? openPhrases(ours);
		automata.set(key, known);
		return known;
	};
	const made = (place: Place, from: Channel): Scanner[] => {
		const here = <T extends {rule: number}>(one: T | undefined): T | undefined => (one && isFor(one.rule, place, from) ? one : undefined);
		const ours = phrases.filter(({rule}) => isFor(rule, place, from));
		const marks: LinkRules = {links: here(linkRule), images: here(imageRule), html: here(htmlRule)};
		return [
			...(marks.links || marks.images || marks.html ? [openLinks(marks)] : []),
			...(ours.length > 0 ? [scannerOf(ours)] : []),
			...patterns.filter(({index}) => isFor(index, place, from)).map(({scan}) => scan),
			...(here(scriptRule) ? [scriptRule!.scan] : []),
		];
	};
	const scanners = new Map(places.flatMap(place => channel.options.map(from => [`${place} ${from}`, made(place, from)] as const)));
	const {answers: asked} = settings;
	const check = checkOf(context, asked?.schema);

	return {
		rules,
		scannersFor: (place, from) => scanners.get(`${place} ${from}`)!,
		answers: asked && {...asked, maxChars: asked.maxChars, json: asked.json || check !== undefined, check},
	};
});
