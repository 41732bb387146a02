import {existsSync} from 'node:fs';
import type {Command} from 'commander';
import {isServer} from '../config/resolve.ts';
import type {AccountExplained, PeriodOfAccount, Share} from '../usage/account.ts';
import {configOfPlaces} from './places.ts';
import {whole} from './written.ts';

const amount = (value: number, unit: string): string => (unit === 'microUsd' ? `${value / 1e6} USD` : `${value} ${unit}`);

const shareShown = ({process, alive, settled, granted, seq, journal}: Share, unit: string): string[] => {
	const head = `  process ${process || '(the release before)'}${alive ? '' : ', not running'}: settled ${amount(settled, unit)} up to record ${seq}, leased ${amount(granted, unit)}`;
	if (!journal) return [head, '    its journal is not here'];
	const holds = journal.settled === settled ? 'the same' : amount(journal.settled, unit);
	const entry = (word: string) => (one: (typeof journal.records)[number]) =>
		`    ${word} ${one.seq}  ${one.at}  ${one.exchange}  ${amount(one.amount, unit)}`;
	const before = journal.count - journal.records.length;
	return [
		head,
		`    by its journal: ${holds}, ${amount(journal.since, unit)} settled since, ${amount(journal.reserved, unit)} reserved now`,
		...(before > 0 ? [`    ${before} records before these`] : []),
		...journal.records.map(entry('record')),
		...journal.open.map(entry('opened')),
	];
};

const periodShown = ({unit, window, start, settled, granted, shares}: PeriodOfAccount): string =>
	[
		`${unit} ${window} ${start}: settled ${amount(settled, unit)}, leased ${amount(granted, unit)}`,
		...shares.flatMap(share => shareShown(share, unit)),
	].join('\n');

const verdict = ({account, periods, holds, difference, elsewhere}: AccountExplained): string => {
	if (periods.length === 0) return `The ledger has nothing of ${account}: nothing limits it, or nobody has called.`;
	if (difference) {
		const {key, process, seq, store, journal} = difference;
		return `DIFFERENCE: process ${process} settled ${store} in ${key} up to record ${seq}, and its journal comes to ${journal}.`;
	}
	const missing = elsewhere.length > 0 ? ` Not looked at, since their journals are elsewhere: ${elsewhere.join(', ')}.` : '';
	return holds ? `It adds up to the journal.${missing}` : '';
};

/** `sallyport ledger …`: balances, and what they are made of, from the store and the journal; no gateway has to run. */
export const ledger = (program: Command): void => {
	const group = program.command('ledger').description('balances and what they are made of, read from the store and the journal');

	group
		.command('explain')
		.description('every lease and record behind a balance; fails when they do not add up to the journal')
		.argument('<account>', 'like tenant:acme, team:acme/search, key:key_…')
		.option('--unit <unit>', 'microUsd, tokens, requests…; all of them when left out')
		.option('--window <window>', 'day, month, rolling:5m…; all of them when left out')
		.option('-n, --records <n>', 'how many records of each are listed, the latest', whole({most: 9_999}), 20)
		.option('--json', 'print all of the answer')
		.action(async (account: string, {json, ...said}: {unit?: string; window?: string; records: number; json?: true}) => {
			const {store: place, journal} = await configOfPlaces(program);
			if (!isServer(place) && !existsSync(place)) throw new Error(`There is no ${place} yet: the first start makes it.`);
			if (!existsSync(journal.folder)) throw new Error(`There is no journal in ${journal.folder}: the first start makes it.`);
			const {accountQuestion, explainAccount} = await import('../usage/account.ts');
			const {checked} = await import('../admin/answer.ts');
			const {openStore} = await import('../store/open.ts');
			const question = checked(accountQuestion, {account, ...said});
			const store = await openStore(place, {process: 'ledger explain'});
			try {
				const explained = await explainAccount(question, {store, folder: journal.folder});
				if (json) console.log(JSON.stringify(explained, null, 2));
				else console.log([...explained.periods.map(periodShown), verdict(explained)].join('\n\n'));
				if (!explained.holds) process.exitCode = 1;
			} finally {
				await store.close();
			}
		});
};
