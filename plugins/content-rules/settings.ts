import type * as z from 'zod';
import type {Channel} from '../../plugin-sdk/index.ts';
import {patternOrIssue} from '../../plugin-sdk/pattern.ts';
import {type Action, type Common, channel, given, type Place, places} from './fields.ts';
import type {Scanner} from './hits.ts';
import {type Check, compileSchema, SchemaRefused} from './json-schema.ts';
import {type LinkRules, openLinks} from './links.ts';
import {type Meaning, openMeaning} from './meaning.ts';
import {openPhrases, type Phrase} from './phrases.ts';
import {openScripts} from './scripts.ts';
import {type Listener, longestBeginning, openListener} from './spoken.ts';

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

export type LanguageRule = {
	rule: number;
	listen: Listener;
	/** How much of the beginning of a stream waits, at most, until there is enough to refuse it. */
	mostHeld: number;
};

/** The config, as the handlers use it. */
export type Settings = {
	rules: readonly Rule[];
	/** What reads a text, by where it goes and where it came from; nobody, where no rule is for that. */
	scannersFor(place: Place, from: Channel): readonly Scanner[];
	answers: AnswerRules | undefined;
	/** What hears which language a text is of, by where it goes and where it came from. */
	languageFor(place: Place, from: Channel): LanguageRule | undefined;
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
	const {links, images, html, scripts, languages} = settings;
	const linkRule = links && {rule: add('link', links), allowed: links};
	const imageRule = images && {rule: add('image', images), allowed: images};
	const htmlRule = html && {rule: add('html', html), tags: html.tags};
	const scriptRule = scripts && {rule: add('script', scripts), scan: openScripts(scripts.allow, rules.length - 1)};
	const spoken = languages && {
		rule: add('language', languages),
		listen: openListener(languages),
		mostHeld: languages.action === 'deny' || languages.unknown === 'deny' ? longestBeginning(languages.minChars) : 0,
	};

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
		languageFor: (place, from) => (spoken && isFor(spoken.rule, place, from) ? spoken : undefined),
		answers: asked && {...asked, maxChars: asked.maxChars, json: asked.json || check !== undefined, check},
	};
});
