import {hash} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject, objectsOf} from '../llm/json.ts';
import {canonicalNumber} from '../llm/numbers.ts';
import type {Asking, Link} from './link.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Shelf} from './shelf.ts';

/** The four lists of a server: the method, the field of its answer, and the field that names an entry. */
export const lists = {
	'tools/list': {field: 'tools', key: 'name', needs: 'tools'},
	'prompts/list': {field: 'prompts', key: 'name', needs: 'prompts'},
	'resources/list': {field: 'resources', key: 'uri', needs: 'resources'},
	'resources/templates/list': {field: 'resourceTemplates', key: 'uriTemplate', needs: 'resources'},
} as const;
export type ListMethod = keyof typeof lists;

/** One entry of a list as its server wrote it, and the SHA-256 of that in canonical JSON. */
export type Entry = {server: string; name: string; definition: JsonObject; digest: string};

const mostPages = 50;
const mostEntries = 2_000;
/** Of one entry, and of a whole list, in characters of JSON: every plugin that reads lists is handed all of it. */
const mostEntryChars = 131_072;
const mostListChars = 1_048_576;
/** How long a definition is believed that no server has said to have changed. */
const freshMs = 60_000;

/** JSON with sorted keys and each number in one way (RFC 8785, and for numbers that no double holds their digits). */
export const canonical = (value: unknown): string => {
	if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
	if (JSON.isRawJSON(value)) return canonicalNumber(value.rawJSON);
	if (!isObject(value)) return JSON.stringify(value);
	const fields = Object.keys(value)
		.sort()
		.map(key => `${JSON.stringify(key)}:${canonical(value[key])}`);
	return `{${fields.join(',')}}`;
};

const sha256 = (text: string): string => hash('sha256', text, 'hex');

/** The SHA-256 of a JSON value, whatever the order of its fields. */
export const digestOf = (value: unknown): string => sha256(canonical(value));

const longestName = 2_000;

/** Ends the wait, and not what is waited for: that may be everybody's. */
const inTime = async <T>(work: Promise<T>, timeoutMs: number, tooLate: () => GatewayError): Promise<T> => {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(tooLate()), timeoutMs);
	});
	try {
		return await Promise.race([work, late]);
	} finally {
		clearTimeout(timer);
	}
};

type Written = Pick<Entry, 'definition' | 'digest'> & {chars: number};

/** What one link's server offers. Definitions are remembered for calls; a list is always asked for. */
export type Catalogue = {
	/** Every entry, of all pages, in `timeoutMs` as a whole. One that has no name, or that of one before it, is left out. */
	list(method: ListMethod, asking: Asking): Promise<Entry[]>;
	/** The names of a list, perhaps of a moment ago. */
	known(method: ListMethod, asking: Asking): Promise<ReadonlyMap<string, Entry>>;
};

/** `shelf` is shared by all conversations with a server. */
export const openCatalogue = (server: string, link: Link, shelf: Shelf<Entry>, now = Date.now): Catalogue => {
	const remembered = new Map<ListMethod, {at: number; place: string}>();
	link.onNotice(method => {
		if (method === 'notifications/tools/list_changed') remembered.delete('tools/list');
		if (method === 'notifications/prompts/list_changed') remembered.delete('prompts/list');
	});

	const pages = async (method: ListMethod, asking: Asking, left: () => number): Promise<Written[]> => {
		const {field} = lists[method];
		const found: Written[] = [];
		const tooLarge = (why: string) => new GatewayError('upstream_too_large', `The list ${field} of the MCP server "${server}" ${why}.`);
		let chars = 0;
		const cursors = new Set<string>();
		let cursor: string | undefined;
		for (let page = 0; page < mostPages; page++) {
			const result = await link.request(method, cursor === undefined ? {} : {cursor}, {...asking, timeoutMs: left()});
			for (const [, definition] of objectsOf(result[field])) {
				const text = canonical(definition);
				chars += text.length;
				if (text.length > mostEntryChars) throw tooLarge('has an entry that is too large');
				if (chars > mostListChars) throw tooLarge('is too large');
				found.push({definition, digest: sha256(text), chars: text.length});
			}
			const {nextCursor} = result;
			if (found.length > mostEntries) break;
			// Servers say '' too where there is no more.
			if (typeof nextCursor !== 'string' || nextCursor === '') return found;
			if (cursors.has(nextCursor)) break;
			cursors.add(nextCursor);
			cursor = nextCursor;
		}
		throw tooLarge('does not come to an end');
	};

	const seen = async (method: ListMethod, asking: Asking): Promise<ReadonlyMap<string, Entry>> => {
		const {key, needs, field} = lists[method];
		const {timeoutMs} = asking;
		const tooLate = () =>
			new GatewayError('upstream_timeout', `The list ${field} of the MCP server "${server}" took longer than ${timeoutMs} ms.`);
		const until = performance.now() + timeoutMs;
		const left = (): number => {
			const ms = Math.ceil(until - performance.now());
			if (ms <= 0) throw tooLate();
			return ms;
		};
		const {capabilities} = await inTime(link.facts(asking), timeoutMs, tooLate);
		if (!isObject(capabilities[needs])) return new Map();
		const entries = new Map<string, Entry>();
		let size = 0;
		try {
			for (const {definition, digest, chars} of await pages(method, asking, left)) {
				const name = definition[key];
				if (typeof name !== 'string' || name === '' || name.length > longestName || entries.has(name)) continue;
				entries.set(name, {server, name, definition, digest});
				size += chars;
			}
		} catch (thrown) {
			if (thrown instanceof GatewayError && thrown.code === 'upstream_timeout') throw tooLate();
			// It has resources and no templates, say.
			if (!(thrown instanceof RpcError) || thrown.code !== rpcCodes.unknownMethod) throw thrown;
		}
		const place = shelf.put(entries, size);
		remembered.set(method, {at: now(), place});
		return shelf.get(place) ?? entries;
	};

	return {
		list: async (method, asking) => [...(await seen(method, asking)).values()],
		async known(method, asking) {
			const found = remembered.get(method);
			const kept = found && now() - found.at < freshMs ? shelf.get(found.place) : undefined;
			return kept ?? seen(method, asking);
		},
	};
};
