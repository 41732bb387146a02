import type {Host, Json} from '../../plugin-sdk/index.ts';
import type {Config} from './config.ts';
import {mostChars} from './findings.ts';

export type Lent = Pick<Host<Config>, 'config' | 'kv' | 'clock' | 'random' | 'log'>;

/** What somebody approved; nobody, where it was trusted at first sight. `at` in milliseconds since 1970. */
export type Pin = {digest: string; at: number; by?: string; found?: string[]};
/** What was seen last and is not the pin. `past`: its server shows it no more. */
export type Sight = {digest: string; at: number; rejectedBy?: string; found?: string[]; past?: true};

/** What a server shows of itself. */
export const shows = ['tool', 'prompt', 'template', 'resource', 'instructions'] as const;
export type Show = (typeof shows)[number];

/** One of these, by its name; instructions have none. */
export type Place = {server: string; show: Show; name: string};

/** Where the names of one kind stand, of one server. No server's name holds what stands between. */
export const shelfOf = ({server, show}: Pick<Place, 'server' | 'show'>): string => (show === 'tool' ? server : `${server}>${show}`);

const nameOf = (place: Place): string => (place.show === 'instructions' ? place.server : `${shelfOf(place)}/${place.name}`);

export const pinRow = (place: Place): string => `pin:${nameOf(place)}`;
export const sightRow = (place: Place): string => `seen:${nameOf(place)}`;
/** The definitions behind them, in rows of their own, since lists of rows should stay small. */
export const pinText = (place: Place): string => `pin-text:${nameOf(place)}`;
export const sightText = (place: Place): string => `seen-text:${nameOf(place)}`;

/** Rows change their meaning for what `known` remembers: every process reads again. */
export const versionRow = 'version';

// What stands in these rows, only this plugin has written.
export const pinOf = (place: Place, {kv}: Pick<Lent, 'kv'>): Pin | undefined => kv.get(pinRow(place)) as Pin | undefined;
export const sightOf = (place: Place, {kv}: Pick<Lent, 'kv'>): Sight | undefined => kv.get(sightRow(place)) as Sight | undefined;

/** What is kept of a definition, to show what has changed; `null` where it is too large. */
export const textOf = (definition: Json): Json => (JSON.stringify(definition).length > mostChars ? null : definition);

export const placeIn = (row: string): Place => {
	const name = row.slice(row.indexOf(':') + 1);
	const slash = name.indexOf('/');
	if (slash < 0) return {server: name, show: 'instructions', name: ''};
	const [server = '', kind] = name.slice(0, slash).split('>');
	return {server, show: shows.find(one => one === kind) ?? 'tool', name: name.slice(slash + 1)};
};

const page = 1_000;

/** Every key that begins so, with its value. */
export const rowsOf = function* (prefix: string, {kv}: Pick<Lent, 'kv'>): Generator<{key: string; value: Json}> {
	for (let after: string | undefined; ; ) {
		const rows = kv.list(prefix, {limit: page, ...(after !== undefined && {after})});
		yield* rows;
		const last = rows.at(-1);
		if (rows.length < page || !last) return;
		after = last.key;
	}
};

/** Names by their shelf: tools stand under their server's own name. */
export type Known = ReadonlyMap<string, ReadonlySet<string>>;

const remembered = {version: undefined as Json | undefined, known: new Map<string, Set<string>>()};

/** What servers are known to have, what waits or was rejected too. */
export const knownNames = (lent: Pick<Lent, 'kv'>): Known => {
	const version = lent.kv.get(versionRow);
	if (version === remembered.version && version !== undefined) return remembered.known;
	const known = new Map<string, Set<string>>();
	for (const prefix of ['pin:', 'seen:'])
		for (const {key} of rowsOf(prefix, lent)) {
			const place = placeIn(key);
			if (place.show === 'instructions') continue;
			const names = known.get(shelfOf(place)) ?? new Set<string>();
			known.set(shelfOf(place), names.add(place.name));
		}
	remembered.version = version;
	remembered.known = known;
	return known;
};
