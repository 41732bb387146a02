import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Command} from 'commander';
import {pino} from 'pino';
import {boot} from '../boot.ts';
import {loadConfig, printProblem} from '../config.ts';

/** `sallyport check`: everything `start` would check, plugins moved in and all, without a port and without touching the data. */
export const check = (program: Command): void => {
	program
		.command('check')
		.description('check the config and every plugin it names')
		.action(async () => {
			const loaded = await loadConfig(program.opts<{config: string}>().config);
			for (const warning of loaded.warnings) console.error(`warning: ${printProblem(warning)}`);
			const folder = await mkdtemp(join(tmpdir(), 'sallyport-check-'));
			try {
				const config = {...loaded.config, store: join(folder, 'store.db'), journal: {...loaded.config.journal, folder: join(folder, 'journal')}};
				const booted = await boot({...loaded, config}, pino({level: 'silent'}));
				const count = booted.gateway.house.residents.length;
				await booted.close();
				console.log(`${loaded.file} is good: ${count} plugins, ${Object.keys(config.providers).length} providers, ${booted.gateway.catalogue.models.length} models.`);
			} finally {
				await rm(folder, {recursive: true, force: true});
			}
		});
};
