import {BlockList, isIPv4} from 'node:net';
import test from 'ava';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {areWithin, isWithin, rangesOf, readRange, written} from './origins.ts';

for (const [text, meant] of Object.entries({
	'10.0.0.7/8': '10.0.0.0/8',
	'203.0.113.7': '203.0.113.7/32',
	'0.0.0.0/0': '0.0.0.0/0',
	'2001:DB8::1/32': '2001:db8::/32',
	'::1': '::1/128',
	'::ffff:10.0.0.7': '10.0.0.7/32',
	'::ffff:10.0.0.7/104': '10.0.0.0/8',
	'::FFFF:0a00:0007/104': '10.0.0.0/8',
}))
	test(`${text} means ${meant}`, t => {
		t.is(written(text), meant);
	});

for (const text of [
	...['', '/', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0', '010.0.0.1', '0x7f.1', '2130706433'],
	...['256.1.1.1', '1.2.3.4.5', 'localhost', 'fe80::1%eth0', '::1.2.3.4', ':::', '10.0.0.0/1e1', ' 10.0.0.1', '*'],
])
	test(`${JSON.stringify(text)} is no origin`, t => {
		t.is(readRange(text), undefined);
	});

test('an IPv4 client is the same however its address is written, and is no IPv6 client', t => {
	const ranges = rangesOf(['10.0.0.0/8']);
	for (const ip of ['10.9.9.9', '::ffff:10.9.9.9', '::ffff:0a09:0909']) t.true(isWithin(ip, ranges), ip);
	for (const ip of ['11.0.0.1', '::ffff:11.0.0.1', '::10.0.0.1', '', 'unknown', '2002:0a00::1']) t.false(isWithin(ip, ranges), ip);
	t.false(isWithin('10.9.9.9', rangesOf(['::/0'])));
	t.true(isWithin('fe80::1%eth0', rangesOf(['fe80::/10'])));
	t.false(isWithin('10.9.9.9', []));
});

test('any address and any range are judged as Node judges them', t => {
	const seed = 20_261_122;
	const random = seededRandom(seed);
	const pick = (below: number) => Math.floor(random.next() * below);
	// Few different digits, so that about every other pair matches.
	const v4 = () => Array.from({length: 4}, () => [0, 10, 127, 128, 255][pick(5)]).join('.');
	const v6 = () => Array.from({length: 8}, () => [0, 1, 0x7fff, 0x8000, 0xffff][pick(5)]!.toString(16)).join(':');
	for (let round = 0; round < 5_000; round++) {
		const four = random.chance(0.5);
		const [network, ip] = four ? [v4(), v4()] : [v6(), v6()];
		const prefix = pick((four ? 32 : 128) + 1);
		const list = new BlockList();
		list.addSubnet(network, prefix, four ? 'ipv4' : 'ipv6');
		const range = `${network}/${prefix}`;
		const expected = list.check(ip, isIPv4(ip) ? 'ipv4' : 'ipv6');
		// Node takes ::ffff:0:0/96 for IPv4 where the list has IPv4 ranges; here it is so both ways.
		if (ip.startsWith('0:0:0:0:0:ffff') || network.startsWith('0:0:0:0:0:ffff')) continue;
		t.is(isWithin(ip, rangesOf([range])), expected, `seed ${seed}: ${ip} in ${range}`);
		t.is(areWithin([ip], [range]), expected, `seed ${seed}: ${ip} within ${range}`);
	}
});

test('a range lies within another one when all of it does', t => {
	t.true(areWithin(['10.1.0.0/16', '10.2.3.4'], ['10.0.0.0/8']));
	t.true(areWithin(['::ffff:10.1.0.0/112'], ['10.0.0.0/8']));
	t.false(areWithin(['10.0.0.0/7'], ['10.0.0.0/8']));
	t.false(areWithin(['10.0.0.0/8'], ['10.1.0.0/16']));
	t.false(areWithin(['10.1.0.0/16', '11.0.0.0/16'], ['10.0.0.0/8']));
	t.false(areWithin(['::/0'], ['0.0.0.0/0']));
	t.true(areWithin([], ['10.0.0.0/8']));
});
