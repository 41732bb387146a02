import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {openJournal} from '../../core/journal/append.ts';
import type {JournalRecord} from '../../schemas/record.ts';

export const freshFolder = (t: ExecutionContext): string => {
	const folder = mkdtempSync(join(tmpdir(), 'journal-'));
	t.teardown(() => rmSync(folder, {recursive: true, force: true}));
	return folder;
};

/** The `n`th of many different records of an exchange. */
export const exchange = (n: number): JournalRecord => ({
	kind: 'exchange',
	exchange: `exchange-${n}`,
	model: ['fast', 'größer', 'モデル', 'a"b\\c'][n % 4],
	status: 200 + n,
	tags: ['x'.repeat(n % 50)],
});

/** A closed journal of `batches` batches of three records, a few batches to a segment. */
export const filledJournal = async (t: ExecutionContext, {batches = 12, segmentBytes = 2_500} = {}): Promise<string> => {
	const folder = freshFolder(t);
	const journal = await openJournal({folder, segmentBytes});
	for (let batch = 0; batch < batches; batch += 1) {
		for (let n = 0; n < 3; n += 1) journal.append(exchange(batch * 3 + n));
		await journal.flushed();
	}
	await journal.close();
	return folder;
};
