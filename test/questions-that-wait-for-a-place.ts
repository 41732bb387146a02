import test from 'ava';
import {openPlaces} from '../core/asking/places.ts';
import {GatewayError} from '../core/errors.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const few = {most: 3, mostForOne: 2, mostWaiting: 4, mostWaitingForOne: 2};
const isRefused = {instanceOf: GatewayError, code: 'rate_limited'};

test('whoever has all of its places lets others go first, and is next when one is free', async t => {
	const places = openPlaces(few);
	const order: string[] = [];
	const take = (name: string) =>
		places.take(name, 60_000).then(giveBack => {
			order.push(name);
			return giveBack;
		});
	const [first] = await Promise.all([take('one'), take('one')]);
	const third = take('one');
	const other = await take('two');
	const fourth = take('two');
	t.deepEqual(order, ['one', 'one', 'two']);
	first();
	(await third)();
	(await fourth)();
	other();
	t.deepEqual(order, ['one', 'one', 'two', 'one', 'two']);
});

test('too many that wait are refused, of one name before others, and so is who waits too long', async t => {
	const places = openPlaces(few);
	const held = await Promise.all([places.take('one', 60_000), places.take('one', 60_000), places.take('two', 60_000)]);
	const waiting = [places.take('one', 60_000), places.take('one', 60_000)];
	await t.throwsAsync(places.take('one', 60_000), isRefused);
	const late = [places.take('two', 20), places.take('three', 20)];
	await t.throwsAsync(places.take('four', 60_000), isRefused);
	for (const one of late) await t.throwsAsync(one, isRefused);
	for (const giveBack of held) giveBack();
	for (const one of waiting) (await one)();
	t.truthy(await places.take('one', 60_000), 'nothing is left behind');
});

test('a place that is given back twice is one place', async t => {
	const places = openPlaces({...few, most: 1, mostForOne: 1});
	const giveBack = await places.take('one', 60_000);
	giveBack();
	giveBack();
	await places.take('one', 60_000);
	await t.throwsAsync(places.take('two', 20), isRefused);
});

test('in any order of asking and giving back, no more are taken than may be, and everybody gets a place in the end', async t => {
	const seed = Math.floor(Math.random() * 2 ** 32);
	const {below, chance} = seededRandom(seed);
	const places = openPlaces({most: 5, mostForOne: 3, mostWaiting: 1_000, mostWaitingForOne: 1_000});
	const held: {name: string; giveBack: () => void}[] = [];
	let got = 0;
	const giveBackOne = () => held.splice(below(held.length), 1)[0]?.giveBack();
	for (let turn = 0; turn < 500; turn++) {
		const name = `n${below(4)}`;
		void places.take(name, 60_000).then(giveBack => {
			got++;
			held.push({name, giveBack});
		});
		await Promise.resolve();
		t.true(held.length <= 5 && ['n0', 'n1', 'n2', 'n3'].every(one => held.filter(({name}) => name === one).length <= 3), `seed ${seed}`);
		if (chance(0.4)) giveBackOne();
	}
	while (held.length > 0) {
		giveBackOne();
		await new Promise(setImmediate);
	}
	t.is(got, 500, `seed ${seed}`);
});
