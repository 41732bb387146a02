import {create, freeze, keys, NativeError, NativePromise, NativeString, parse, slice, stringify} from './intrinsics.ts';

export type HostCall = (operation: string, argument: string) => string;
export type HostStart = (operation: string, argument: string, promise: number) => string;

/** Longest argument of a host call, in characters: the host copies it before it can look. */
const mostArgumentChars = 11_000_000;
const mostKeyChars = 500;
/** Of `kv.get`, so much is kept until something changes. */
const mostKnownKeys = 1_000;
const mostKnownChars = 2_000;

const deepFreeze = (value: unknown): unknown => {
	if (typeof value !== 'object' || value === null) return value;
	for (const key of keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
	return freeze(value);
};

/**
 * What a plugin borrows from the host, as an object that it cannot change. `stamp`: [0] changes whenever an answer of `kv.get` may; without it,
 * each is asked for.
 */
export const openBorrowed = (hostCall: HostCall, hostStart: HostStart, stamp: Int32Array | undefined) => {
	let promises = 0;
	const waiting: Record<number, ((json: string) => void) | undefined> = create(null);

	const read = (reply: string): unknown => {
		if (reply === '') return undefined;
		const value = parse(slice(reply, 1));
		if (reply[0] === '=') return value;
		const error = new NativeError(value.message) as Error & {sallyport?: string};
		error.sallyport = value.code;
		throw error;
	};
	const json = (argument: unknown): string => {
		const text = argument === undefined ? '' : stringify(argument);
		if (typeof text !== 'string') throw new NativeError('a host call takes JSON');
		if (text.length > mostArgumentChars) throw new NativeError(`a host call takes ${mostArgumentChars} characters at most`);
		return text;
	};
	const now = (operation: string, argument?: unknown): unknown => read(hostCall(operation, json(argument)));
	const later = (operation: string, argument: unknown): Promise<unknown> =>
		new NativePromise((resolve, reject) => {
			const promise = ++promises;
			waiting[promise] = answer => resolve(parse(answer));
			try {
				read(hostStart(operation, json(argument), promise));
			} catch (error) {
				delete waiting[promise];
				reject(error);
			}
		});
	let known: Record<string, string | undefined> = create(null);
	let knownAt = 0;
	let knownKeys = 0;
	const remembered = (name: string, now: number): string => {
		if (now !== knownAt) {
			known = create(null);
			knownAt = now;
			knownKeys = 0;
		}
		const earlier = known[name];
		if (earlier !== undefined) return earlier;
		const reply = hostCall('kv.get', name);
		if (knownKeys < mostKnownKeys && reply.length < mostKnownChars && reply[0] !== '!') {
			known[name] = reply;
			knownKeys++;
		}
		return reply;
	};
	const get = (key: unknown): unknown => {
		const name = NativeString(key);
		if (name.length > mostKeyChars) return undefined;
		return read(stamp === undefined ? hostCall('kv.get', name) : remembered(name, stamp[0]!));
	};

	const lend = (config: unknown) =>
		deepFreeze({
			config,
			kv: {
				get,
				list: (prefix: string, options = {}) => now('kv.list', {prefix, ...options}),
				put: (entries: unknown) => later('kv.put', entries),
			},
			clock: {now: () => now('clock.now')},
			random: {
				number: () => now('random.number'),
				uuid: () => now('random.uuid'),
				secret: (prefix: string) => now('random.secret', prefix),
			},
			log: {
				info: (message: string, facts?: unknown) => void now('log.info', {message, facts}),
				warn: (message: string, facts?: unknown) => void now('log.warn', {message, facts}),
			},
			metrics: {count: (name: string, by = 1) => void now('metrics.count', {name, by})},
			secrets: {get: (name: string) => now('secrets.get', name)},
			http: {fetch: (request: unknown) => later('http.fetch', request)},
			models: {ask: (question: object) => later('models.ask', question)},
			crypto: {verify: (asked: unknown) => later('crypto.verify', asked)},
			ledger: {
				balance: (account: string, unit: string, window: string, timeZone?: string) =>
					now('ledger.balance', {account, unit, window, timeZone}),
			},
		});

	return {
		lend,
		/** Starts a host call; what it answers comes later, through `answered`. */
		later,
		answered(promise: number, answer: string): void {
			const resolve = waiting[promise];
			delete waiting[promise];
			resolve?.(answer);
		},
	};
};
