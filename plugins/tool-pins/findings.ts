import type {Json} from '../../plugin-sdk/index.ts';
import {controlsIn, invisibleIn, isPadded} from './characters.ts';
import type {Config, Kind} from './config.ts';
import {instructionLike} from './phrases.ts';
import type {Place} from './rows.ts';

/** What was found, and how much or which of it; never the words themselves. */
export type Finding = {kind: Kind; what: string};

/** Something that a server shows, as it came. */
export type Definition = Pick<Place, 'show' | 'name'> & {definition: Json};

/** What is said of other servers' tools, and all else that is found. */
type Own = {findings: readonly Finding[]; words: number; mentions: readonly string[]};

/** Larger ones are not looked through, and not kept for comparing. */
export const mostChars = 60_000;
const mostMentions = 1_000;
const longestMention = 200;

const wordsOf = (value: Json, into: string[]): string[] => {
	if (typeof value === 'string') into.push(value);
	else if (Array.isArray(value)) for (const item of value) wordsOf(item, into);
	else if (typeof value === 'object' && value !== null)
		for (const [key, inner] of Object.entries(value)) {
			into.push(key);
			wordsOf(inner, into);
		}
	return into;
};

/** A name that nobody writes by chance. */
const isDistinct = (word: string): boolean =>
	word.length > 4 && word.length <= longestMention && /[a-z0-9][_.-]+[a-z0-9]|[a-z][A-Z]/.test(word);

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const look = ({show, name, definition}: Definition): Own => {
	const size = JSON.stringify(definition).length;
	if (size > mostChars) return {findings: [{kind: 'unread', what: `${size} characters`}], words: 0, mentions: []};
	const words = wordsOf(definition, []);
	const text = words.join('\n');
	const findings: Finding[] = [];
	const hidden = invisibleIn(text);
	if (hidden > 0) findings.push({kind: 'hidden', what: `characters that are not seen, ${times(hidden)}`});
	const controls = controlsIn(text);
	if (controls > 0) findings.push({kind: 'control', what: `control characters, ${times(controls)}`});
	if (words.some(isPadded)) findings.push({kind: 'padding', what: 'blanks that push text out of sight'});
	const rules = instructionLike(text);
	if (rules.length > 0) findings.push({kind: 'instructions', what: rules.join(', ')});
	if (show === 'tool' && !/^[A-Za-z0-9_./-]{1,128}$/.test(name))
		findings.push({kind: 'odd-name', what: 'a name that the specification advises against'});
	const mentions = [...new Set(text.match(/[A-Za-z0-9][A-Za-z0-9_.-]*[A-Za-z0-9]/g)?.filter(isDistinct))];
	if (mentions.length > mostMentions) findings.push({kind: 'unread', what: `${mentions.length} names`});
	return {findings, words: text.length, mentions: mentions.slice(0, mostMentions)};
};

const mostRemembered = 4_000_000;
const remembered = {chars: 0, looks: new Map<string, Own>()};

const lookOnce = (digest: string, definition: Definition): Own => {
	const name = `${digest} ${definition.show} ${definition.name}`;
	const known = remembered.looks.get(name);
	if (known) return known;
	// Without the detour each part of a text would keep all of it.
	const json = JSON.stringify(look(definition));
	const own = JSON.parse(json) as Own;
	if (remembered.chars + json.length > mostRemembered) {
		remembered.looks.clear();
		remembered.chars = 0;
	}
	remembered.looks.set(name, own);
	remembered.chars += json.length + name.length;
	return own;
};

/** The other servers' tools that something mentions: by their names, or as `server__tool`. */
const mentioned = (mentions: readonly string[], server: string, servers: ReadonlyMap<string, ReadonlySet<string>>): string[] => {
	const own = servers.get(server);
	return mentions.flatMap(word => {
		if (own?.has(word)) return [];
		const at = word.indexOf('__');
		const prefix = at > 0 ? word.slice(0, at) : undefined;
		const other = [...servers].find(
			([name, tools]) => !name.includes('>') && name !== server && (tools.has(word) || (name === prefix && tools.has(word.slice(at + 2)))),
		);
		return other ? [`${other[0]}/${word}`] : [];
	});
};

const mostNamed = 5;

/** What is found in a definition, beside the tools that `servers` are known to have. The same for the same `digest`. */
export const findingsOf = (
	thing: Definition & {server: string; digest: string},
	servers: ReadonlyMap<string, ReadonlySet<string>>,
	{maxChars}: Config,
): Finding[] => {
	const {findings, words, mentions} = lookOnce(thing.digest, thing);
	const others = mentioned(mentions, thing.server, servers);
	return [
		...findings,
		...(words > maxChars ? [{kind: 'long' as const, what: `${words} characters`}] : []),
		...(others.length > 0 ? [{kind: 'other-server' as const, what: others.slice(0, mostNamed).join(', ')}] : []),
	];
};
