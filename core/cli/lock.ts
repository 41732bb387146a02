import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import type {Lenders} from '../plugins/admit.ts';

/** Nothing runs while plugins are only read, so nothing is ever borrowed. */
const nothing: Lenders = () => ({
	kv: {get: () => undefined, list: () => [], put: () => Promise.resolve()},
	http: () => Promise.reject(new Error('nothing is lent here')),
	log: () => undefined,
	count: () => undefined,
	now: Date.now,
});

/** `sallyport plugins lock`: pins the digest and the capabilities of every plugin in the config, as they are now. */
export const lock = (program: Command, group: Command): void => {
	group
		.command('lock')
		.description('write gateway.lock.json: what each plugin is and may use, as it is now')
		.action(async () => {
			const {writeLock} = await import('../plugins/lock.ts');
			const {admitAll} = await import('../plugins/move-in.ts');
			const loaded = await loadConfig(program.opts<{config: string}>().config);
			const admitted = await admitAll(loaded, nothing, {checkLock: false});
			console.log(`${await writeLock(loaded.file, admitted)} pins ${admitted.length} plugins`);
		});
};
