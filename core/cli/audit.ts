import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type Command, InvalidArgumentError} from 'commander';
import {tailOfAll} from '../journal/read.ts';
import {chainsOf} from '../journal/segments.ts';
import {verify} from '../journal/verify.ts';
import {configOfPlaces} from './places.ts';
import {whole} from './written.ts';

type Place = {folder?: string};
/** A record known from an earlier check. */
type Expected = {chain: string; seq: number; hash: string};

const expected = (written: string, before: Expected[] = []): Expected[] => {
	const [, chain = firstChain, seq, hash] = /^(?:(\w{1,32})\/)?(\d{1,15}):([0-9a-f]{64})$/.exec(written) ?? [];
	if (seq && hash) return [...before, {chain, seq: Number(seq), hash}];
	throw new InvalidArgumentError('Write it like verify prints it: <record>:<hash>.');
};

/** The only one of a gateway without `workers`, which need not be named. */
const firstChain = '0';
const named = (chain: string): string => (chain === firstChain ? '' : `${chain}/`);

const verifyChain = async (folder: string, chain: string, options: {publicKey?: string; expected?: Expected}): Promise<boolean> => {
	const result = await verify(folder, {chain, ...options});
	if (result.ok) {
		const {records, segments, signedSeq, lastSeq, lastHash} = result;
		const which = chain === firstChain ? folder : `${folder}, chain ${chain}`;
		console.log(`${which}: ${records} records in ${segments} segments hold together, signed up to record ${signedSeq}.`);
		console.log(`last record ${named(chain)}${lastSeq}:${lastHash}`);
		return true;
	}
	const {file, line, seq, reason} = result;
	const where = reason === 'no_segments' ? `${folder}${chain === firstChain ? '' : `, chain ${chain}`}` : `${join(folder, file)}:${line}`;
	console.error(`${where}  ${reason}${seq === undefined ? '' : ` at record ${seq}`}. docs/journal.md says what that means.`);
	return false;
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
		.description('check every record, every chain and the signatures')
		.option('--folder <folder>', "a journal other than the config's")
		.option('--public-key <file>', 'the key to trust, in PEM, instead of the one that lies beside the journal')
		.option(
			'--expect <record:hash>',
			'a record known from an earlier check, one of each chain: the chain must reach it and agree',
			expected,
		)
		.action(async ({publicKey, expect = [], ...place}: Place & {publicKey?: string; expect?: Expected[]}) => {
			const folder = await folderOf(place);
			const key = publicKey && (await readFile(publicKey, 'utf8'));
			const chains = new Set([...(await chainsOf(folder)), ...expect.map(({chain}) => chain)]);
			if (chains.size === 0) chains.add(firstChain);
			for (const chain of chains) {
				const known = expect.find(record => record.chain === chain);
				const holds = await verifyChain(folder, chain, {...(key && {publicKey: key}), ...(known && {expected: known})});
				if (!holds) process.exitCode = 1;
			}
		});

	group
		.command('tail')
		.description('print the last records, oldest first, one JSON object a line')
		.option('--folder <folder>', "a journal other than the config's")
		.option('-n, --records <n>', 'how many', whole({least: 1}), 10)
		.action(async ({records, ...place}: Place & {records: number}) => {
			for (const record of await tailOfAll(await folderOf(place), records)) console.log(JSON.stringify(record));
		});
};
