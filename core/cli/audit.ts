import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type Command, InvalidArgumentError} from 'commander';
import {tail} from '../journal/read.ts';
import {verify} from '../journal/verify.ts';
import {configOfPlaces} from './places.ts';

type Place = {folder?: string};
type Expected = {seq: number; hash: string};

const count = (written: string): number => {
	if (/^[1-9]\d{0,8}$/.test(written)) return Number(written);
	throw new InvalidArgumentError('It is a whole number, 1 or more.');
};

const expected = (written: string): Expected => {
	const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(written) ?? [];
	if (seq && hash) return {seq: Number(seq), hash};
	throw new InvalidArgumentError('Write it like verify prints it: <record>:<hash>.');
};

/** `sallyport audit …`: the journal, read from its files; no gateway has to run. */
export const audit = (program: Command): void => {
	const group = program.command('audit').description('the journal, read from its files');
	const folderOf = async ({folder}: Place): Promise<string> => {
		const place = folder ?? (await configOfPlaces(program)).journal.folder;
		if (!existsSync(place)) throw new Error(`There is no journal in ${place}: the first start makes it.`);
		return place;
	};

	group
		.command('verify')
		.description('check every record, the chain and the signatures')
		.option('--folder <folder>', "a journal other than the config's")
		.option('--public-key <file>', 'the key to trust, in PEM, instead of the one that lies beside the journal')
		.option('--expect <record:hash>', 'a record known from an earlier check: the chain must reach it and agree', expected)
		.action(async ({publicKey, expect, ...place}: Place & {publicKey?: string; expect?: Expected}) => {
			const folder = await folderOf(place);
			const options = {...(publicKey && {publicKey: await readFile(publicKey, 'utf8')}), ...(expect && {expected: expect})};
			const result = await verify(folder, options);
			if (result.ok) {
				const {records, segments, signedSeq, lastSeq, lastHash} = result;
				console.log(`${folder}: ${records} records in ${segments} segments hold together, signed up to record ${signedSeq}.`);
				console.log(`last record ${lastSeq}:${lastHash}`);
				return;
			}
			const {file, line, seq, reason} = result;
			const where = reason === 'no_segments' ? folder : `${join(folder, file)}:${line}`;
			console.error(`${where}  ${reason}${seq === undefined ? '' : ` at record ${seq}`}. docs/journal.md says what that means.`);
			process.exitCode = 1;
		});

	group
		.command('tail')
		.description('print the last records, oldest first, one JSON object a line')
		.option('--folder <folder>', "a journal other than the config's")
		.option('-n, --records <n>', 'how many', count, 10)
		.action(async ({records, ...place}: Place & {records: number}) => {
			for (const record of await tail(await folderOf(place), records)) console.log(JSON.stringify(record));
		});
};
