import {existsSync} from 'node:fs';
import type {Command} from 'commander';
import {hashOf, newAdminKey} from '../admin/key.ts';
import {isServer} from '../config/resolve.ts';
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
			if (!isServer(place) && !existsSync(place))
				throw new Error(`There is no ${place} yet: the first start makes it, and prints the first admin key.`);
			const {replaceFirstKey} = await import('../admin/admins.ts');
			const {openJournal} = await import('../journal/append.ts');
			const {openStore} = await import('../store/open.ts');
			// Opening the journal fails while a gateway writes it.
			const journal = await openJournal({folder, segmentBytes: segmentMb * 1_048_576});
			try {
				const store = await openStore(place);
				const key = newAdminKey();
				try {
					await journal.append({
						kind: 'admin',
						outcome: 'ok',
						event: {what: 'first admin key replaced', admin: 'first-owner', actor: 'cli'},
					}).written;
					await replaceFirstKey(store, hashOf(key));
				} finally {
					await store.close();
				}
				console.log(key);
			} finally {
				await journal.close();
			}
		});
};
