import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import type {Duplex} from 'node:stream';
import {frame, frameReader, type ToHost} from '../host/frames.ts';
import type {HostScript} from './script.ts';

/** One plugin-host process. */
export type Child = {
	readonly pid: number | undefined;
	/** From now on `listener` gets what it sends, and what it sent before. */
	listen(listener: Listener): void;
	/** Frames of one turn of the event loop leave in one write. */
	send(kind: ToHost, text: string): void;
	kill(reason: string): void;
	/** Resident memory in bytes; 0 where there is no /proc. */
	rss(): number;
	/** How long its main thread has run on a processor, in all; undefined where the system does not say. */
	busyMs(): number | undefined;
	/** Resolves when the process is gone. */
	end(): Promise<void>;
	readonly gone: boolean;
};

export type Listener = {
	onFrame(kind: string, text: string): void;
	/** Once, after its last frame; `output` is the beginning of what it wrote to stdout and stderr. */
	onGone(reason: string, output: string): void;
};

const outputChars = 4_000;

const flags = ({addon}: HostScript): string[] => ['--permission', '--allow-addons', `--allow-fs-read=${addon}`, '--no-warnings', '-'];

/** Starts a plugin host: no environment, no file but its own native module, no child processes, no workers. */
export const startChild = (script: HostScript, onEnd: () => void): Child => {
	const spawned = spawn(process.execPath, flags(script), {
		env: {},
		cwd: '/',
		stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
		// In a group of its own: Ctrl-C in a terminal must not end it before what runs is finished. Windows would open a window for it.
		detached: process.platform !== 'win32',
	});
	const wire = spawned.stdio[3] as Duplex;
	let listener: Listener | undefined;
	let early: [kind: string, text: string][] = [];
	let reason: string | undefined;
	let output = '';
	let gone = false;
	let batch: Buffer[] = [];

	const kill = (why: string): void => {
		reason ??= why;
		spawned.kill('SIGKILL');
	};

	const listenTo = (text: string): void => {
		if (output.length < outputChars) output += text.slice(0, outputChars - output.length);
	};
	for (const stream of [spawned.stdout, spawned.stderr]) stream?.setEncoding('utf8').on('data', listenTo);

	wire.on(
		'data',
		frameReader(
			(kind, text) => {
				if (listener) listener.onFrame(kind, text);
				else early.push([kind, text]);
			},
			why => kill(`sent garbage: ${why}`),
		),
	);
	// A broken pipe is followed by the end of the process, which says more.
	for (const stream of [wire, spawned.stdin]) stream?.on('error', () => undefined);

	const whenGone = new Promise<void>(resolve => {
		const finish = (why: string): void => {
			if (gone) return;
			gone = true;
			onEnd();
			listener?.onGone(reason ?? why, output);
			resolve();
		};
		spawned.on('error', error => finish(`could not be started: ${error.message}`));
		spawned.on('close', (code, signal) => finish(signal ? `was ended by ${signal}` : `ended with code ${code}`));
	});

	spawned.stdin?.end(script.text);

	const proc = (file: string): string => {
		try {
			return readFileSync(`/proc/${spawned.pid}/${file}`, 'latin1');
		} catch {
			// Other systems have no /proc, and a process that has just ended has none.
			return '';
		}
	};

	const flush = (): void => {
		const bytes = batch.length === 1 ? batch[0]! : Buffer.concat(batch);
		batch = [];
		wire.write(bytes);
	};

	return {
		pid: spawned.pid,
		listen(next) {
			listener = next;
			const frames = early;
			early = [];
			for (const [kind, text] of frames) next.onFrame(kind, text);
		},
		send(kind, text) {
			if (gone) return;
			if (batch.push(frame(kind, text)) === 1) setImmediate(flush);
		},
		kill,
		rss: () => Number(/VmRSS:\s+(\d+) kB/.exec(proc('status'))?.[1] ?? 0) * 1_024,
		busyMs() {
			// https://docs.kernel.org/scheduler/sched-stats.html: the first number is nanoseconds on a processor
			const ns = Number(proc('schedstat').split(' ')[0]);
			return ns > 0 ? ns / 1e6 : undefined;
		},
		end() {
			kill('the gateway ended it');
			return whenGone;
		},
		get gone() {
			return gone;
		},
	};
};
