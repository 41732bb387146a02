import type {Json} from '../../plugin-sdk/index.ts';
import {visible} from './characters.ts';
import {isHiding, policyOf} from './config.ts';
import {type Definition, type Finding, findingsOf, mostChars} from './findings.ts';
import {
	type Known,
	knownTools,
	type Lent,
	type Pin,
	type Place,
	pinOf,
	pinRow,
	pinText,
	type Sight,
	sightOf,
	sightRow,
	sightText,
	textOf,
	versionRow,
} from './rows.ts';

export type Thing = Definition & {server: string; digest: string};

export type Why = 'changed' | 'new' | 'found' | 'rejected' | 'not pinned' | 'crowded' | 'unnameable';

/** Whether it is let through as it is. `writes`: what has been seen by this, to be kept. */
export type Decision = {why?: Why; findings: readonly Finding[]; writes: Readonly<Record<string, Json>>};

/** Of a server that makes up names without an end, so many are looked at. */
export const mostTools = 1_000;
/** Longer ones fit no row. */
const mostNameChars = 200;
/** What changes with every look is not written down with every look. */
const patienceMs = 60_000;

const isNameable = ({tool}: Place): boolean =>
	tool === undefined || (tool.length <= mostNameChars && tool.isWellFormed() && !tool.includes('\u0000'));

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
	if (before.digest === thing.digest) return {why: before.rejectedBy === undefined ? 'new' : 'rejected', findings, writes: {}};
	return {why: 'new', findings, writes: isDue(before, lent) ? sighted(thing, findings, lent) : {}};
};

const isDue = ({at}: Sight, {clock}: Lent): boolean => clock.now() - at >= patienceMs || clock.now() < at;

const decide = (asked: Asked): Decision => {
	const {thing, known, lent} = asked;
	if (!isNameable(thing)) return {why: 'unnameable', findings: [], writes: {}};
	const pin = pinOf(thing, lent);
	if (!pin) return first(asked);
	const findings = findingsOf(thing, known, lent.config);
	if (pin.digest === thing.digest) {
		// Whoever approved it saw what was found.
		const isFound = pin.by === undefined && findings.some(({kind}) => isHiding(lent.config, kind));
		return {...(isFound && {why: 'found' as const}), findings, writes: {}};
	}
	const before = sightOf(thing, lent);
	const isKept = before && (before.digest === thing.digest || !isDue(before, lent));
	return {why: 'changed', findings, writes: isKept ? {} : sighted(thing, findings, lent)};
};

/** Of new tools, those that there is room for. */
const admitted = (things: readonly Thing[], before: Known, {config}: Lent): {known: Known; crowded: ReadonlySet<Thing>} => {
	const known = new Map<string, Set<string>>();
	const crowded = new Set<Thing>();
	for (const thing of things) {
		const {server, tool} = thing;
		if (tool === undefined || before.get(server)?.has(tool) || !isNameable(thing)) continue;
		if (policyOf(config, server) === 'deny') continue;
		const own = known.get(server) ?? new Set(before.get(server));
		known.set(server, own);
		if (own.size >= mostTools) crowded.add(thing);
		else own.add(tool);
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
		const {server, tool} = things[index]!;
		return why === undefined || Object.keys(writes).length === 0 ? [] : [`${server}/${tool === undefined ? '' : visible(tool)} ${why}`];
	});
	if (fresh.length > 0) log.warn('MCP servers show what nobody has approved', {count: fresh.length, first: fresh.slice(0, mostTold)});
};

/** The one decision, for lists and calls, about all that is seen at once; and what is to be written down of it. */
export const decided = (things: readonly Thing[], lent: Lent): {decisions: Decision[]; put: Record<string, Json> | undefined} => {
	const {known, crowded} = admitted(things, knownTools(lent), lent);
	const decisions = things.map(thing => decide({thing, known, isCrowded: crowded.has(thing), lent}));
	const writes = Object.assign({}, ...decisions.map(({writes}) => writes)) as Record<string, Json>;
	const rows = Object.keys(writes);
	if (rows.length === 0) return {decisions, put: undefined};
	tell(things, decisions, lent);
	return {decisions, put: {...within(writes), ...(rows.some(isNamed) && {[versionRow]: lent.random.uuid()})}};
};
