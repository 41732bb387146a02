import type {Host, Json} from '../../plugin-sdk/index.ts';
import type {Config} from './config.ts';
import {mostChars} from './findings.ts';

export type Lent = Pick<Host<Config>, 'config' | 'kv' | 'clock' | 'random' | 'log'>;

/** What somebody approved; nobody, where it was trusted at first sight. `at` in milliseconds since 1970. */
export type Pin = {digest: string; at: number; by?: string; found?: string[]};
/** What was seen last and is not the pin. */
export type Sight = {digest: string; at: number; rejectedBy?: string; found?: string[]};

/** A tool, or without a name the instructions of a server. No server's name holds a slash. */
export type Place = {server: string; tool: string | undefined};

const nameOf = ({server, tool}: Place): string => (tool === undefined ? server : `${server}/${tool}`);

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
	return slash < 0 ? {server: name, tool: undefined} : {server: name.slice(0, slash), tool: name.slice(slash + 1)};
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

export type Known = ReadonlyMap<string, ReadonlySet<string>>;

const remembered = {version: undefined as Json | undefined, known: new Map<string, Set<string>>()};

/** The tools that servers are known to have, those that wait or were rejected too. */
export const knownTools = (lent: Pick<Lent, 'kv'>): Known => {
	const version = lent.kv.get(versionRow);
	if (version === remembered.version && version !== undefined) return remembered.known;
	const known = new Map<string, Set<string>>();
	for (const prefix of ['pin:', 'seen:'])
		for (const {key} of rowsOf(prefix, lent)) {
			const {server, tool} = placeIn(key);
			if (tool === undefined) continue;
			const tools = known.get(server) ?? new Set<string>();
			known.set(server, tools.add(tool));
		}
	remembered.version = version;
	remembered.known = known;
	return known;
};
