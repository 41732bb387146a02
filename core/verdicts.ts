import {type HookName, hooks} from '../schemas/hooks.ts';
import type {Principal} from '../schemas/principal.ts';
import type {Effects} from '../schemas/verdict.ts';
import type {ErrorCode} from './errors.ts';

/** What the engine itself looks at; the rest belongs to effects and to whoever asked. */
export type Verdict = Effects & {
	verdict: string;
	code?: ErrorCode;
	message?: string;
	rule?: string;
	retryAfterMs?: number;
	clear?: number;
	approval?: {reason: string};
	principal?: Principal;
};

const mostRemembered = 2_000;
const mostRememberedChars = 2_000;

/** What many exchanges share, none of them may change. */
const frozen = <T>(value: T): T => {
	if (typeof value !== 'object' || value === null) return value;
	for (const inner of Object.values(value)) frozen(inner);
	return Object.freeze(value);
};

/** A verdict out of what came over a wall: anything may. */
const parsed = (hook: HookName, body: string): {data?: Verdict} => {
	try {
		return hooks[hook].answer.safeParse(JSON.parse(body)) as {data?: Verdict};
	} catch {
		// Not JSON, or nested deeper than the check can follow.
		return {};
	}
};

/** Why it failed, in the words it sent over the wall. */
export const reasonOf = (body: string): string => {
	try {
		const {message} = JSON.parse(body) as {message?: unknown};
		return typeof message === 'string' ? message : 'failed without a reason';
	} catch {
		return 'failed without a reason';
	}
};

/** What may still be done when everything is over: money is settled by then. */
export const afterwards = (verdict: Verdict): Verdict => {
	if (verdict.verdict !== 'allow') return verdict;
	const {annotate, put} = verdict;
	return {verdict: 'allow', ...(annotate && {annotate}), ...(put && {put})};
};

/** Checks answers, each text once: principals and plain verdicts come back letter by letter. Undefined when it is not a verdict. */
export const rememberVerdicts = (): ((hook: HookName, body: string) => Verdict | undefined) => {
	const verdicts = new Map<HookName, Map<string, Verdict>>();
	return (hook, body) => {
		const remembered = verdicts.get(hook) ?? new Map<string, Verdict>();
		const known = remembered.get(body);
		if (known) return known;
		const {data} = parsed(hook, body);
		if (!data || body.length > mostRememberedChars) return data;
		if (remembered.size >= mostRemembered) remembered.clear();
		verdicts.set(hook, remembered.set(body, frozen(data)));
		return data;
	};
};
