import {writeSync} from 'node:fs';
import {openStore} from '../../core/store/open.ts';

/** A process of its own on a store that others use too: `store-under-load.ts <store> <process> open|put|lease|once [count]`. */
const [place = '', process_ = '', what = '', many = '0'] = process.argv.slice(2);
const count = Number(many);
const store = await openStore(place, {process: process_});
const say = (word: string | number): void => void writeSync(1, `${word}\n`);

const works: Record<string, () => Promise<void>> = {
	open: async () => {
		await store.metaGet('schema_version');
		say('opened');
	},
	/** Says each step once it is durable. */
	put: async () => {
		for (let step = 0; step < count; step++) {
			await store.kvPut('load', {[process_]: JSON.stringify({process: process_, step})});
			say(step);
		}
	},
	/** Takes small slices of a limit until there is no more. */
	lease: async () => {
		for (let mine = 0, room = true; room; ) {
			await store.ledgerLease(['key'], others => {
				const left = count - (others.get('key')?.granted ?? 0) - mine;
				room = left > 0;
				mine += Math.min(left, 3);
				return [{key: 'key', settled: 0, granted: mine, seq: 1}];
			});
		}
	},
	/** Says which names it got. */
	once: async () => {
		for (let name = 0; name < count; name++) if (await store.once(`name ${name}`)) say(name);
	},
};

await works[what]?.();
await store.close();
