import * as z from 'zod';
import {type Caller, type Json, openTurns, refuse} from '../../plugin-sdk/index.ts';
import {visible} from './characters.ts';
import {isHiding, kinds, server} from './config.ts';
import {differences} from './differences.ts';
import {findingsOf} from './findings.ts';
import {
	knownTools,
	type Lent,
	type Pin,
	type Place,
	pinOf,
	pinRow,
	pinText,
	placeIn,
	rowsOf,
	type Sight,
	sightOf,
	sightRow,
	sightText,
	versionRow,
} from './rows.ts';

/** As list tells it: characters that are not seen stand there written out. */
const tool = z.string().min(1).max(2_400);
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal digits, as list and show tell it');

const oneOfBoth = ({tool, instructions}: {tool?: string | undefined; instructions?: true | undefined}): boolean =>
	(tool === undefined) !== (instructions === undefined);
const bothOrNeither = {error: 'either a tool, or instructions: true', path: ['tool']};

const named = {server, tool: tool.optional(), instructions: z.literal(true).optional()};

/** A tool of a server, or its instructions. */
export const place = z.strictObject(named).refine(oneOfBoth, bothOrNeither);
/** The same, in the state that somebody looked at: another one since then is not what was meant. */
export const stated = z.strictObject({...named, digest}).refine(oneOfBoth, bothOrNeither);
export const ofServer = z.strictObject({server});
/** Without a tool, everything of the server. */
export const forgotten = z
	.strictObject(named)
	.refine(({tool, instructions}) => tool === undefined || instructions === undefined, bothOrNeither);
export const listing = z.strictObject({
	server: server.optional(),
	state: z.enum(['pending', 'pinned', 'rejected']).optional(),
	after: z.string().min(1).max(300).optional(),
	limit: z.int().min(1).max(1_000).default(100),
});

/** Whichever tool is called so, or is shown so. */
const placeOf = ({server, tool}: {server: string; tool?: string | undefined}, lent: Pick<Lent, 'kv'>): Place => {
	const exact = {server, tool};
	if (tool === undefined || pinOf(exact, lent) || sightOf(exact, lent)) return exact;
	for (const prefix of ['pin:', 'seen:'])
		for (const {key} of rowsOf(`${prefix}${server}/`, lent)) {
			const place = placeIn(key);
			if (visible(place.tool!) === tool) return place;
		}
	return exact;
};

const nameOf = ({server, tool}: Place): string =>
	tool === undefined ? `the instructions of ${server}` : `the tool "${visible(tool)}" of ${server}`;

const inTurn = openTurns();

const write = async (rows: Record<string, Json>, {kv, random}: Lent): Promise<void> => {
	const {error} = await kv.put({...rows, [versionRow]: random.uuid()});
	if (error) throw refuse('store_unavailable', 'This could not be written; nothing has changed.');
};

/** `later`: what has been found, since it was trusted, in what is pinned. */
type Standing = {place: Place; pin: Pin | undefined; sight: Sight | undefined; later: string[]};

const foundLater = (place: Place, {digest, by, found = []}: Pin, lent: Lent): string[] => {
	if (by !== undefined) return [];
	const {config, kv} = lent;
	// What it was trusted in spite of, the config may say otherwise about now.
	const then = found.filter(one => kinds.some(kind => one.startsWith(`${kind}:`) && isHiding(config, kind)));
	if (then.length > 0 || config.findings['other-server'] === 'flag') return then;
	const definition = kv.get(pinText(place));
	if (definition === undefined) return [];
	const findings = findingsOf({...place, definition, digest}, knownTools(lent), config);
	return findings.filter(({kind}) => isHiding(config, kind)).map(({kind, what}) => `${kind}: ${what}`);
};

const standingOf = (place: Place, lent: Lent): Standing => {
	const pin = pinOf(place, lent);
	const last = sightOf(place, lent);
	const sight = last?.digest === pin?.digest ? undefined : last;
	return {place, pin, sight, later: pin && !sight ? foundLater(place, pin, lent) : []};
};

const waits = ({sight, later}: Standing): boolean => later.length > 0 || (sight !== undefined && sight.rejectedBy === undefined);

const stateOf = (standing: Standing): 'pending' | 'pinned' | 'rejected' => {
	if (waits(standing)) return 'pending';
	return standing.pin ? 'pinned' : 'rejected';
};

const told = (standing: Standing): {[key: string]: Json} => {
	const {place, pin, sight, later} = standing;
	const {digest, at, found = []} = sight ?? pin!;
	return {
		server: place.server,
		...(place.tool === undefined ? {instructions: true} : {tool: visible(place.tool)}),
		state: stateOf(standing),
		...(waits(standing) && {isChange: sight !== undefined && pin !== undefined}),
		digest,
		at: new Date(at).toISOString(),
		found: (later.length > 0 ? later : found).map(visible),
		...(pin && {pinned: {digest: pin.digest, at: new Date(pin.at).toISOString(), by: pin.by ?? 'first sight'}}),
		...(sight?.rejectedBy !== undefined && {rejectedBy: sight.rejectedBy}),
	};
};

