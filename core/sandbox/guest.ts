/**
 * The side of the wall that a plugin lives on. This file is bundled to a string and run in the plugin's own context
 * before the plugin is, so it keeps the intrinsics it needs before anybody can replace them. Only strings, numbers and
 * booleans cross; nothing is ever thrown across.
 *
 * An answer is one string: '' for nothing, 'A' + a verdict that lets pass, 'S' + any other verdict, 'V' + the value of
 * an action, 'P' when it will come later through `settled`, 'F' + {code, message} for a failure.
 */
import {issueWords} from '../config/kinds.ts';
import {makeBare} from './bare.ts';
import {failure} from './failure.ts';
import {type Field, inputOf, type Value} from './input.ts';
import {
	call,
	create,
	defineProperty,
	freeze,
	getOwnPropertyDescriptor,
	indexOf,
	keys,
	NativeError,
	NativePromise,
	NativeString,
	parse,
	promiseThen,
	slice,
	startsWith,
	stringify,
} from './intrinsics.ts';
import {type Prototypes, prototypesOf, type Unread} from './unread.ts';

type HostCall = (operation: string, argument: string) => string;
type HostStart = (operation: string, argument: string, promise: number) => string;
type Settled = (call: number, answer: string) => void;
type Setup = {config: unknown; hooks: Record<string, Field[]>; unread: Record<string, Unread>; answerChars: number};
/** What a hook hands over; `asks`: it says in which call it is asked. */
type Reading = {fields: Field[]; prototypes: Prototypes; asks: boolean};
type Issue = {path: PropertyKey[]; message: string};
type Schema = {
	safeParse(value: unknown): {success: boolean; data?: unknown; error?: {issues: Issue[]}};
	toJSONSchema?(options?: {io: 'input' | 'output'}): unknown;
};
type Handler = (input: unknown, host: unknown) => unknown;
type Definition = {
	config?: Schema;
	hooks?: Record<string, Handler>;
	actions?: Record<string, Action>;
};
type Action = {
	description: string;
	input: Schema;
	access?: unknown;
	tenantAdmin?: unknown;
	run: (input: unknown, host: unknown, caller: unknown) => unknown;
};

/** Longest argument of a host call, in characters: the host copies it before it can look. */
const mostArgumentChars = 11_000_000;
const mostKeyChars = 500;
/** Of `kv.get`, so much is kept until something changes. */
const mostKnownKeys = 1_000;
const mostKnownChars = 2_000;

makeBare();

/** The plugin's own code is run inside of `try { … } catch (thrown) { sallyportThrew(thrown) }`: an error never crosses by itself. */
let threw = '';
defineProperty(globalThis, 'sallyportThrew', {
	value: (thrown: unknown) => {
		threw = failure(thrown);
	},
});

