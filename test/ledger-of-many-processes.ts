import {mock} from 'node:test';
import test from 'ava';
import {schedule} from './helpers/ledger-schedule.ts';

test.serial('in 1,000 random schedules of up to four processes no account passes its limit, and nothing is lost in a crash', async t => {
	mock.timers.enable({apis: ['setTimeout']});
	t.teardown(() => mock.timers.reset());
	const sum = {exchanges: 0, held: 0, refused: 0, kills: 0, probes: 0};
	for (let seed = 1; seed <= Number(process.env.N ?? 1_000); seed += 1) {
		const told = await schedule(seed);
		for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += told[name];
	}
	t.log(JSON.stringify(sum));
	t.pass();
});
