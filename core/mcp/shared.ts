import type {Logger} from 'pino';
import type {Kv} from '../store/kv.ts';

/** What processes on one store tell each other about sessions, each with an end. */
export type Subject = 'ended' | 'answer' | 'level' | 'watch';

export type Shared = {
	get(subject: Subject, name: string): string | undefined;
	/** Here at once, elsewhere within a second; forgotten after `ms`. */
	put(subject: Subject, name: string, value: string, ms: number): void;
	drop(subject: Subject, name: string): void;
	onChange(subject: Subject, listener: (name: string, value: string | null) => void): void;
	close(): void;
};

/** No plugin's name holds a dot. */
const space = 'core.mcp';
const sweepMs = 600_000;
const most = 20_000;

type Entry = {until: number; value: string};

const read = (text: string): Entry => JSON.parse(text) as Entry;

export const openShared = (kv: Pick<Kv, 'all' | 'putSoon' | 'onChange'>, log: Logger): Shared => {
	const own = new Map<string, Entry>(Object.entries(kv.all(space)).map(([key, text]) => [key, read(text)]));
	const listeners: {subject: Subject; listener: (name: string, value: string | null) => void}[] = [];

	kv.onChange((plugin, entries) => {
		if (plugin !== space) return;
		for (const [key, text] of Object.entries(entries)) {
			if (text === null) own.delete(key);
			else own.set(key, read(text));
			const [subject, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
			for (const told of listeners) if (told.subject === subject) told.listener(name, text === null ? null : read(text).value);
		}
	});

	const write = (entries: Record<string, string | null>): void => {
		kv.putSoon(space, entries).catch(thrown => log.warn({err: thrown}, 'what processes should know of MCP sessions could not be kept'));
	};

	const sweep = setInterval(() => {
		const now = Date.now();
		const gone = [...own].filter(([, {until}]) => until < now).map(([key]) => key);
		// Those that would end first make room.
		const tooMany = Math.max(0, own.size - gone.length - most);
		const next = tooMany > 0 ? [...own].sort(([, a], [, b]) => a.until - b.until).slice(gone.length, gone.length + tooMany) : [];
		const all = [...gone, ...next.map(([key]) => key)];
		if (all.length > 0) write(Object.fromEntries(all.map(key => [key, null])));
	}, sweepMs).unref();

	return {
		get(subject, name) {
			const found = own.get(`${subject}:${name}`);
			return found && found.until >= Date.now() ? found.value : undefined;
		},
		put: (subject, name, value, ms) => write({[`${subject}:${name}`]: JSON.stringify({until: Date.now() + ms, value})}),
		drop(subject, name) {
			if (own.has(`${subject}:${name}`)) write({[`${subject}:${name}`]: null});
		},
		onChange: (subject, listener) => void listeners.push({subject, listener}),
		close: () => clearInterval(sweep),
	};
};
