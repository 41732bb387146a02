import type * as z from 'zod';
import type {HandlerAnswer, HookInput, HookName} from '../schemas/hooks.ts';
import type {Host, Json} from './host.ts';

type Handlers<Config> = {
	/** Gets the fields the manifest declares; every other one is undefined. */
	[Name in HookName]?: (input: HookInput<Name>, host: Host<Config>) => HandlerAnswer<Name> | Promise<HandlerAnswer<Name>>;
};

/** What an action does: `read` changes nothing, `approve` decides about what somebody else asked for. */
export type Access = 'read' | 'write' | 'approve';

/**
 * `owner` may do everything, `admin` everything within its tenant, `auditor` may read, `approver` may read and approve; a `holder` has a
 * key and is no admin at all.
 */
export type Role = 'owner' | 'admin' | 'auditor' | 'approver' | 'holder';

/** Who is calling an action: an operator, or the gateway itself on its first start. */
export type Caller = {
	actor: string;
	role: Role;
	/** Who has one may reach nothing that is not of this tenant: see `within` and `mayReach`. */
	tenant?: string;
	/** The id of the key that somebody who is no admin calls with: for the manifest's `selfService` alone. */
	key?: string;
};

/** One admin call: `input` is checked before `run` sees it. */
export type ActionDefinition<Input extends z.ZodType, Config> = {
	description: string;
	input: Input;
	/** `write` when left out: an auditor may not call it. */
	access?: Access;
	/** Says that `run` keeps a caller with a tenant to what is of that tenant; without it such a caller is refused. */
	tenantAdmin?: true;
	/** Runs in the sandbox; throw `refuse()` for a typed error. */
	run: (input: z.output<Input>, host: Host<Config>, caller: Caller) => Json | Promise<Json>;
};

/** Types an action that is written outside of `definePlugin`; say `host: Host<…>` where it reads its config. */
export const action = <Input extends z.ZodType, Config = unknown>(
	definition: ActionDefinition<Input, Config>,
): ActionDefinition<Input, Config> => definition;

export type PluginDefinition<Config extends z.ZodType, Inputs extends Record<string, z.ZodType> = Record<string, z.ZodType>> = {
	config: Config;
	hooks: Handlers<z.output<Config>>;
	actions?: {[Name in keyof Inputs]: ActionDefinition<Inputs[Name], z.output<Config>>};
};

/** A plugin is a plain object: a config schema, handlers for hooks, and actions. */
export const definePlugin = <Config extends z.ZodType, Inputs extends Record<string, z.ZodType>>(
	plugin: PluginDefinition<Config, Inputs>,
): PluginDefinition<Config, Inputs> => plugin;

/** An error an action answers with on purpose; `code` is one of the catalogue's. */
export const refuse = (code: 'not_found' | 'conflict' | 'denied' | 'invalid_request' | 'store_unavailable', message: string): Error =>
	Object.assign(new Error(message), {sallyport: code});
