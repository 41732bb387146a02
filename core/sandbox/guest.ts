/**
 * The side of the wall that a plugin lives on. This file is bundled to a string and run in the plugin's own context
 * before the plugin is, so it keeps the intrinsics it needs before anybody can replace them. Only strings, numbers and
 * booleans cross; nothing is ever thrown across.
 *
 * An answer is one string: '' for nothing, 'A' + a verdict that lets pass, 'S' + any other verdict, 'V' + the value of
 * an action, 'P' when it will come later through `settled`, 'F' + {code, message} for a failure.
 */
type HostCall = (operation: string, argument: string) => string;
type HostStart = (operation: string, argument: string, promise: number) => string;
type Settled = (call: number, answer: string) => void;
type Value = string | number | boolean | undefined;
type Field = {path: string[]; crossing: 'plain' | 'json' | 'text'};
type Setup = {config: unknown; hooks: Record<string, Field[]>; answerChars: number};
type Schema = {safeParse(value: unknown): {success: boolean; data?: unknown; error?: {issues: {path: PropertyKey[]; message: string}[]}}; toJSONSchema?(): unknown};
type Handler = (input: unknown, host: unknown) => unknown;
type Definition = {
	config?: Schema;
	hooks?: Record<string, Handler>;
	actions?: Record<string, {description: string; input: Schema; run: (input: unknown, host: unknown, caller: unknown) => unknown}>;
};

const {parse, stringify} = JSON;
const {defineProperty, freeze, getOwnPropertyDescriptor, keys, create} = Object;
const NativePromise = Promise;
const then = Promise.prototype.then;
const call = Function.prototype.call.bind(Function.prototype.call) as (fn: unknown, self: unknown, ...rest: unknown[]) => unknown;
const NativeError = Error;

/** A loop in `prepareStackTrace` would run while an error is copied, outside every limit. */
defineProperty(Error, 'prepareStackTrace', {value: undefined, writable: false, configurable: false});

/** Plain words from anything that may be thrown, without calling what it defines. */
const wordsOf = (thrown: unknown): string => {
	if (typeof thrown === 'string') return thrown;
	if (typeof thrown !== 'object' || thrown === null) return 'threw something that is not an error';
	const message = getOwnPropertyDescriptor(thrown, 'message')?.value;
	return typeof message === 'string' ? message : 'threw something without a message';
};

const codeOf = (thrown: unknown): string => {
	const code = typeof thrown === 'object' && thrown !== null ? getOwnPropertyDescriptor(thrown, 'sallyport')?.value : undefined;
	return typeof code === 'string' ? code : 'plugin_failed';
};

const failure = (thrown: unknown): string => {
	try {
		return `F${stringify({code: codeOf(thrown).slice(0, 60), message: wordsOf(thrown).slice(0, 500)})}`;
	} catch {
		return 'F{"code":"plugin_failed","message":"threw something hostile"}';
	}
};

