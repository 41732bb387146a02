import type * as z from 'zod';
import {type Caller, type Json, openTurns, refuse} from '../../plugin-sdk/index.ts';
import {visible} from './characters.ts';
import {hidingIn, isHiding} from './config.ts';
import {differences} from './differences.ts';
import {findingsOf} from './findings.ts';
import {type forgotten, type listing, type Named, type ofServer, placeNamed, type stated} from './inputs.ts';
import {
	knownNames,
	type Lent,
	type Pin,
	type Place,
	pinOf,
	pinRow,
	pinText,
	placeIn,
	rowsOf,
	type Sight,
	shelfOf,
	sightOf,
	sightRow,
	sightText,
	versionRow,
} from './rows.ts';

/** Whatever is called so, or is shown so. */
const placeOf = (asked: Named, lent: Pick<Lent, 'kv'>): Place => {
	const exact = placeNamed(asked)!;
	if (exact.show === 'instructions' || pinOf(exact, lent) || sightOf(exact, lent)) return exact;
	for (const prefix of ['pin:', 'seen:'])
		for (const {key} of rowsOf(`${prefix}${shelfOf(exact)}/`, lent)) {
			const place = placeIn(key);
			if (visible(place.name) === exact.name) return place;
		}
	return exact;
};

const nameOf = ({server, show, name}: Place): string =>
	show === 'instructions' ? `the instructions of ${server}` : `the ${show} "${visible(name)}" of ${server}`;

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
	const then = hidingIn(found, config);
	if (then.length > 0 || config.findings['other-server'] === 'flag') return then;
	const definition = kv.get(pinText(place));
	if (definition === undefined) return [];
	const findings = findingsOf({...place, definition, digest}, knownNames(lent), config);
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
		...(place.show === 'instructions' ? {instructions: true} : {[place.show]: visible(place.name)}),
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

const existing = (asked: Named, lent: Lent): Standing => {
	const standing = standingOf(placeOf(asked, lent), lent);
	if (!standing.pin && !standing.sight) throw refuse('not_found', `Nothing has been seen of ${nameOf(standing.place)}.`);
	return standing;
};

const readable = (definition: Json): string => visible(JSON.stringify(definition, null, '\t'));

/** What is pinned, what was seen last, and field by field how they differ. */
export const show = (asked: Named, lent: Lent): Json => {
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

/** Forgets what is named, or all of a server: the next sight is the first. */
export const forget = (asked: z.output<typeof forgotten>, lent: Lent): Promise<Json> =>
	inTurn(async () => {
		const {server} = asked;
		const all = () =>
			new Set(['pin:', 'seen:'].flatMap(prefix => [...rowsOf(`${prefix}${server}`, lent)].map(({key}) => key.slice(prefix.length))));
		const places =
			placeNamed(asked) === undefined
				? [...all()].map(name => placeIn(`:${name}`)).filter(place => place.server === server)
				: [placeOf(asked, lent)];
		const known = places.map(place => standingOf(place, lent)).filter(({pin, sight}) => pin ?? sight);
		for (let at = 0; at < known.length; at += 100) {
			const rows = known.slice(at, at + 100).flatMap(({place}) => [pinRow(place), pinText(place), sightRow(place), sightText(place)]);
			await write(Object.fromEntries(rows.map(row => [row, null])), lent);
		}
		return {server, forgotten: known.length};
	});
