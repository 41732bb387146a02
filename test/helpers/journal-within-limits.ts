import {chmodSync} from 'node:fs';
import {asGatewayError} from '../../core/errors.ts';
import {openJournal} from '../../core/journal/append.ts';

/**
 * Appends under limits that hold for a whole process and writes what came of it, as JSON, to standard output:
 * `journal-within-limits.ts size <folder>` under a file size limit, `… read-only <folder>` without root's rights.
 */
const [which, folder = ''] = process.argv.slice(2);

const tried = (append: {seq: number; written: Promise<void>}) =>
	append.written.then(
		() => 'written',
		(error: unknown) => `${asGatewayError(error).code}: ${asGatewayError(error).message}`,
	);

const size = async () => {
	const journal = await openJournal({folder, segmentBytes: 1e9});
	const outcomes: string[] = [];
	for (let n = 0; n < 12; n += 1) outcomes.push(await tried(journal.append({kind: 'gateway', event: 'x'.repeat(900)})));
	outcomes.push(await tried(journal.append({kind: 'gateway'})));
	return {outcomes, lastSeq: journal.lastSeq};
};

const readOnly = async () => {
	if (process.getuid?.() === 0) process.setuid?.(65_534);
	const journal = await openJournal({folder, segmentBytes: 1});
	const first = await tried(journal.append({kind: 'gateway'}));
	chmodSync(folder, 0o500);
	const refused = await tried(journal.append({kind: 'gateway'}));
	chmodSync(folder, 0o700);
	const last = await tried(journal.append({kind: 'gateway'}));
	await journal.close();
	return {outcomes: [first, refused, last], lastSeq: journal.lastSeq};
};

console.log(JSON.stringify(await (which === 'size' ? size() : readOnly())));
