import {mock} from 'node:test';
import {schedule} from '../helpers/ledger-schedule.ts';

/** `npm run soak [-- <schedules> [<first seed>]]`: as many random histories of the ledger as are asked for; ends at the first that goes wrong. */
const [count = '100000', first = '1'] = process.argv.slice(2);

mock.timers.enable({apis: ['setTimeout']});
const sum = {exchanges: 0, held: 0, refused: 0, kills: 0, probes: 0};
const names = Object.keys(sum) as (keyof typeof sum)[];
for (let seed = Number(first); seed < Number(first) + Number(count); seed += 1) {
	const told = await schedule(seed);
	for (const name of names) sum[name] += told[name];
	if (seed % 1_000 === 0) console.log(`seed ${seed}:`, sum);
}
console.log(`${count} schedules:`, sum);
