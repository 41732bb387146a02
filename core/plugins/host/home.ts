import type {Loaded, Value} from '../../sandbox/isolate.ts';

/**
 * Where one plugin lives in its host. An answer is that of the guest (`core/sandbox/guest.ts`): '', or A, S, F or V and
 * JSON; 'P' means that `settled` will get it.
 */
export type Home = {
	load(): Promise<Loaded | {failure: string}>;
	enter(hook: string, values: Value[], settled: (answer: string) => void): string;
	act(action: string, input: string, caller: string, settled: (answer: string) => void): string;
	/** A call that was waited for in vain: its answer, should it come, is of no use. */
	abandoned(): void;
};

export const failed = (message: string, code = 'plugin_failed'): string => `F${JSON.stringify({code, message: message.slice(0, 500)})}`;
