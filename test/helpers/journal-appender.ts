import {writeSync} from 'node:fs';
import {openJournal} from '../../core/journal/append.ts';

/**
 * A process of its own that appends for ever: `journal-appender.ts <folder> <segment bytes> <appenders>`. Tells the
 * number of each record on standard output, in one write each, once its `written` has resolved.
 */
const [folder = '', segmentBytes = '', appenders = ''] = process.argv.slice(2);
const journal = await openJournal({folder, segmentBytes: Number(segmentBytes)});

const appender = async (of: number) => {
	for (let count = 0; ; count += 1) {
		const {seq, written} = journal.append({kind: 'exchange', exchange: `${of}-${count}`, tags: ['grüße'.repeat(60)]});
		await written;
		writeSync(1, `${seq} ${of}-${count}\n`);
	}
};

await Promise.all(Array.from({length: Number(appenders)}, (_, of) => appender(of)));
