import {readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {GatewayError} from '../errors.ts';

/** When `pid` started, as the kernel says it; undefined when it is dead, or on a system without /proc. */
const startOf = (pid: number): string | undefined => {
	try {
		// proc(5): after the name in brackets come the state and, as the 20th field, the start time.
		const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
			.replace(/^.*\) /s, '')
			.split(' ');
		const dead = fields[0] === 'Z' || fields[0] === 'X';
		return dead ? undefined : `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}${fields[19]}`;
	} catch (error) {
		if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined;
		throw error;
	}
};

const alive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
};

/**
 * Claims a chain for this process and answers how to let go of it; throws when a living process has it. A claim is a file
 * named after the process and its start, so that removing a dead one can never remove a live one; of two that claim at
 * the same instant none or one wins. Processes that do not see each other (two containers, two machines) are not kept apart.
 */
export const lockChain = (folder: string, chain: string): (() => void) => {
	const start = startOf(process.pid) ?? '0';
	const own = `${chain}.${process.pid}.${start}.lock`;
	const taken = (pid: number, name: string): GatewayError =>
		new GatewayError(
			'journal_unavailable',
			`Process ${pid} is writing the journal in ${folder}: stop it, or give this gateway a folder of its own. (If it is no gateway, remove ${name}.)`,
		);
	try {
		writeFileSync(join(folder, own), '', {flag: 'wx'});
	} catch (error) {
		if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw taken(process.pid, own);
		throw error;
	}
	const release = () => rmSync(join(folder, own), {force: true});
	for (const name of readdirSync(folder)) {
		const [, of, digits, since] = /^(\w+)\.(\d+)\.(\w+)\.lock$/.exec(name) ?? [];
		if (of !== chain || name === own) continue;
		const pid = Number(digits);
		if (since === '0' ? alive(pid) : startOf(pid) === since) {
			release();
			throw taken(pid, name);
		}
		rmSync(join(folder, name), {force: true});
	}
	return release;
};
