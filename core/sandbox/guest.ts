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
import {type HostCall, type HostStart, openBorrowed} from './borrowed.ts';
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
	parse,
	promiseThen,
	startsWith,
	stringify,
} from './intrinsics.ts';
import {type Prototypes, prototypesOf, type Unread} from './unread.ts';

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

makeBare();

/** The plugin's own code is run inside of `try { … } catch (thrown) { sallyportThrew(thrown) }`: an error never crosses by itself. */
let threw = '';
defineProperty(globalThis, 'sallyportThrew', {
	value: (thrown: unknown) => {
		threw = failure(thrown);
	},
});

/** `stamp`: see openBorrowed. */
export const guest = (hostCall: HostCall, hostStart: HostStart, settled: Settled, stamp?: Int32Array) => {
	let definition: Definition = {};
	const readingOf: Record<string, Reading> = create(null);
	let answerChars = 0;
	let host: unknown;
	const {lend, later, answered} = openBorrowed(hostCall, hostStart, stamp);

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
		resume: answered,
	};
};

export type Guest = ReturnType<typeof guest>;
