import type * as z from 'zod';
import {type HookName, hooks} from '../schemas/hooks.ts';
import type {Principal} from '../schemas/principal.ts';
import type {Effects, hold} from '../schemas/verdict.ts';
import type {ErrorCode} from './errors.ts';

type Unit = keyof NonNullable<Effects['settle']>;

/** What the engine itself looks at; the rest belongs to effects and to whoever asked. */
export type Verdict = Effects & {
	verdict: string;
	code?: ErrorCode;
	message?: string;
	rule?: string;
	retryAfterMs?: number;
	scopes?: readonly string[];
	clear?: number;
	approval?: z.output<typeof hold>['approval'];
	principal?: Principal;
};

const mostRemembered = 2_000;
const mostRememberedChars = 4_000;

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
	const {annotate, put, findings} = verdict;
	return {verdict: 'allow', ...(annotate && {annotate}), ...(put && {put}), ...(findings && {findings})};
};

/** Amounts of reservations and of what settles them: one such number is as good as another. */
const amounts = /"(amount|microUsd|tokens|inputTokens|outputTokens|requests|toolCalls)":(0|[1-9]\d{0,11})(?=[,}])/g;

/** A verdict that was checked, and where the amounts of its text go: from which one on to its reservations, and which to what it settles. */
type Shape = {
	verdict: Verdict;
	found: number;
	reserves: number;
	settles: readonly (readonly [unit: Unit, at: number])[];
	/** The text that came last. */
	last: string;
};

const ofAmounts: ReadonlySet<string> = new Set(['verdict', 'reserve', 'orElse', 'settle'] satisfies (keyof Verdict)[]);

/** Undefined when there is anything in it that an amount could be mistaken for. */
const shapeOf = (verdict: Verdict, body: string, found: number): Shape | undefined => {
	const raw = JSON.parse(body) as Pick<Verdict, 'reserve' | 'settle'>;
	const {reserve = [], settle = {}} = raw;
	const units = Object.keys(settle) as Unit[];
	if (found !== reserve.length + units.length || !Object.keys(verdict).every(key => ofAmounts.has(key))) return undefined;
	const isSettledFirst = Object.keys(raw).find(key => key === 'reserve' || key === 'settle') === 'settle';
	const settlesFrom = isSettledFirst ? 0 : reserve.length;
	const settles = units.map((unit, index) => [unit, settlesFrom + index] as const);
	return {verdict, found, reserves: isSettledFirst ? units.length : 0, settles, last: body};
};

const filled = ({verdict, reserves, settles}: Shape, numbers: readonly number[]): Verdict => {
	const whole = {...verdict};
	if (verdict.reserve) whole.reserve = verdict.reserve.map((one, index) => ({...one, amount: numbers[reserves + index]!}));
	if (settles.length > 0) whole.settle = Object.fromEntries(settles.map(([unit, at]) => [unit, numbers[at]!]));
	return whole;
};

/** Undefined when an answer is not a verdict of the hook. */
export type CheckVerdict = (hook: HookName, body: string) => Verdict | undefined;

/**
 * Checks answers, each text once: principals and plain verdicts come back letter by letter, and those of limits but for their amounts.
 * Undefined when it is not a verdict.
 */
export const rememberVerdicts = (): CheckVerdict => {
	const verdicts = new Map<HookName, Map<string, Verdict | Shape>>();
	return (hook, body) => {
		const remembered = verdicts.get(hook) ?? new Map<string, Verdict | Shape>();
		verdicts.set(hook, remembered);
		if (body.length > mostRememberedChars) return parsed(hook, body).data;
		const same = remembered.get(body);
		if (same && !('reserves' in same)) return same;
		const numbers: number[] = [];
		const text = body.replace(amounts, (_, name: string, digits: string) => {
			numbers.push(+digits);
			return `"${name}":#`;
		});
		const alike = remembered.get(text);
		if (alike && 'reserves' in alike && alike.found === numbers.length) {
			const verdict = filled(alike, numbers);
			// Calls of a tool cost the same each time; of a model hardly ever, and those are not to fill the memory.
			if (alike.last === body && remembered.size < mostRemembered) remembered.set(body, frozen(verdict));
			alike.last = body;
			return verdict;
		}
		const {data} = parsed(hook, body);
		if (!data) return undefined;
		if (remembered.size >= mostRemembered) remembered.clear();
		const shape = numbers.length > 0 ? shapeOf(data, body, numbers.length) : undefined;
		frozen(data);
		remembered.set(shape ? text : body, shape ?? data);
		return data;
	};
};
