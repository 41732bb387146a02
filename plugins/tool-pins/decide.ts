import type {Json} from '../../plugin-sdk/index.ts';
import {visible} from './characters.ts';
import {hidingIn, isHiding, policyOf} from './config.ts';
import {type Definition, type Finding, findingsOf, mostChars} from './findings.ts';
import {
	type Known,
	knownNames,
	type Lent,
	type Pin,
	type Place,
	pinOf,
	pinRow,
	pinText,
	type Sight,
	shelfOf,
	sightOf,
	sightRow,
	sightText,
	textOf,
	versionRow,
} from './rows.ts';

export type Thing = Definition & Place & {digest: string};

export type Why = 'changed' | 'new' | 'found' | 'rejected' | 'not pinned' | 'crowded' | 'unnameable';

/** Whether it is let through as it is. `writes`: what has been seen by this, to be kept. */
export type Decision = {why?: Why; findings: readonly Finding[]; writes: Readonly<Record<string, Json>>};

/** Of a server that makes up names without an end, so many are looked at of each kind. */
export const mostNames = 1_000;
/** Longer ones fit no row. */
const mostNameChars = 200;
/** What changes with every look is not written down with every look. */
const patienceMs = 60_000;

const isNameable = ({name}: Place): boolean => name.length <= mostNameChars && name.isWellFormed() && !name.includes('\u0000');

const namesOf = (findings: readonly Finding[]): {found?: string[]} =>
	findings.length > 0 ? {found: findings.map(({kind, what}) => `${kind}: ${what}`)} : {};

const sighted = (thing: Thing, findings: readonly Finding[], {clock}: Lent): Record<string, Json> => ({
	[sightRow(thing)]: {digest: thing.digest, at: clock.now(), ...namesOf(findings)} satisfies Sight,
	[sightText(thing)]: textOf(thing.definition),
});

const pinned = (thing: Thing, findings: readonly Finding[], {clock}: Lent): Record<string, Json> => ({
	[pinRow(thing)]: {digest: thing.digest, at: clock.now(), ...namesOf(findings)} satisfies Pin,
	[pinText(thing)]: textOf(thing.definition),
});

type Asked = {thing: Thing; known: Known; isCrowded: boolean; lent: Lent};

const first = ({thing, known, isCrowded, lent}: Asked): Decision => {
	const {config} = lent;
	const before = sightOf(thing, lent);
	const policy = policyOf(config, thing.server);
	if (!before && policy === 'deny') return {why: 'not pinned', findings: [], writes: {}};
	if (!before && isCrowded) return {why: 'crowded', findings: [], writes: {}};
	const findings = findingsOf(thing, known, config);
	if (!before) {
		const isFound = findings.some(({kind}) => isHiding(config, kind));
		if (policy === 'trust' && !isFound) return {findings, writes: pinned(thing, findings, lent)};
		return {why: isFound ? 'found' : 'new', findings, writes: sighted(thing, findings, lent)};
	}
	// What was asked about once is not trusted by itself any more.
	if (before.digest === thing.digest)
		return {why: before.rejectedBy === undefined ? 'new' : 'rejected', findings, writes: seenAgain(thing, before, lent)};
	return {why: 'new', findings, writes: isDue(before, lent) ? sighted(thing, findings, lent) : {}};
};

const where = new Set(['uri', 'name', 'mimeType', 'size', 'annotations']);
const when = new Set(['audience', 'priority', 'lastModified']);
const isObject = (value: Json | undefined): value is {[key: string]: Json} =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** There may be thousands of them, which come and go: one that says nothing but where it is, and nothing odd, is shown as it is. */
const isPlainResource = (thing: Thing, known: Known, {config}: Lent): boolean => {
	const {server, show, definition} = thing;
	if (show !== 'resource' || policyOf(config, server) === 'deny' || !isObject(definition)) return false;
	const {annotations = {}} = definition;
	if (!Object.keys(definition).every(field => where.has(field))) return false;
	if (!isObject(annotations) || !Object.keys(annotations).every(field => when.has(field))) return false;
	return findingsOf(thing, known, config).every(({kind}) => !isHiding(config, kind));
};

const isDue = ({at}: Sight, {clock}: Lent): boolean => clock.now() - at >= patienceMs || clock.now() < at;

/** A tool is judged by its definition at each call. All else is asked for by its name alone: whether it is hidden now, its row has to say. */
const itselfAgain = (thing: Thing, lent: Lent): Record<string, Json> => {
	const before = thing.show === 'tool' ? undefined : sightOf(thing, lent);
	return before && !before.past && isDue(before, lent) ? {[sightRow(thing)]: {...before, past: true}} : {};
};

