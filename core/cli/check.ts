import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Command} from 'commander';
import {pino} from 'pino';
import {type LoadedConfig, loadConfig, printProblem} from '../config.ts';
import {configFile} from './places.ts';

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Boots with a store and a journal that are thrown away. */
const tryOut = async (loaded: LoadedConfig): Promise<string> => {
	const {boot} = await import('../boot.ts');
	const folder = await mkdtemp(join(tmpdir(), 'sallyport-check-'));
	try {
		const {config} = loaded;
		const journal = {...config.journal, folder: join(folder, 'journal')};
		const {gateway, close} = await boot(
			{...loaded, config: {...config, store: join(folder, 'store.db'), journal}},
			pino({level: 'silent'}),
		);
		await close();
		const providers = Object.keys(config.providers).length;
		return [
			counted(gateway.house.residents.length, 'plugin'),
			counted(providers, 'provider'),
			counted(gateway.catalogue.models.length, 'model'),
		].join(', ');
	} finally {
		await rm(folder, {recursive: true, force: true});
	}
};

/** `sallyport check`: everything `start` would check, plugins moved in and all, without a port and without touching the data. */
export const check = (program: Command): void => {
	program
		.command('check')
		.description('check the config and every plugin it names, without serving')
		.action(async () => {
			const loaded = await loadConfig(configFile(program));
			for (const warning of loaded.warnings) console.error(`warning: ${printProblem(warning)}`);
			console.log(`${configFile(program)} is good: ${await tryOut(loaded)}.`);
			for (const {kind, name, variable} of loaded.leftOut) console.log(`${kind} ${name} is left out: ${variable} is not set`);
		});
};
