import type * as z from 'zod';
import type {HandlerAnswer, HookInput, HookName} from '../schemas/hooks.ts';
import type {Host, Json} from './host.ts';

type Handlers<Config> = {
	/** Gets the fields the manifest declares; every other one is undefined. */
	[Name in HookName]?: (input: HookInput<Name>, host: Host<Config>) => HandlerAnswer<Name> | Promise<HandlerAnswer<Name>>;
};

/** Who is calling an action: an operator, or the gateway itself on its first start. */
export type Caller = {actor: string};

export type ActionDefinition<Config> = {
	description: string;
	input: z.ZodType;
	/** Runs in the sandbox; throw `refuse()` for a typed error. */
	run: (input: never, host: Host<Config>, caller: Caller) => Json | Promise<Json>;
};

/** One admin call: `input` is checked before `run` sees it. */
export const action = <Input extends z.ZodType>(definition: {
	description: string;
	input: Input;
	run: (input: z.output<Input>, host: Host<never>, caller: Caller) => Json | Promise<Json>;
}): {description: string; input: z.ZodType; run: (input: never, host: Host<never>, caller: Caller) => Json | Promise<Json>} => definition;

export type PluginDefinition<Config extends z.ZodType> = {
	config: Config;
	hooks: Handlers<z.output<Config>>;
	actions?: Record<string, ActionDefinition<z.output<Config>>>;
};

/** A plugin is a plain object: a config schema, handlers for hooks, and actions. */
export const definePlugin = <Config extends z.ZodType>(plugin: PluginDefinition<Config>): PluginDefinition<Config> => plugin;

/** An error an action answers with on purpose; `code` is one of the catalogue's. */
export const refuse = (code: 'not_found' | 'conflict' | 'invalid_request', message: string): Error =>
	Object.assign(new Error(message), {sallyport: code});
