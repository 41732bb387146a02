import {setFlagsFromString} from 'node:v8';
import ivm from 'isolated-vm';
import * as z from 'zod';
import type {Access} from '../../plugin-sdk/index.ts';
import type {HookName} from '../../schemas/hooks.ts';
import type {WallScripts} from '../plugins/bundle.ts';
import type {Dispatcher} from './dispatcher.ts';
import type {Guest} from './guest.ts';
import {inPieces} from './pieces.ts';

/** A primitive that crosses the wall; structured fields are JSON text by then. */
export type Value = string | number | boolean | undefined;

/** What a plugin may borrow, from the host's side. Neither ever throws: a reply is '', '=' + JSON, or '!' + {code, message}. */
export type Lender = {
	call(operation: string, argument: string): string;
	/** The reply says whether the work was begun; `done` gets {value} or {error} as JSON. */
	start(operation: string, argument: string, done: (json: string) => void): string;
	/** In shared memory: while [0] stays what it is, so does every answer of `kv.get`. */
	stamp?: Int32Array;
};

export type Resident = {
	name: string;
	code: string;
	/** JSON for the guest: config, declared fields by hook, answerChars. */
	setup: string;
	lender: Lender;
};

/** What an action says of itself. */
export type Deed = {description: string; input?: unknown; access: Access; tenantAdmin: boolean};

/** The guest's answer about itself: what it defines, or what is wrong with its config. */
export type Loaded = {
	hooks: string[];
	actions: Record<string, Deed>;
	config?: unknown;
	/** `zod`: the whole issue as JSON, where zod found it. */
	issues: {path: string[]; message: string; zod?: string}[];
};

export type Plan = {hook: HookName; members: {guest: number; positions: number[]}[]; everyone: boolean};

const loadedSchema = z.object({
	hooks: z.array(z.string()),
	actions: z.record(
		z.string().regex(/^[A-Za-z][\w.-]{0,60}$/, 'the name of an action is letters, digits, dots and dashes'),
		z.object({
			description: z.string(),
			input: z.json().optional(),
			access: z.enum(['read', 'write', 'approve'], 'access is read, write or approve').default('write'),
			tenantAdmin: z.boolean().default(false),
		}),
	),
	config: z.json().optional(),
	issues: z.array(z.object({path: z.array(z.string()), message: z.string(), zod: z.string().optional()})),
});

/** The isolate is gone: stopped by a limit, by the watchdog, or by its own doing. */
export class IsolateLost extends Error {
	/** The resident that was running, by index; -1 when nobody was, or nobody can tell who. */
	readonly culprit: number;
	/** All residents share the memory: whoever asked for the last of it need not be the one who took it. */
	readonly outOfMemory: boolean;
	/** It was found lost before anybody was entered: whatever seemed to run too long has come to its end. */
	readonly idle: boolean;
	constructor(culprit: number, cause: unknown, idle = false) {
		super('the isolate was lost', {cause});
		this.culprit = culprit;
		this.idle = idle;
		this.outOfMemory = cause instanceof Error && cause.message.includes('memory limit');
	}
}

/** One isolate, a context per resident, and a dispatcher that is entered once per hook. */
export type Group = {
	loaded: readonly (Loaded | {failure: string})[];
	/**
	 * [0] odd while inside, another number at each entry, at each resident entered, and at each exit; [1] the resident that is
	 * running, or -1; [2] to [5] what a dispatch is about: plan, from, to, number of fields.
	 */
	beats: Int32Array;
	isolate: ivm.Isolate;
	plan(index: number, plan: Plan): void;
	/** Throws only IsolateLost. */
	dispatch(id: number, plan: number, from: number, to: number, values: readonly Value[]): string;
	act(resident: number, id: number, action: string, input: string, caller: string): string;
	dispose(): void;
};

type Options = {
	scripts: WallScripts;
	memoryMb: number;
	/** Most milliseconds of one entry; undefined where a watchdog stands beside the isolate. */
	entryMs?: number;
	/** Most milliseconds that a resident's code may take to load. */
	loadMs?: number;
	onSettled: (resident: number, id: number, answer: string) => void;
	/** Called once, from inside the entry that failed, and not after `dispose`. */
	onLost: (lost: IsolateLost) => void;
};

const reference = {result: {reference: true}} as const;
const timedOut = 'Script execution timed out.';

/** What is longer than limits.answerChars by more than this was not written by the guest of ours. */
const frameChars = 1_000;