const deepFreeze = (value: unknown): unknown => {
	if (typeof value !== 'object' || value === null) return value;
	for (const key of keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
	return freeze(value);
};

/** `count,length,length…\n` and then all parts in one string: cutting it up copies no characters. */
const partsOf = (packed: string): string[] => {
	const start = packed.indexOf('\n');
	const parts: string[] = [];
	let at = start + 1;
	for (const length of packed.slice(0, start).split(',')) {
		if (length === '') continue;
		const end = at + Number(length);
		parts.push(packed.slice(at, end));
		at = end;
	}
	return parts;
};

const valueOf = (field: Field, value: Value): unknown => {
	if (typeof value !== 'string' || field.crossing === 'plain') return value;
	return field.crossing === 'text' ? partsOf(value) : parse(value);
};

/** {principal: {accounts}} out of the declared paths and their values, in the plugin's own realm. */
const inputOf = (fields: Field[], values: Value[]): Record<string, unknown> => {
	const input: Record<string, unknown> = {};
	for (let index = 0; index < fields.length; index++) {
		const field = fields[index]!;
		const value = valueOf(field, values[index]);
		const [first, second] = field.path as [string, string | undefined];
		if (second === undefined || second === '*') {
			input[first] = value;
			continue;
		}
		const inner = (input[first] ??= {}) as Record<string, unknown>;
		inner[second] = value;
	}
	return input;
};

export const guest = (hostCall: HostCall, hostStart: HostStart, settled: Settled) => {
	let definition: Definition = {};
	let fieldsOf: Record<string, Field[]> = create(null);
	let answerChars = 0;
	let host: unknown;
	let promises = 0;
	const waiting = new Map<number, (json: string) => void>();

	const read = (reply: string): unknown => {
		if (reply === '') return undefined;
		const value = parse(reply.slice(1));
		if (reply[0] === '=') return value;
		throw Object.assign(new NativeError(value.message), {sallyport: value.code});
	};
	const now = (operation: string, argument?: unknown): unknown => read(hostCall(operation, argument === undefined ? '' : stringify(argument)));
	const later = (operation: string, argument: unknown): Promise<unknown> =>
		new NativePromise((resolve, reject) => {
			const promise = ++promises;
			waiting.set(promise, json => resolve(parse(json)));
			try {
				read(hostStart(operation, stringify(argument), promise));
			} catch (error) {
				waiting.delete(promise);
				reject(error);
			}
		});

	const lend = (config: unknown) =>
		deepFreeze({
			config,
			kv: {
				get: (key: string) => read(hostCall('kv.get', String(key))),
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
			ledger: {
				balance: (account: string, unit: string, window: string, timeZone?: string) =>
					now('ledger.balance', {account, unit, window, timeZone}),
			},
		});

	const verdictText = (value: unknown): string => {
		if (value === undefined || value === null) return '';
		const json = stringify(value);
		if (typeof json !== 'string') return 'F{"code":"plugin_failed","message":"answered with something that is not JSON"}';
		if (json.length > answerChars) return 'F{"code":"plugin_failed","message":"answered with more than limits.answerChars"}';
		if (json === '{"verdict":"allow"}') return '';
		return (json.startsWith('{"verdict":"allow"') ? 'A' : 'S') + json;
	};
	const actionText = (value: unknown): string => {
		const json = stringify(value ?? null);
		if (json.length > answerChars) return 'F{"code":"plugin_failed","message":"answered with more than limits.answerChars"}';
		return `V${json}`;
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
		call(then, NativePromise.resolve(value), ok, (error: unknown) => settled(id, failure(error)));
		return 'P';
	};

	const described = (schema: Schema | undefined): unknown => {
		try {
			return schema?.toJSONSchema?.();
		} catch {
			return {};
		}
	};

	return {
		/** Reads the plugin's definition and checks its config: 'V' + what it defines, or 'F'. */
		load(setupJson: string): string {
			try {
				const setup = parse(setupJson) as Setup;
				const exported = (globalThis as {sallyportPlugin?: {default?: Definition}}).sallyportPlugin?.default;
				if (typeof exported !== 'object' || exported === null) throw new NativeError('index.ts has no default export; write export default definePlugin({…})');
				definition = exported;
				fieldsOf = setup.hooks;
				answerChars = setup.answerChars;
				const checked = definition.config?.safeParse(setup.config) ?? {success: true, data: setup.config};
				const actions: Record<string, unknown> = {};
				for (const name of keys(definition.actions ?? {})) {
					const {description, input} = definition.actions![name]!;
					actions[name] = {description, input: described(input)};
				}
				const issues = checked.success ? [] : checked.error!.issues.map(({path, message}) => ({path: path.map(String), message}));
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
				return finish(id, call(handler, definition.hooks, inputOf(fieldsOf[hook]!, values), host), verdictText);
			} catch (error) {
				return failure(error);
			}
		},

		act(id: number, name: string, inputJson: string, callerJson: string): string {
			try {
				const action = getOwnPropertyDescriptor(definition.actions ?? {}, name)?.value as NonNullable<Definition['actions']>[string] | undefined;
				if (!action) return failure({message: `there is no action ${name}`, sallyport: 'not_found'});
				const checked = action.input.safeParse(parse(inputJson));
				if (!checked.success) {
					const words = checked.error!.issues.map(({path, message}) => `${path.map(String).join('.') || 'input'}: ${message}`);
					return failure({message: words.join('; '), sallyport: 'invalid_request'});
				}
				return finish(id, call(action.run, action, checked.data, host, parse(callerJson)), actionText);
			} catch (error) {
				return failure(error);
			}
		},

		/** An awaited host call has its answer; what waits for it runs before this entry ends. */
		resume(promise: number, json: string): void {
			const resolve = waiting.get(promise);
			waiting.delete(promise);
			resolve?.(json);
		},
	};
};

export type Guest = ReturnType<typeof guest>;
