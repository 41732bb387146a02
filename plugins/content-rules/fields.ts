import * as z from 'zod';
import {languages as known} from './language.ts';
import {isScript} from './scripts.ts';
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

export const channel = z.enum(['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments']);
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

const language = z.enum([...known].sort(), {
	error: ({input}) => {
		// 'EN', 'de-AT' and 'pt_BR' mean the two letters; three letters may begin like another language ('swe' is not 'sw').
		const [two] = typeof input === 'string' ? (/^[a-z]{2}(?![a-z])/.exec(input.toLowerCase()) ?? []) : [];
		const mend = two !== undefined && known.has(two) ? `write '${two}'` : `write one of ${[...known].sort().join(', ')}`;
		return `this is no language of ISO 639-1 that can be told from others here: ${mend}`;
	},
});
const some = z.array(language).min(1).max(known.size).optional();

const languages = z
	.strictObject({
		...common(['request', 'answer', 'tool-results'], 'language', 'flag'),
		action: z.enum(['flag', 'deny', 'taint']).default('flag'),
		/** What is said may be of these alone, or of all but those. */
		allow: some,
		deny: some,
		/** A text of fewer letters has no language that anybody could be sure of. */
		minChars: z.int().min(20).max(500).default(50),
		/** What becomes of a text whose language cannot be told. */
		unknown: z.enum(['allow', 'deny']).default('allow'),
	})
	.refine(({allow, deny}) => (allow === undefined) !== (deny === undefined), {
		error: "write either allow or deny: {allow: ['en', 'de']} lets these two pass, {deny: ['ru']} all but this one",
	});

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

/** What the config may say; `settings.ts` makes of it what handlers use. */
export const given = z.strictObject({
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
	languages: languages.optional(),
	answers: answers.optional(),
	meaning: meaning.optional(),
});

export type Common = z.output<z.ZodObject<ReturnType<typeof common>>>;
