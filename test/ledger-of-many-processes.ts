import {mock} from 'node:test';
import test from 'ava';
import {schedule} from './helpers/ledger-schedule.ts';

const perTest = 250;

for (const quarter of [0, 1, 2, 3])
	test.serial(
		`in random histories ${quarter * perTest + 1} to ${(quarter + 1) * perTest} of up to four processes no account passes its limit, and nothing is lost in a crash`,
		async t => {
			mock.timers.enable({apis: ['setTimeout']});
			t.teardown(() => mock.timers.reset());
			const sum = {exchanges: 0, held: 0, refused: 0, kills: 0, probes: 0};
			for (let seed = quarter * perTest + 1; seed <= (quarter + 1) * perTest; seed += 1) {
				const told = await schedule(seed);
				for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += told[name];
			}
			t.log(JSON.stringify(sum));
			t.true(sum.held > 0 && sum.refused > 0 && sum.kills > 0 && sum.probes > 0);
		},
	);
