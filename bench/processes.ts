import {type ChildProcess, spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {type Command, pinned} from './tools.ts';

const ticksPerSecond = 100; // USER_HZ, the same on every Linux

const read = (path: string) => {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return ''; // the process ended between being listed and being read
	}
};

/** The fields of /proc/<pid>/stat after the program's name, which may hold spaces: [state, ppid, …, utime at 11, stime at 12]. */
const stat = (pid: number) =>
	read(`/proc/${pid}/stat`)
		.replace(/^.*\) /s, '')
		.split(' ');

/** A process and everything it started. */
export function family(pid: number): number[] {
	const all = readdirSync('/proc')
		.filter(name => /^\d+$/.test(name))
		.map(Number);
	const parents = new Map(all.map(each => [each, Number(stat(each)[1])]));
	const members = [pid];
	for (const member of members) members.push(...all.filter(each => parents.get(each) === member));
	return members;
}

export const cpuUs = (pids: number[]) =>
	pids.reduce((sum, pid) => sum + ((Number(stat(pid)[11] ?? 0) + Number(stat(pid)[12] ?? 0)) * 1e6) / ticksPerSecond, 0);

const memoryMb = (pid: number, field: string) =>
	Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024;

export const rssMb = (pid: number) => Math.round(memoryMb(pid, 'VmRSS'));

export function memory(pid: number) {
	const pids = family(pid);
	const sum = (field: string) => Math.round(pids.reduce((total, each) => total + memoryMb(each, field), 0));
	return {rssMb: sum('VmRSS'), peakMb: sum('VmHWM'), processes: pids.length};
}

export interface Running {
	child: ChildProcess;
	pid: number;
	/** What it has said so far, both streams. */
	said: () => string;
	alive: () => boolean;
}

const most = 20_000;

/** Starts it in a process group of its own, so that `stop` can end all of it. */
export function run(command: Command, core: number | undefined, options: {cwd?: string; env?: Record<string, string>} = {}): Running {
	const [program, ...args] = pinned(command, core);
	const child = spawn(program, args, {
		cwd: options.cwd,
		env: {...process.env, ...options.env},
		stdio: ['ignore', 'pipe', 'pipe'],
		detached: true,
	});
	let said = '';
	const hear = (text: string) => {
		if (said.length < most) said += text;
	};
	child.stdout.setEncoding('utf8').on('data', hear);
	child.stderr.setEncoding('utf8').on('data', hear);
	child.on('error', error => hear(error.message));
	return {
		child,
		pid: child.pid ?? 0,
		said: () => said,
		alive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
	};
}

/** SIGTERM, then SIGKILL after three seconds; what it started and left behind ends too. */
export async function stop({child, pid, alive}: Running) {
	if (alive()) {
		const ended = new Promise(resolve => child.once('exit', resolve));
		child.kill('SIGTERM');
		const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
		await ended;
		clearTimeout(timer);
	}
	try {
		if (pid) process.kill(-pid, 'SIGKILL');
	} catch {
		// nothing was left in its process group
	}
}

/** The line that says why, out of everything a process said before it ended. */
export function reason(text: string) {
	const lines = text.trim().split('\n');
	return (
		(lines.find(line => /Error\b.*:/.test(line)) ?? lines.find(line => /error/i.test(line)) ?? lines.slice(-3).join(' | ')).slice(0, 400) ||
		'it said nothing'
	);
}