/** A page of what stands, in the order of names; `next` is the `after` of the page behind it. */
export const list = ({server: only, state, after, limit}: z.output<typeof listing>, lent: Lent): Json => {
	const names = new Set<string>();
	for (const prefix of ['pin:', 'seen:']) for (const {key} of rowsOf(prefix, lent)) names.add(key.slice(prefix.length));
	const items: Json[] = [];
	let next: string | undefined;
	for (const name of [...names].sort((a, b) => (a < b ? -1 : 1))) {
		if (after !== undefined && name <= after) continue;
		const standing = standingOf(placeIn(`:${name}`), lent);
		if ((only !== undefined && standing.place.server !== only) || (state && stateOf(standing) !== state)) continue;
		if (items.length === limit) return {pins: items, ...(next !== undefined && {next})};
		items.push(told(standing));
		next = name;
	}
	return {pins: items};
};

const existing = (asked: {server: string; tool?: string | undefined}, lent: Lent): Standing => {
	const standing = standingOf(placeOf(asked, lent), lent);
	if (!standing.pin && !standing.sight) throw refuse('not_found', `Nothing has been seen of ${nameOf(standing.place)}.`);
	return standing;
};

const readable = (definition: Json): string => visible(JSON.stringify(definition, null, '\t'));

/** What is pinned, what was seen last, and field by field how they differ. */
export const show = (asked: {server: string; tool?: string | undefined}, lent: Lent): Json => {
	const standing = existing(asked, lent);
	const {place, pin, sight} = standing;
	const before = pin && lent.kv.get(pinText(place));
	const after = sight && lent.kv.get(sightText(place));
	const latest = sight ? after : before;
	return {
		...told(standing),
		...(pin && sight && before !== undefined && after !== undefined && differences(before, after)),
		definition: latest === undefined ? null : readable(latest),
	} as Json;
};

const pinnedBy = ({place, sight, pin}: Standing, lent: Lent, by: string): Record<string, Json> => {
	const {digest, found} = sight ?? pin!;
	return {
		[pinRow(place)]: {digest, at: lent.clock.now(), by, ...(found && {found})},
		...(sight && {[pinText(place)]: lent.kv.get(sightText(place)) ?? null}),
		[sightRow(place)]: null,
		[sightText(place)]: null,
	};
};

const lookedAt = ({sight, pin, place}: Standing, digest: string): void => {
	if ((sight ?? pin!).digest === digest) return;
	throw refuse('conflict', `This is not what was seen last of ${nameOf(place)}; look again with show.`);
};

/** Pins what was seen last, which has to be what `digest` says. */
export const approve = ({digest, ...asked}: z.output<typeof stated>, lent: Lent, {actor}: Caller): Promise<Json> =>
	inTurn(async () => {
		const standing = existing(asked, lent);
		lookedAt(standing, digest);
		await write(pinnedBy(standing, lent, actor), lent);
		return told(standingOf(standing.place, lent));
	});

/** Pins everything that waits of a server, and in which nothing was found. */
export const approveServer = ({server}: z.output<typeof ofServer>, lent: Lent, {actor}: Caller): Promise<Json> =>
	inTurn(async () => {
		const places = [...rowsOf(`seen:${server}`, lent)].map(({key}) => placeIn(key)).filter(place => place.server === server);
		const waiting = places.map(place => standingOf(place, lent)).filter(waits);
		const clean = waiting.filter(({sight}) => sight && sight.found === undefined);
		// A put has room for so many rows, and a server for so many tools.
		for (let at = 0; at < clean.length; at += 100) {
			const rows = clean.slice(at, at + 100).map(standing => pinnedBy(standing, lent, actor));
			await write(Object.assign({}, ...rows) as Record<string, Json>, lent);
		}
		const left = waiting.filter(standing => !clean.includes(standing));
		return {server, approved: clean.length, left: left.map(told)};
	});

/** Hides what was seen last for good; the pin, where there is one, stays. */
export const reject = ({digest, ...asked}: z.output<typeof stated>, lent: Lent, {actor}: Caller): Promise<Json> =>
	inTurn(async () => {
		const standing = existing(asked, lent);
		lookedAt(standing, digest);
		const {place, sight, pin} = standing;
		const {digest: seen, found} = sight ?? pin!;
		const refused: Record<string, Json> = {
			[sightRow(place)]: {digest: seen, at: lent.clock.now(), rejectedBy: actor, ...(found && {found})},
			...(!sight && {[sightText(place)]: lent.kv.get(pinText(place)) ?? null, [pinRow(place)]: null, [pinText(place)]: null}),
		};
		await write(refused, lent);
		return told(standingOf(place, lent));
	});

/** Forgets a tool, or all of a server: the next sight is the first. */
export const forget = (asked: z.output<typeof forgotten>, lent: Lent): Promise<Json> =>
	inTurn(async () => {
		const {server} = asked;
		const isAll = asked.tool === undefined && asked.instructions === undefined;
		const all = () =>
			new Set(['pin:', 'seen:'].flatMap(prefix => [...rowsOf(`${prefix}${server}`, lent)].map(({key}) => key.slice(prefix.length))));
		const places = isAll ? [...all()].map(name => placeIn(`:${name}`)).filter(place => place.server === server) : [placeOf(asked, lent)];
		const known = places.map(place => standingOf(place, lent)).filter(({pin, sight}) => pin ?? sight);
		for (let at = 0; at < known.length; at += 100) {
			const rows = known.slice(at, at + 100).flatMap(({place}) => [pinRow(place), pinText(place), sightRow(place), sightText(place)]);
			await write(Object.fromEntries(rows.map(row => [row, null])), lent);
		}
		return {server, forgotten: known.length};
	});
