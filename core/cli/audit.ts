import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {tail} from '../journal/read.ts';
import {verify} from '../journal/verify.ts';

/** `sallyport audit …`: the journal, read from its files; no gateway has to run. */
export const audit = (program: Command): void => {
	const group = program.command('audit').description('the journal');
	const folderOf = async (named: string | undefined): Promise<string> => named ?? (await loadConfig(program.opts<{config: string}>().config)).config.journal.folder;

	group
		.command('verify')
		.description('check every record, the chain and the signatures')
		.option('--folder <folder>', 'a journal other than the config\'s')
		.action(async ({folder}: {folder?: string}) => {
			const place = await folderOf(folder);
			const result = await verify(place);
			if (result.ok) {
				console.log(`${place}: ${result.records} records in ${result.segments} segments hold together; last hash ${result.lastHash}`);
				return;
			}
			console.error(`${result.file}:${result.line}: ${result.reason}${result.seq === undefined ? '' : ` (record ${result.seq})`}`);
			process.exitCode = 1;
		});

	group
		.command('tail')
		.description('the last records')
		.option('--folder <folder>', 'a journal other than the config\'s')
		.option('-n <records>', 'how many', '10')
		.action(async ({folder, n}: {folder?: string; n: string}) => {
			for (const record of await tail(await folderOf(folder), Number(n))) console.log(JSON.stringify(record));
		});
};
