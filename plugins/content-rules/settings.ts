import * as z from 'zod';
import type {Channel} from '../../plugin-sdk/index.ts';
import {patternOrIssue} from '../../plugin-sdk/pattern.ts';
import type {Scanner} from './hits.ts';
import {type Check, compileSchema, SchemaRefused} from './json-schema.ts';
import {type LinkRules, openLinks} from './links.ts';
import {type Meaning, openMeaning} from './meaning.ts';
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

const topic = z.strictObject({
	name,
	examples: z.array(z.string().trim().min(8).max(500)).min(1).max(50),
	/** How near a text has to come to an example, as the cosine of their vectors: models differ, so try it. */
	threshold: z.number().min(0.05).max(1),
	action: z.enum(['flag', 'deny', 'taint']).default('flag'),
	on: z
		.array(z.enum(['request', 'tool-results']))
		.min(1)
		.default(['request', 'tool-results']),
	channels: z.array(channel).min(1).optional(),
	category: name.default('topic'),
	severity: common([], '', 'flag').severity,
});

const meaning = z.strictObject({
	/** An embedding model that `grants.models` names. */
	model: z.string().min(1).max(300),
	topics: z.array(topic).min(1).max(50),
	/** How long one question to the model may take. */
	timeMs: z.int().min(50).max(8_000).default(2_000),
	/** What becomes of a text that the model could not be asked about. */
	unasked: z.enum(['deny', 'allow']).default('deny'),
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
	meaning: meaning.optional(),
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
	/** What texts are about, and which texts of which place and channel that is asked of. */
	meaning:
		| {
				of: Meaning;
				unasked: 'deny' | 'allow';
				isAsked(place: Place, from: Channel): boolean;
				isFor(rule: number, place: Place, from: Channel): boolean;
		  }
		| undefined;
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
	const topics = (settings.meaning?.topics ?? []).map(one => ({...one, rule: add(one.name, one)}));

	const scanners = new Map(places.flatMap(place => channel.options.map(from => [`${place} ${from}`, made(place, from)] as const)));
	const {answers: asked} = settings;
	const check = checkOf(context, asked?.schema);

	return {
		rules,
		scannersFor: (place, from) => scanners.get(`${place} ${from}`)!,
		meaning: settings.meaning && {
			of: openMeaning({...settings.meaning, topics}),
			unasked: settings.meaning.unasked,
			isAsked: (place, from) => topics.some(({rule}) => isFor(rule, place, from)),
			isFor,
		},
		answers: asked && {...asked, maxChars: asked.maxChars, json: asked.json || check !== undefined, check},
	};
});
