import test from 'ava';
import {act, call, openWorld, startReplica, until} from './helpers/replicas.ts';
import {storeEngines} from './helpers/store-engines.ts';

for (const {name, fresh} of storeEngines())
	test.serial(`${name}: of three replicas that start at once on an empty store, one makes the first keys, and all know them`, async t => {
		t.timeout(120_000);
		const world = await openWorld(t, {store: await fresh(t)});
		const places = Array.from({length: 3}, () => world.place());
		const replicas = await Promise.all(places.map(({config}) => startReplica(t, config)));
		const [first, ...others] = replicas.filter(({adminKey}) => adminKey !== undefined);
		t.truthy(first?.key);
		t.deepEqual(others, []);
		t.is(replicas.filter(({key}) => key !== undefined).length, 1);
		for (const replica of replicas) {
			t.is(typeof (await act(replica, first!.adminKey!, 'virtual-keys/create')).key, 'string');
			await until(async () => (await call(replica, first!.key!))?.status === 200);
			t.is(await replica.end('SIGTERM'), 0, replica.complained());
		}
		const said = (await Promise.all(places.map(({journal}) => journal()))).flat().map(({event}) => (event as {what?: string})?.what);
		const count = (what: string) => said.filter(said => said === what).length;
		t.is(count('first admin key made') - count('first admin key given up'), 1);
		t.log(`${count('first admin key given up')} were too late`);
	});
