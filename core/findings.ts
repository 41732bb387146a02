import {createHmac} from 'node:crypto';
import type {HookName} from '../schemas/hooks.ts';
import type {RecordedFinding} from '../schemas/record.ts';
import type {Finding} from '../schemas/verdict.ts';
import type {Exchange} from './exchange.ts';
import type {Fields, Member} from './hooks.ts';
import {isObject} from './llm/json.ts';
import {noteFound, taintAlone} from './taints/said.ts';
import type {Verdict} from './verdicts.ts';

/** Notes what a verdict says was found; answers what is wrong with it, and then notes nothing. */
export type NoteFindings = (
	asked: {exchange: Exchange; hook: HookName; member: Member; fields: Fields},
	verdict: Verdict,
) => string | undefined;

type Options = {
	/** Of this gateway alone: without it nobody can tell which value has a digest. */
	secret: string;
	count: (finding: RecordedFinding) => void;
	/** Notes what a finding taints, before anybody is told anything; the exchange alone when left out. */
	taint?: (exchange: Exchange, name: string) => void;
};

/** A record is for reading; the metrics count on. */
const mostRecorded = 100;

/** The verdicts that can do what a finding says was done. */
const fitting: Readonly<Partial<Record<Finding['action'], readonly string[]>>> = {
	deny: ['deny'],
	hold: ['hold', 'deny'],
	mask: ['rewrite', 'deny', 'hold', 'respond'],
	strip: ['rewrite', 'deny', 'hold', 'respond'],
	degrade: ['rewrite', 'route', 'deny', 'hold', 'respond'],
};

const misfit = (verdict: string, findings: readonly Finding[]): string | undefined => {
	const wrong = findings.find(({action}) => fitting[action]?.includes(verdict) === false);
	return wrong && `answered ${verdict} and says that what it found is for ${wrong.action}`;
};

/** The parts of a packed `text[]`, by index. */
const partsOf = (packed: string): ((index: number) => string) => {
	const head = packed.indexOf('\n');
	const starts = [head + 1];
	for (const length of packed.slice(0, head).split(',')) starts.push(starts.at(-1)! + Number(length));
	return index => packed.slice(starts[index] ?? packed.length, starts[index + 1] ?? packed.length);
};

const addStrings = (found: string[], value: unknown): void => {
	if (typeof value === 'string') found.push(value);
	else if (Array.isArray(value)) for (const item of value) addStrings(found, item);
	else if (isObject(value)) for (const item of Object.values(value)) addStrings(found, item);
};

/** The strings among the values, in their order. */
const stringsIn = (json: string): ((index: number) => string) => {
	const found: string[] = [];
	addStrings(found, JSON.parse(json));
	return index => found[index] ?? '';
};

/** The texts that a `span` is a place in, as the plugin has seen them; a plugin that was not shown any names no place. */
const textsFor = (hook: HookName, {plugin}: Member, fields: Fields): ((index: number) => string) => {
	const {reads} = plugin.manifest.hooks[hook]!;
	const shown = (path: string): string | undefined => {
		const value = reads.includes(path) ? fields(path) : undefined;
		return typeof value === 'string' ? value : undefined;
	};
	const window = shown('window');
	if (window !== undefined) {
		const {text} = JSON.parse(window) as {text: string};
		return () => text;
	}
	const args = shown('tool.arguments');
	if (args !== undefined) return stringsIn(args);
	const packed = shown('text[]');
	return packed === undefined ? () => '' : partsOf(packed);
};

/** To be asked with every verdict that has findings, before it is carried out. */
export const openFindings = ({secret, count, taint = taintAlone}: Options): NoteFindings => {
	const digestOf = (value: string): string => createHmac('sha256', secret).update(value).digest('hex').slice(0, 16);

	return ({exchange, hook, member, fields}, {verdict, findings = []}) => {
		const wrong = misfit(verdict, findings);
		if (wrong) return wrong;
		const isWindow = hook === 'post-response' && exchange.windowed;
		// A text may be long, and a verdict find many things in it: it is taken apart once.
		let textAt: ((index: number) => string) | undefined;
		for (const finding of findings) {
			const {span} = finding;
			if (span) textAt ??= textsFor(hook, member, fields);
			const value = span && textAt ? textAt(span.text ?? 0).slice(span.start, span.end) : '';
			const recorded: RecordedFinding = {
				...finding,
				plugin: member.plugin.name,
				hook,
				...(value !== '' && {digest: digestOf(value)}),
				...(member.mode === 'observe' && {mode: 'observe'}),
			};
			noteFound(exchange, recorded);
			if (finding.action === 'taint' && member.mode !== 'observe') taint(exchange, finding.category);
			// Whoever is asked again about the same finds the same; of a stream each window is another text.
			const {score, severity, ...same} = isWindow ? {...recorded, span: undefined} : recorded;
			const key = JSON.stringify(same);
			exchange.findings ??= new Map();
			const known = exchange.findings.get(key);
			if (known && !isWindow) continue;
			count(recorded);
			if (known) known.times = (known.times ?? 1) + 1;
			else if (exchange.findings.size < mostRecorded) exchange.findings.set(key, recorded);
			else exchange.findingsLeftOut = (exchange.findingsLeftOut ?? 0) + 1;
		}
		return undefined;
	};
};

/** `x-sallyport-guards`: the plugins that did something about what they found, in the order they did; nothing where none did. */
export const guardHeaders = ({findings}: Pick<Exchange, 'findings'>): Record<string, string> => {
	if (!findings) return {};
	const acted = [...findings.values()].filter(({action, mode}) => action !== 'flag' && mode === undefined);
	return acted.length > 0 ? {'x-sallyport-guards': [...new Set(acted.map(({plugin}) => plugin))].join('; ')} : {};
};
