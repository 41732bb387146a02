import ivm from 'isolated-vm';
import type {HookName} from '../../schemas/hooks.ts';
import type {WallScripts} from '../plugins/bundle.ts';

/** A primitive that crosses the wall; structured fields are JSON text by then. */
export type Value = string | number | boolean | undefined;

/** What a plugin may borrow, from the host's side. Neither ever throws: a reply is '', '=' + JSON, or '!' + {code, message}. */
export type Lender = {
	call(operation: string, argument: string): string;
	/** The reply says whether the work was begun; `done` gets {value} or {error} as JSON. */
	start(operation: string, argument: string, done: (json: string) => void): string;
};

export type Resident = {
	name: string;
	code: string;
	/** JSON for the guest: config, declared fields by hook, answerChars. */
	setup: string;
	lender: Lender;
};

/** The guest's answer about itself: what it defines, or what is wrong with its config. */
export type Loaded = {
	hooks: string[];
	actions: Record<string, {description: string; input?: unknown}>;
	config?: unknown;
	issues: {path: string[]; message: string}[];
};

export type Plan = {hook: HookName; members: {guest: number; positions: number[]}[]; everyone: boolean};

/** The isolate is gone: stopped by a limit, by the watchdog, or by its own doing. */
export class IsolateLost extends Error {
	/** The resident that was running, by index; -1 when nobody was. */
	readonly culprit: number;
	constructor(culprit: number, cause: unknown) {
		super('the isolate was lost', {cause});
		this.culprit = culprit;
	}
}

/** One isolate, a context per resident, and a dispatcher that is entered once per hook. */
export type Group = {
	loaded: readonly (Loaded | {failure: string})[];
	/** [0] odd while inside, one up at each entry and exit; [1] the resident that is running. */
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
	onSettled: (resident: number, id: number, answer: string) => void;
	onLost: (lost: IsolateLost) => void;
};

const loadMs = 5_000;

export const openGroup = (residents: readonly Resident[], {scripts, memoryMb, entryMs, onSettled, onLost}: Options): Group => {
	const isolate = new ivm.Isolate({memoryLimit: memoryMb, onCatastrophicError: () => onLost(lost(undefined))});
	const beats = new Int32Array(new SharedArrayBuffer(16));
	const bounded = entryMs === undefined ? {} : {timeout: entryMs};
	const lost = (cause: unknown) => new IsolateLost(beats[1]!, cause);
	let gone = false;

	/** Every way in. Entries never nest: no host callback enters again. */
	const inside = <T>(enter: () => T): T => {
		if (gone) throw lost(undefined);
		Atomics.add(beats, 0, 1);
		try {
			return enter();
		} catch (cause) {
			if (!gone) {
				gone = true;
				// A time limit leaves the isolate alive, in the middle of nobody knows what.
				if (!isolate.isDisposed) isolate.dispose();
				onLost(lost(cause));
			}
			throw lost(cause);
		} finally {
			Atomics.add(beats, 0, 1);
		}
	};

	const hall = isolate.createContextSync();
	const dispatcher = hall.evalClosureSync(`${scripts.dispatcher}\nreturn sallyportDispatcher.dispatcher(new Int32Array($0));`, [new ivm.ExternalCopy(beats.buffer).copyInto()], {
		result: {reference: true},
	}) as ivm.Reference;
	const add = dispatcher.getSync('add', {reference: true}) as ivm.Reference;
	const addPlan = dispatcher.getSync('plan', {reference: true}) as ivm.Reference;
	const enter = dispatcher.getSync('dispatch', {reference: true}) as ivm.Reference;
	const guestScript = isolate.compileScriptSync(`${scripts.guest}\nsallyportGuest`, {filename: 'sallyport:guest'});

	const acts: ivm.Reference[] = [];
	const settle = (resident: number) => (id: number, answer: string) => onSettled(resident, id, answer);

	const moveIn = ({name, code, setup, lender}: Resident, index: number): Loaded | {failure: string} => {
		beats[1] = index;
		const context = isolate.createContextSync();
		guestScript.runSync(context, {timeout: loadMs});
		let resume: ivm.Reference | undefined;
		const start = (operation: string, argument: string, promise: number) =>
			lender.start(operation, argument, json => {
				if (gone) return;
				try {
					beats[1] = index;
					inside(() => resume!.applySync(undefined, [promise, json], bounded));
				} catch (error) {
					if (!(error instanceof IsolateLost)) throw error;
				}
			});
		const guest = context.evalClosureSync('const {guest} = sallyportGuest; delete globalThis.sallyportGuest; return guest($0, $1, $2);', [new ivm.Callback(lender.call), new ivm.Callback(start), new ivm.Callback(settle(index))], {
			result: {reference: true},
		}) as ivm.Reference;
		resume = guest.getSync('resume', {reference: true}) as ivm.Reference;
		const load = guest.getSync('load', {reference: true}) as ivm.Reference;
		acts[index] = guest.getSync('act', {reference: true}) as ivm.Reference;
		const entry = guest.getSync('enter', {reference: true}) as ivm.Reference;
		add.applySync(undefined, [index, entry.derefInto()]);
		try {
			const script = isolate.compileScriptSync(code, {filename: `plugin:${name}`});
			script.runSync(context, {timeout: loadMs});
			script.release();
		} catch (error) {
			return {failure: error instanceof Error ? error.message : 'its code threw'};
		}
		const answer = load.applySync(undefined, [setup], {timeout: loadMs}) as string;
		for (const reference of [load, entry, guest]) reference.release();
		const said = JSON.parse(answer.slice(1));
		return answer[0] === 'V' ? (said as Loaded) : {failure: String(said.message)};
	};

	return {
		loaded: residents.map(moveIn),
		beats,
		isolate,
		plan(index, plan) {
			inside(() => addPlan.applySync(undefined, [index, JSON.stringify(plan)]));
		},
		dispatch: (id, plan, from, to, values) => inside(() => enter.applySync(undefined, [id, plan, from, to, ...values], bounded) as string),
		act(resident, id, action, input, caller) {
			beats[1] = resident;
			return inside(() => acts[resident]!.applySync(undefined, [id, action, input, caller], bounded) as string);
		},
		dispose() {
			gone = true;
			if (!isolate.isDisposed) isolate.dispose();
		},
	};
};
