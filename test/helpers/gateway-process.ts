import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {saidBy} from './said.ts';

const program = join(import.meta.dirname, '..', '..', 'core', 'cli', 'sallyport.js');

export type GatewayProcess = {
	url: string;
	/** Printed on the first start of a folder only. */
	adminKey: string | undefined;
	/** Ends it without a word; resolves when it is gone. */
	kill(): Promise<void>;
	/** Asks it to finish what it does; resolves with its exit code. */
	stop(): Promise<number | null>;
};

const spawned = (config: string) => spawn(process.execPath, [program, '--config', config, 'start'], {stdio: ['ignore', 'pipe', 'pipe']});

/** A gateway that is killed `afterMs` after it was started, wherever its start has come by then. */
export const killWhileStarting = async (config: string, afterMs: number): Promise<void> => {
	const child = spawned(config);
	const exited = once(child, 'exit');
	await Promise.race([exited, new Promise(resolve => setTimeout(resolve, afterMs))]);
	child.kill('SIGKILL');
	await exited;
};

/** A gateway in a process of its own, as `sallyport start` runs it; resolves when it listens, and is gone after the test. */
export const startGatewayProcess = async (t: ExecutionContext, config: string, {isFirst}: {isFirst: boolean}): Promise<GatewayProcess> => {
	const child = spawned(config);
	const exited = once(child, 'exit');
	t.teardown(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	const {found, started} = saidBy(child);
	const url = () => found(/^Sallyport is at (\S+)$/m);
	const adminKey = () => found(/\b(adm_[\w-]{43})/);
	await started(() => Boolean(url() && (!isFirst || adminKey())));
	return {
		url: url()!,
		adminKey: adminKey(),
		async kill() {
			child.kill('SIGKILL');
			await exited;
		},
		async stop() {
			child.kill('SIGTERM');
			await exited;
			return child.exitCode;
		},
	};
};
