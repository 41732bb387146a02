import type {Logger} from 'pino';
import type {Kv} from '../store/kv.ts';

/** What processes on one store tell each other about sessions, each with an end. */
export type Subject = 'ended' | 'answer' | 'level' | 'watch';

export type Shared = {
	get(subject: Subject, name: string): string | undefined;
	/** Here at once, elsewhere within a second; forgotten after `ms`, or, where all of them have grown too large together, the largest first. */
	put(subject: Subject, name: string, value: string, ms: number): void;
	drop(subject: Subject, name: string): void;
	onChange(subject: Subject, listener: (name: string, value: string | null) => void): void;
	close(): void;
};

/** No plugin's name holds a dot. */
const space = 'core.mcp';
const sweepMs = 600_000;
const most = 20_000;
/** Of all rows together, names and values: every process on the store has them in memory. */
const mostChars = 33_554_432;

type Entry = {until: number; value: string};

const read = (text: string): Entry => JSON.parse(text) as Entry;

const endsLast = (key: string): number => (key.startsWith('ended:') ? 1 : 0);
const sizeOf = (key: string, entry: Entry | undefined): number => (entry ? key.length + entry.value.length : 0);

export const openShared = (kv: Pick<Kv, 'all' | 'putSoon' | 'onChange'>, log: Logger, largest = mostChars): Shared => {
	const own = new Map<string, Entry>(Object.entries(kv.all(space)).map(([key, text]) => [key, read(text)]));
	let chars = [...own].reduce((sum, [key, entry]) => sum + sizeOf(key, entry), 0);
	const listeners: {subject: Subject; listener: (name: string, value: string | null) => void}[] = [];

	kv.onChange((plugin, entries) => {
		if (plugin !== space) return;
		for (const [key, text] of Object.entries(entries)) {
			chars -= sizeOf(key, own.get(key));
			if (text === null) own.delete(key);
			else own.set(key, read(text));
			chars += sizeOf(key, own.get(key));
			const [subject, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
			for (const told of listeners) if (told.subject === subject) told.listener(name, text === null ? null : read(text).value);
		}
	});

	/** Whoever takes most makes room first: what is small, an end of a session above all, stays. */
	const shrink = (): void => {
		let left = chars;
		const gone: string[] = [];
		for (const [key, entry] of [...own].sort((a, b) => sizeOf(...b) - sizeOf(...a))) {
			if (left <= largest) break;
			left -= sizeOf(key, entry);
			gone.push(key);
		}
		log.warn({rows: gone.length}, 'what processes should know of MCP sessions has grown too large; the largest of it is forgotten');
		write(Object.fromEntries(gone.map(key => [key, null])));
	};

	const write = (entries: Record<string, string | null>): void => {
		kv.putSoon(space, entries).catch(thrown => log.warn({err: thrown}, 'what processes should know of MCP sessions could not be kept'));
	};

	const sweep = setInterval(() => {
		const now = Date.now();
		const rows = [...own];
		const gone = rows.filter(([, {until}]) => until < now);
		const tooMany = Math.max(0, rows.length - gone.length - most);
		// Those that would end first make room; the ends of sessions last of all, since without one a session is alive again.
		const inOrder = ([k, a]: [string, Entry], [l, b]: [string, Entry]): number => endsLast(k) - endsLast(l) || a.until - b.until;
		const next =
			tooMany > 0
				? rows
						.filter(([, {until}]) => until >= now)
						.sort(inOrder)
						.slice(0, tooMany)
				: [];
		const all = [...gone, ...next].map(([key]) => key);
		if (all.length > 0) write(Object.fromEntries(all.map(key => [key, null])));
	}, sweepMs).unref();

	return {
		get(subject, name) {
			const found = own.get(`${subject}:${name}`);
			return found && found.until >= Date.now() ? found.value : undefined;
		},
		put(subject, name, value, ms) {
			write({[`${subject}:${name}`]: JSON.stringify({until: Date.now() + ms, value})});
			if (chars > largest) shrink();
		},
		drop(subject, name) {
			if (own.has(`${subject}:${name}`)) write({[`${subject}:${name}`]: null});
		},
		onChange: (subject, listener) => void listeners.push({subject, listener}),
		close: () => clearInterval(sweep),
	};
};
