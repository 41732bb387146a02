import {hash} from 'node:crypto';

/** The longest name of a tool that all common clients take, with what they put before it. */
export const longestName = 60;

const between = '__';

/** What many fonts show alike, of the characters that a plain name holds: a name that folds to the same as another could be taken for it. */
const folded = (name: string): string => name.toLowerCase().replaceAll('0', 'o').replaceAll(/[1i]/g, 'l').replaceAll('-', '_');

/** `times`: how many of these were somebody else's name already. */
const marked = (server: string, name: string, times: number): string => {
	const digest = hash('sha256', JSON.stringify(times === 0 ? [server, name] : [server, name, times]), 'hex').slice(0, 8);
	const plain = `${server}${between}${name.slice(0, longestName).replace(/[^A-Za-z0-9_.-]/g, '_')}`;
	return `${plain.slice(0, longestName - digest.length - 1)}_${digest}`;
};

/**
 * The names that a server's things go by beside those of other servers: `server__name`, at most `longestName` characters. A name that does
 * not fit, holds other characters, or reads like another one of its server's gets a digest at its end, and another one where a server has
 * that as a name too; which one, their order among each other decides, never the order they came in. Answers by the new name; a name that
 * stands there twice is there once.
 */
export const prefixed = (server: string, names: readonly string[]): Map<string, string> => {
	const shown = new Map<string, string>();
	const looks = new Set<string>();
	const others: string[] = [];
	for (const name of [...new Set(names)].sort((a, b) => (a < b ? -1 : 1))) {
		const plain = `${server}${between}${name}`;
		const isPlain = plain.length <= longestName && /^[A-Za-z0-9_.-]+$/.test(name);
		const look = isPlain && folded(name);
		if (look === false || looks.has(look)) {
			others.push(name);
		} else {
			shown.set(plain, name);
			looks.add(look);
		}
	}
	for (const name of others) {
		let mark = marked(server, name, 0);
		for (let times = 1; shown.has(mark); times++) mark = marked(server, name, times);
		shown.set(mark, name);
	}
	return shown;
};

const kept = new WeakMap<ReadonlyMap<string, unknown>, ReadonlyMap<string, string>>();

/** The same of one server's list, by its names; worked out once for as long as the list is kept. */
export const prefixedIn = (server: string, list: ReadonlyMap<string, unknown>): ReadonlyMap<string, string> => {
	const known = kept.get(list);
	if (known) return known;
	const shown = prefixed(server, [...list.keys()]);
	kept.set(list, shown);
	return shown;
};

/** Whether a name at the common door may be one that ends in a digest. */
export const isMarked = (name: string): boolean => /_[0-9a-f]{8}$/.test(name);

/** The server that a prefixed name belongs to: no server's name holds what stands between. */
export const serverIn = (name: string): string | undefined => {
	const at = name.indexOf(between);
	return at > 0 ? name.slice(0, at) : undefined;
};

const scheme = 'mcp+';

/** A server's resource among those of other servers: `mcp+files:file:///a.txt`. */
export const prefixedUri = (server: string, uri: string): string => `${scheme}${server}:${uri}`;

/** Whose resource it is, and what its server calls it. */
export const uriIn = (uri: string): {server: string; uri: string} | undefined => {
	const [, server, own] = /^mcp\+([a-z][a-z0-9-]*):(.+)$/s.exec(uri) ?? [];
	return server === undefined ? undefined : {server, uri: own!};
};