export const openGroup = (
	residents: readonly Resident[],
	{scripts, memoryMb, entryMs, loadMs = 5_000, onSettled, onLost}: Options,
): Group => {
	// V8 13.6 takes the interrupt check out of endless loops around a short counted one, like `for (;;) new Array(1000).fill(1)`:
	// no limit of ours could end them.
	setFlagsFromString('--no-turboshaft-loop-unrolling');
	// Without onCatastrophicError: with it, V8 out of memory puts this thread to sleep for ever instead of ending the process.
	const isolate = new ivm.Isolate({memoryLimit: memoryMb});
	const beats = new Int32Array(new SharedArrayBuffer(24));
	const bounded = entryMs === undefined ? {} : {timeout: entryMs};
	let gone = false;

	/** Disposed, or stopped by a time limit and alive in the middle of nobody knows what; otherwise what was thrown is a promise that a plugin left rejected. */
	const isLost = (cause: unknown): boolean => isolate.isDisposed || (cause instanceof Error && cause.message === timedOut);

	/** Every way in. Entries never nest: no host callback enters again. */
	const inside = <T>(enter: () => T, otherwise: () => T): T => {
		if (gone) throw new IsolateLost(-1, undefined);
		beats[1] = -1;
		const idle = isolate.isDisposed;
		Atomics.add(beats, 0, 1);
		let cause: unknown;
		try {
			return enter();
		} catch (error) {
			if (!isLost(error)) {
				try {
					return otherwise();
				} catch (second) {
					cause = second;
				}
			} else cause = error;
		} finally {
			Atomics.add(beats, 0, 1);
		}
		const lost = new IsolateLost(beats[1]!, cause, idle);
		if (!gone) {
			gone = true;
			if (!isolate.isDisposed) isolate.dispose();
			onLost(lost);
		}
		throw lost;
	};

	const hall = isolate.createContextSync();
	const dispatcher = hall.evalClosureSync(
		`${scripts.dispatcher}\nreturn sallyportDispatcher.dispatcher(new Int32Array($0));`,
		[new ivm.ExternalCopy(beats.buffer).copyInto()],
		reference,
	) as ivm.Reference;
	const method = (name: keyof Dispatcher): ivm.Reference => dispatcher.getSync(name, {reference: true}) as ivm.Reference;
	const [add, addPlan, enter, act, resume, again] = [
		method('add'),
		method('plan'),
		method('dispatch'),
		method('act'),
		method('resume'),
		method('again'),
	];

	/** The answer that a stray rejection was thrown in the place of. */
	const stillThere = (id: number): string => {
		const answer: unknown = again.applySync(undefined, [id], bounded);
		if (typeof answer === 'string') return answer;
		throw new Error('there is no answer');
	};

	const starting =
		({lender}: Resident, index: number) =>
		(operation: string, argument: string, promise: number): string =>
			// In a turn of its own: a plugin that awaits for ever must not keep the event loop from turning.
			lender.start(operation, argument, json => setImmediate(resumed, index, promise, json));
	const resumed = (index: number, promise: number, json: string): void => {
		if (gone) return;
		try {
			inside(
				() => void resume.applySync(undefined, [index, promise, json], bounded),
				() => undefined,
			);
		} catch (error) {
			if (!(error instanceof IsolateLost)) throw error;
		}
	};

	const enterHome = (resident: Resident, index: number): Loaded | {failure: string} => {
		const {name, code, setup, lender} = resident;
		const context = isolate.createContextSync();
		const settle = (id: number, answer: string) => onSettled(index, id, answer);
		const guest = context.evalClosureSync(
			`${scripts.guest}\nreturn sallyportGuest.guest($0, $1, $2, $3 && new Int32Array($3));`,
			[
				new ivm.Callback(lender.call),
				new ivm.Callback(starting(resident, index)),
				new ivm.Callback(settle),
				lender.stamp && new ivm.ExternalCopy(lender.stamp.buffer).copyInto(),
			],
			reference,
		) as ivm.Reference;
		const door = (of: keyof Guest): ivm.Reference => guest.getSync(of, {reference: true}) as ivm.Reference;
		const load = door('load');
		const doors = [door('enter'), door('act'), door('resume')];
		const {answerChars} = JSON.parse(setup) as {answerChars: number};
		add.applySync(undefined, [index, answerChars + frameChars, ...doors.map(it => it.derefInto())]);
		const script = isolate.compileScriptSync(`"use strict";try{${code}\n}catch(thrown){sallyportThrew(thrown)}`, {
			filename: `plugin:${name}`,
		});
		script.runSync(context, {timeout: loadMs});
		const answer = load.applySync(undefined, [setup], {timeout: loadMs}) as string;
		for (const used of [script, load, ...doors, guest]) used.release();
		const said: unknown = JSON.parse(answer.slice(1));
		if (answer[0] !== 'V') return {failure: String((said as {message: unknown}).message)};
		const {success, data, error} = loadedSchema.safeParse(said);
		return success ? data : {failure: `what it defines is not a plugin: ${z.prettifyError(error).slice(0, 500)}`};
	};

	const moveIn = (resident: Resident, index: number): Loaded | {failure: string} => {
		beats[1] = index;
		try {
			return enterHome(resident, index);
		} catch (error) {
			const words = error instanceof Error ? error.message : 'its code threw';
			return {failure: words === timedOut ? `its code took longer than ${loadMs} ms to load` : words.slice(0, 500)};
		}
	};

	return {
		loaded: residents.map(moveIn),
		beats,
		isolate,
		plan(index, plan) {
			inside(
				() => addPlan.applySync(undefined, [index, JSON.stringify(plan)]),
				() => undefined,
			);
		},
		dispatch: (id, plan, from, to, values) =>
			inside(
				() => {
					beats[2] = plan;
					beats[3] = from;
					beats[4] = to;
					beats[5] = values.length;
					return enter.applySync(undefined, [id, ...inPieces(values)], bounded) as string;
				},
				() => stillThere(id),
			),
		act: (resident, id, action, input, caller) =>
			inside(
				() => act.applySync(undefined, [resident, id, action, input, caller], bounded) as string,
				() => stillThere(id),
			),
		dispose() {
			gone = true;
			if (!isolate.isDisposed) isolate.dispose();
		},
	};
};
