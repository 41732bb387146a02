import test from 'ava';
import {compare, type Pairing} from './conformance/compare.ts';

const same: Pairing[] = [
	['both eras', '2025-11-25'],
	['both eras', '2026-07-28'],
];

for (const pairing of same)
	test.serial(
		`the official runner finds the same through the gateway as at an upstream of ${pairing.join(', by clients of ')}`,
		async t => {
			const [found] = await compare(t, [pairing]);
			t.deepEqual(found?.differences, []);
			t.deepEqual(found?.failed, []);
			const all = pairing[1] === '2025-11-25' ? 30 : 37;
			t.deepEqual(found?.passed, {of: all, direct: all, through: all});
		},
	);

test.serial('stateless clients see all that the wire of a server with sessions can carry', async t => {
	const [found] = await compare(t, [['sessions only', '2026-07-28']]);
	t.deepEqual(
		found?.failed.map(({scenario}) => scenario),
		// Both want the name of a question, and there are none on that wire.
		['input-required-result-basic-elicitation', 'input-required-result-ignore-extra-params'],
	);
});

test.serial('clients with sessions see all of a server that has none', async t => {
	const [found] = await compare(t, [['no sessions', '2025-11-25']]);
	t.deepEqual(found?.failed, []);
});
