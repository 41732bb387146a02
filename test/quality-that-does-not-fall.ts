import test from 'ava';
import {fallen, measureFigures, readFigures} from '../eval/figures.ts';

test('no figure of the guards is more than a point below what was recorded', async t => {
	t.timeout(300_000);
	const lost = fallen(readFigures(), await measureFigures());
	t.deepEqual(lost, [], 'mend it, or say why it is worth it and run npm run eval -- --own --record');
});

test('a figure that fell by two points, or that nobody measures any more, is told', t => {
	const before = {recall: 0.9, precision: 0.99};
	t.deepEqual(fallen(before, {recall: 0.895, precision: 1}), []);
	t.deepEqual(fallen(before, {recall: 0.88}), ['recall: 0.88, was 0.9', 'precision: not measured, was 0.99']);
});