const deepFreeze = (value: unknown): unknown => {
	if (typeof value !== 'object' || value === null) return value;
	for (const key of keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
	return freeze(value);
};

/** `stamp`: [0] changes whenever an answer of `kv.get` may; without it, each is asked for. */
export const guest = (hostCall: HostCall, hostStart: HostStart, settled: Settled, stamp?: Int32Array) => {
	let definition: Definition = {};
	const readingOf: Record<string, Reading> = create(null);
	let answerChars = 0;
	let host: unknown;
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

	/** What is lent to one call of a hook: a question says in which call it is asked, so that the host knows for whom. */
	const lentTo = ({asking}: Record<string, unknown>): unknown => {
		if (asking === undefined) return host;
		const ask = (question: object) => later('models.ask', {...question, asking});
		return freeze({...(host as object), models: freeze({ask: freeze(ask)})});
	};

	const tooLong = 'F{"code":"plugin_failed","message":"answered with more than limits.answerChars"}';
	const notJson = 'F{"code":"plugin_failed","message":"answered with something that is not JSON"}';

	const verdictText = (value: unknown): string => {
		if (value === undefined || value === null) return '';
		const text = stringify(value);
		if (typeof text !== 'string') return notJson;
		if (text.length > answerChars) return tooLong;
		if (text === '{"verdict":"allow"}') return '';
		// A tag and findings are read by the plugins behind, and a claim may not be granted: they are asked when it is known.
		const letsPass =
			startsWith(text, '{"verdict":"allow"') &&
			indexOf(text, '"tag":', 0) < 0 &&
			indexOf(text, '"findings":', 0) < 0 &&
			indexOf(text, '"claim":', 0) < 0;
		return (letsPass ? 'A' : 'S') + text;
	};
	const actionText = (value: unknown): string => {
		const text = stringify(value ?? null);
		if (typeof text !== 'string') return notJson;
		return text.length > answerChars ? tooLong : `V${text}`;
	};

	/** The answer now, or 'P' and the answer through `settled` when the handler's promise has one. */
	const finish = (id: number, value: unknown, text: (value: unknown) => string): string => {
		const promised = typeof value === 'object' && value !== null && typeof (value as {then?: unknown}).then === 'function';
		if (!promised) return text(value);
		const ok = (late: unknown) => {
			let answer: string;
			try {
				answer = text(late);
			} catch (error) {
				answer = failure(error);
			}
			settled(id, answer);
		};
		// Not Promise.resolve, which would hand back what merely looks like a promise.
		call(promiseThen, new NativePromise(resolve => resolve(value)), ok, (error: unknown) => settled(id, failure(error)));
		return 'P';
	};

	const described = (schema: Schema | undefined): unknown => {
		try {
			return schema?.toJSONSchema?.({io: 'input'});
		} catch {
			return {};
		}
	};

	/** With the whole issue of zod's as JSON, where it can be written: the host has words of its own for it. */
	const toldIssue = (issue: Issue): {path: string[]; message: string; zod?: string} => {
		const told = {path: issue.path.map(String), message: issue.message};
		try {
			return {...told, zod: stringify(issue)};
		} catch {
			// A bigint in it, or a circle: its message says it too.
			return told;
		}
	};

	return {
		/** Reads the plugin's definition and checks its config: 'V' + what it defines, or 'F'. */
		load(setupJson: string): string {
			try {
				if (threw !== '') return threw;
				const setup = parse(setupJson) as Setup;
				const exported = (globalThis as {sallyportPlugin?: {default?: Definition}}).sallyportPlugin?.default;
				if (typeof exported !== 'object' || exported === null)
					throw new NativeError('index.ts has no default export; write export default definePlugin({…})');
				definition = exported;
				for (const hook of keys(setup.hooks)) {
					const fields = setup.hooks[hook]!;
					const asks = fields.some(({path}) => path[0] === 'asking');
					readingOf[hook] = {fields, prototypes: prototypesOf(setup.unread[hook]!, hook), asks};
				}
				answerChars = setup.answerChars;
				const checked = definition.config?.safeParse(setup.config) ?? {success: true, data: setup.config};
				const actions: Record<string, unknown> = {};
				for (const name of keys(definition.actions ?? {})) {
					const {description, input, access, tenantAdmin} = definition.actions![name]!;
					actions[name] = {description, input: described(input), access, tenantAdmin};
				}
				const issues = checked.success ? [] : checked.error!.issues.map(toldIssue);
				if (checked.success) host = lend(checked.data);
				return `V${stringify({hooks: keys(definition.hooks ?? {}), actions, config: described(definition.config), issues})}`;
			} catch (error) {
				return failure(error);
			}
		},

		/** Asks the handler of `hook`; `values` are those of the manifest's reads, in their order. */
		enter(id: number, hook: string, ...values: Value[]): string {
			try {
				const handler = definition.hooks![hook]!;
				const {fields, prototypes, asks} = readingOf[hook]!;
				const input = inputOf(fields, values, prototypes);
				return finish(id, call(handler, definition.hooks, input, asks ? lentTo(input) : host), verdictText);
			} catch (error) {
				return failure(error);
			}
		},

		act(id: number, name: string, inputJson: string, callerJson: string): string {
			try {
				const action = getOwnPropertyDescriptor(definition.actions ?? {}, name)?.value as Action | undefined;
				if (!action) return failure({message: `there is no action ${name}`, sallyport: 'not_found'});
				const checked = action.input.safeParse(parse(inputJson));
				if (!checked.success) {
					return failure({message: checked.error!.issues.map(issueWords).join('; '), sallyport: 'invalid_request'});
				}
				return finish(id, call(action.run, action, checked.data, host, parse(callerJson)), actionText);
			} catch (error) {
				return failure(error);
			}
		},

		/** An awaited host call has its answer; what waits for it runs before this entry ends. */
		resume(promise: number, answer: string): void {
			const resolve = waiting[promise];
			delete waiting[promise];
			resolve?.(answer);
		},
	};
};

export type Guest = ReturnType<typeof guest>;
