import {createHash, randomBytes} from 'node:crypto';
import {existsSync} from 'node:fs';
import type {Command} from 'commander';
import {configOfPlaces} from './places.ts';

/** `sallyport admin-key`: a new admin key for a gateway whose key is lost or leaked; on the record, like everything an operator does. */
export const adminKey = (program: Command): void => {
	program
		.command('admin-key')
		.description('replace the admin key of a gateway that is stopped, and show the new one, once')
		.action(async () => {
			const {
				store: place,
				journal: {folder, segmentMb},
			} = await configOfPlaces(program);
			if (!existsSync(place)) throw new Error(`There is no ${place} yet: the first start makes it, and prints the first admin key.`);
			const {openJournal} = await import('../journal/append.ts');
			const {openStore} = await import('../store/open.ts');
			// Opening the journal fails while a gateway writes it.
			const journal = await openJournal({folder, segmentBytes: segmentMb * 1_048_576});
			try {
				const store = await openStore(place);
				const key = `adm_${randomBytes(32).toString('base64url')}`;
				try {
					await journal.append({kind: 'admin', outcome: 'ok', event: {what: 'admin key replaced', actor: 'cli'}}).written;
					await store.metaPut('admin-key-sha256', createHash('sha256').update(key).digest('hex'));
				} finally {
					await store.close();
				}
				console.log(key);
			} finally {
				await journal.close();
			}
		});
};
