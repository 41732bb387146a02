import test from 'ava';
import {openUnderWay} from '../core/under-way.ts';
import {seededRandom} from './helpers/seeded-random.ts';

test('what began and did not end is there, each once, whatever the order of their ends', t => {
	const seed = Date.now() % 1_000_000;
	const random = seededRandom(seed);
	const wanted = new Set<object>();
	const underWay = openUnderWay<object>();
	for (let step = 0; step < 5_000; step++) {
		const there = [...wanted];
		if (random.chance(0.5) || there.length === 0) {
			const one = {step};
			wanted.add(one);
			underWay.add(one);
		} else {
			const gone = random.pick(there);
			wanted.delete(gone);
			underWay.delete(gone);
			underWay.delete(gone);
		}
		if (underWay.size !== wanted.size) t.fail(`seed ${seed}, step ${step}: ${underWay.size} instead of ${wanted.size}`);
	}
	t.true(new Set(underWay).isSubsetOf(wanted) && new Set(underWay).size === wanted.size, `seed ${seed}`);
});

test('what ends while they are gone through is not met twice, and nothing is left out', t => {
	const underWay = openUnderWay<number>();
	for (const one of [1, 2, 3, 4]) underWay.add(one);
	const met: number[] = [];
	for (const one of underWay) {
		met.push(one);
		underWay.delete(one);
	}
	t.deepEqual(met, [1, 2, 3, 4]);
	t.is(underWay.size, 0);
});
