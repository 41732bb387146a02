import {Socket} from 'node:net';
import {setFlagsFromString} from 'node:v8';
import type {Value} from '../../sandbox/isolate.ts';
import {
	type ActBody,
	type AskBody,
	type ChangeBody,
	type DoneBody,
	type FromHost,
	frame,
	frameReader,
	type Guest,
	type RunBody,
	type Scripts,
} from './frames.ts';
import {failed, type Home} from './home.ts';
import {isolateHome} from './isolate-home.ts';
import {type Lent, lendHere} from './lending.ts';
import {askMembers, type Resident} from './run.ts';

/**
 * A plugin host: reads frames on descriptor 3, works them off one after the other, and ends when the gateway does. What it
 * is told to do is acknowledged only when no code of a plugin runs any more on its account, so that whoever hangs is known.
 */
const wire = new Socket({fd: 3, readable: true, writable: true});
const leave = () => process.exit(0);
wire.on('close', leave);
wire.on('error', leave);

const send = (kind: FromHost, text: string): void => void wire.write(frame(kind, text));

type Neighbour = Resident & {lent: Lent; actionMs: number};
const residents = new Map<string, Neighbour>();
const runs = new Map<number, RunBody>();
let scripts: Scripts | undefined;
let wasmPages = 0;
const starts = new Map<number, (json: string) => void>();
let startCount = 0;

/** Whether plugin code may still run on account of the frame at hand, in microtasks. */
let stirred = false;
let holds = 0;
let release: (() => void) | undefined;
const hold = (): (() => void) => {
	holds++;
	return () => {
		if (--holds === 0) release?.();
	};
};

/** Lines and counts that one frame may cause; more are dropped. */
const mostSaid = 100;
let said = 0;

const connection = {
	start: (plugin: string, operation: string, argument: string) =>
		new Promise<string>(resolve => {
			const start = ++startCount;
			starts.set(start, resolve);
			send('H', JSON.stringify([plugin, start, operation, argument]));
		}),
	say(plugin: string, operation: string, argument: string): void {
		if (++said <= mostSaid) send('S', JSON.stringify([plugin, operation, argument]));
	},
	stir(): void {
		stirred = true;
	},
	hold,
};

const moveIn = async (guest: Guest): Promise<void> => {
	const lent = lendHere(guest, connection);
	const onLost = (reason: string) => send('X', JSON.stringify([guest.name, reason]));
	let home: Home;
	if (guest.runtime === 'isolate') home = isolateHome(guest, {scripts: scripts!, lender: lent.lender, onLost});
	else {
		// Not a command-line flag: those make V8 refuse its own code cache, and this process has to start fast.
		wasmPages = Math.max(wasmPages, guest.limits.memoryMb * 16);
		setFlagsFromString(`--wasm-max-mem-pages=${wasmPages}`);
		const {wasmHome} = await import('../../sandbox/wasm.ts');
		home = wasmHome(guest, {lender: lent.lender, hold});
	}
	const {timeoutMs, actionMs} = guest.limits;
	residents.set(guest.name, {home, lent, timeoutMs, actionMs});
};

const loadAll = async (): Promise<void> => {
	const loaded: unknown[] = [];
	for (const {home} of residents.values()) {
		send('M', `0\n${loaded.length}\n`);
		loaded.push(await home.load());
	}
	send('L', JSON.stringify(loaded));
};

/** An answer that is ready before its frame is acknowledged goes out with the acknowledgement. */
let present: {call: number; answers?: string} | undefined;
const answer = (call: number, answers: string): void => {
	if (present?.call === call) present.answers = answers;
	else send('a', `${call}\n${answers}`);
};

const ask = ([call, id, from, to, careful, given]: AskBody): void => {
	const values = given.map(value => value ?? undefined) as Value[];
	const onStep = careful ? (next: number, answers: string) => send('M', `${call}\n${next}\n${answers}`) : undefined;
	const answers = askMembers(from, {run: runs.get(id)!, to, residents, values, onStep, onLate: late => answer(call, late)});
	if (answers === undefined) stirred = true;
	else answer(call, answers);
};

const act = ([call, plugin, action, input, caller]: ActBody): void => {
	const {home, actionMs} = residents.get(plugin)!;
	let over = false;
	const finish = (text: string): void => {
		if (over) return;
		over = true;
		clearTimeout(late);
		answer(call, text);
	};
	const late = setTimeout(() => {
		home.abandoned();
		finish(failed('did not answer within limits.actionMs'));
	}, actionMs);
	const text = home.act(action, input, caller, finish);
	if (text === 'P') stirred = true;
	else finish(text);
};

const done = ([, start, json]: DoneBody): void => {
	stirred = true;
	starts.get(start)?.(json);
	starts.delete(start);
};

/** Does what one frame says; undefined when it is no work and wants no acknowledgement. */
const handle = (kind: string, text: string): undefined | 'work' => {
	const body = JSON.parse(text);
	present = undefined;
	if (kind === 'B') {
		scripts = body;
		return undefined;
	}
	if (kind === 'R') {
		runs.set((body as RunBody).id, body);
		return undefined;
	}
	if (kind === 'C') {
		const [plugin, entries] = body as ChangeBody;
		residents.get(plugin)?.lent.change(entries);
		return undefined;
	}
	if (kind === 'Q' || kind === 'T') present = {call: body[0]};
	if (kind === 'P' || kind === 'L') {
		stirred = true;
		void (kind === 'P' ? moveIn(body) : loadAll()).finally(hold());
	}
	if (kind === 'Q') ask(body);
	if (kind === 'T') act(body);
	if (kind === 'D') done(body);
	return 'work';
};

const frames: [kind: string, text: string][] = [];
let busy = false;
let flushing = false;

/** `drain` is not for this: it comes only after more was left to write than a stream likes to hold. */
const flush = (): void => {
	if (flushing) return;
	flushing = true;
	wire.write('', () => {
		flushing = false;
		work();
	});
};

const acknowledge = (): void => {
	const ready = present;
	present = undefined;
	if (ready?.answers === undefined) send('K', '');
	else send('A', `${ready.call}\n${ready.answers}`);
};

/** After an immediate every microtask has run; what is held is waited for. */
const settle = (): void => {
	setImmediate(() => {
		if (holds > 0) {
			release = settle;
			return;
		}
		release = undefined;
		busy = false;
		acknowledge();
		work();
	});
};

const work = (): void => {
	while (frames.length > 0 && !busy) {
		// What the gateway has not been told yet would be blamed on the wrong plugin.
		if (wire.writableLength > 0) {
			flush();
			return;
		}
		stirred = false;
		said = 0;
		const [kind, text] = frames.shift()!;
		if (handle(kind, text) === undefined) continue;
		if (!stirred) {
			acknowledge();
			continue;
		}
		busy = true;
		settle();
	}
};

wire.on(
	'data',
	frameReader(
		(kind, text) => void frames.push([kind, text]),
		() => process.exit(1),
	),
);
wire.on('data', work);
