import type {HookName} from '../../schemas/hooks.ts';
import type {Manifest} from '../../schemas/manifest.ts';
import type {Lender, Loaded, Value} from '../sandbox/isolate.ts';

/** A plugin that was read, checked and granted, before it moves into a tier. */
export type Admitted = {
	/** The instance's name in the config, unique in the gateway. */
	name: string;
	manifest: Manifest;
	digest: string;
	tier: 'inline' | 'process';
	code: string | Buffer;
	config: Record<string, unknown>;
	lender: Lender;
	/** For the process tier, which answers `kv.get` and the like on its own side of the wire. */
	lent: Lent;
};

/** What a lender's answers are made of, so that a plugin host can make its own: see `core/sandbox/capabilities.ts`. */
export type Lent = {capabilities: readonly string[]; secrets: Readonly<Record<string, string>>};

/** Consecutive plugins of one tier that a hook asks in one crossing. */
export type Run = {
	/** From `numbered`: whoever puts runs together, no two have the same, for tiers remember them by it. */
	id: number;
	hook: HookName;
	members: readonly Admitted[];
	/** The declared fields of all members, each once; a member's own `carried` is `carried@<name>`. */
	paths: readonly string[];
	/** For each member, where in `paths` its reads stand, in the manifest's order. */
	positions: readonly (readonly number[])[];
	/** Ask every member, whatever the others answer. */
	everyone: boolean;
};

let runs = 0;

/** A run with a number that no other run of this process has. */
export const numbered = (run: Omit<Run, 'id'>): Run => ({...run, id: ++runs});

/**
 * One member's answer. `kind` A: a verdict that lets pass. S: another verdict. F: it failed. `body` is JSON: the verdict,
 * or {code, message}.
 */
export type Answer = {place: number; kind: 'A' | 'S' | 'F'; body: string};

/** A place for plugins to live: `core/plugins/inline.ts` and `core/plugins/process.ts`. */
export type Tier = {
	/** What each plugin said of itself, in the order they were given; a failure stops the boot. */
	loaded: readonly (Loaded | {failure: string})[];
	/**
	 * Asks the members of `run` in order, from `from` on, up to the first answer that is not A (all, where `everyone`).
	 * Members that said nothing are not in the answers. Never throws and never rejects: what goes wrong is an F.
	 */
	ask(run: Run, from: number, values: readonly Value[]): readonly Answer[] | Promise<readonly Answer[]>;
	/** The JSON value the action answers. Rejects with GatewayError. */
	act(plugin: string, action: string, input: string, caller: string): Promise<string>;
	close(): Promise<void>;
};

/** What a tier tells the house, for the log and for `/admin/plugins`. */
export type Report = (event: {plugin: string; what: 'stopped' | 'quarantined' | 'back'; reason: string}) => void;