const seenAgain = (thing: Thing, {past, ...before}: Sight, lent: Lent): Record<string, Json> =>
	past && isDue(before, lent) ? {[sightRow(thing)]: {...before, at: lent.clock.now()}} : {};

const decide = (asked: Asked): Decision => {
	const {thing, known, lent} = asked;
	if (isPlainResource(thing, known, lent)) return {findings: [], writes: itselfAgain(thing, lent)};
	if (!isNameable(thing)) return {why: 'unnameable', findings: [], writes: {}};
	const pin = pinOf(thing, lent);
	if (!pin) return first(asked);
	const findings = findingsOf(thing, known, lent.config);
	if (pin.digest === thing.digest) {
		// Whoever approved it saw what was found.
		const isFound = pin.by === undefined && findings.some(({kind}) => isHiding(lent.config, kind));
		return {...(isFound && {why: 'found' as const}), findings, writes: isFound ? {} : itselfAgain(thing, lent)};
	}
	const before = sightOf(thing, lent);
	if (before?.digest === thing.digest) return {why: 'changed', findings, writes: seenAgain(thing, before, lent)};
	return {why: 'changed', findings, writes: before && !isDue(before, lent) ? {} : sighted(thing, findings, lent)};
};

/** Whether what somebody asks for by its name is hidden, by what was seen last of it. */
export const hiddenNow = (place: Place, lent: Lent): Why | undefined => {
	const pin = pinOf(place, lent);
	const sight = sightOf(place, lent);
	if (pin) {
		if (sight && !sight.past && sight.digest !== pin.digest) return 'changed';
		return pin.by === undefined && hidingIn(pin.found, lent.config).length > 0 ? 'found' : undefined;
	}
	if (sight) return sight.past ? undefined : sight.rejectedBy === undefined ? 'new' : 'rejected';
	const policy = policyOf(lent.config, place.server);
	if (policy === 'deny') return 'not pinned';
	// Most resources need no pin, and nobody has looked for this one.
	return policy === 'ask' && place.show !== 'resource' ? 'new' : undefined;
};

/** Of new tools, those that there is room for. */
const admitted = (things: readonly Thing[], before: Known, {config}: Lent): {known: Known; crowded: ReadonlySet<Thing>} => {
	const known = new Map<string, Set<string>>();
	const crowded = new Set<Thing>();
	for (const thing of things) {
		const {server, show, name} = thing;
		const shelf = shelfOf(thing);
		if (show === 'instructions' || before.get(shelf)?.has(name) || !isNameable(thing)) continue;
		if (policyOf(config, server) === 'deny') continue;
		const own = known.get(shelf) ?? new Set(before.get(shelf));
		known.set(shelf, own);
		if (own.size >= mostNames) crowded.add(thing);
		else own.add(name);
	}
	return {known: known.size === 0 ? before : new Map([...before, ...known]), crowded};
};

/** Definitions of one answer that are kept; what has changed in the others cannot be shown. */
const mostKept = 1_500_000;

const within = (writes: Record<string, Json>): Record<string, Json> => {
	let chars = 0;
	return Object.fromEntries(
		Object.entries(writes).map(([row, value]) => {
			if (!row.includes('-text:')) return [row, value];
			chars += Math.min(JSON.stringify(value).length, mostChars);
			return [row, chars > mostKept ? null : value];
		}),
	);
};

const isNamed = (row: string): boolean => row.includes('/') && (row.startsWith('pin:') || row.startsWith('seen:'));

const mostTold = 20;

/** One line for the operator's log, however many there are. */
const tell = (things: readonly Thing[], decisions: readonly Decision[], {log}: Lent): void => {
	const fresh = decisions.flatMap(({why, writes}, index) => {
		const thing = things[index]!;
		return why === undefined || Object.keys(writes).length === 0 ? [] : [`${shelfOf(thing)}/${visible(thing.name)} ${why}`];
	});
	if (fresh.length > 0) log.warn('MCP servers show what nobody has approved', {count: fresh.length, first: fresh.slice(0, mostTold)});
};

/** The one decision, for lists and calls, about all that is seen at once; and what is to be written down of it. */
export const decided = (things: readonly Thing[], lent: Lent): {decisions: Decision[]; put: Record<string, Json> | undefined} => {
	const {known, crowded} = admitted(things, knownNames(lent), lent);
	const decisions = things.map(thing => decide({thing, known, isCrowded: crowded.has(thing), lent}));
	const writes = Object.assign({}, ...decisions.map(({writes}) => writes)) as Record<string, Json>;
	const rows = Object.keys(writes);
	if (rows.length === 0) return {decisions, put: undefined};
	tell(things, decisions, lent);
	return {decisions, put: {...within(writes), ...(rows.some(isNamed) && {[versionRow]: lent.random.uuid()})}};
};
