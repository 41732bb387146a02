import test from 'ava';
import {kindOf} from '../core/sandbox/addresses.ts';
import {guardedFetch, hostAllowed} from '../core/sandbox/http.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const hosts = ['allowed.example', 'bücher.example', '*.wild.example', 'ported.example:8443', '8.8.8.8'];

const refused = [
	// Spellings of loopback
	'http://127.0.0.1/',
	'http://0x7f.1/',
	'http://2130706433/',
	'http://017700000001/',
	'http://127.1/',
	'http://127.0.0.1./',
	'http://0/',
	'http://%31%32%37.0.0.1/',
	'http://１２７.0.0.1/',
	'http://127。0。0。1/',
	'http://①②⑦.0.0.1/',
	'http://[::1]/',
	'http://[::]/',
	'http://[::ffff:127.0.0.1]/',
	'http://[::ffff:7f00:1]/',
	'http://localhost/',
	'http://localhost./',
	'http://LOCALHOST/',
	// Spellings of a granted address that is not the granted one
	'http://[::ffff:8.8.8.8]/',
	// A granted name that is not the host
	'http://allowed.example@evil.example/',
	'http://allowed.example:80@evil.example/',
	'http://evil.example/allowed.example',
	'http://evil.example#allowed.example',
	'http://evil.example?@allowed.example',
	'http://evil.example\\@allowed.example/',
	'http://notallowed.example/',
	'http://allowed.example.evil.example/',
	'http://sub.allowed.example/',
	'http://allowed.example../',
	'http://allowed..example/',
	'http://аllowed.example/', // Cyrillic а
	// A granted host with more than was granted
	'http://evil.example@127.0.0.1/',
	'http://user@allowed.example/',
	'http://user:secret@allowed.example/',
	'http://:secret@allowed.example/',
	'http://allowed.example:8080/',
	'https://allowed.example:80/',
	'http://allowed.example:443/',
	'https://ported.example/',
	'https://ported.example:443/',
	'https://sub.ported.example:8443/',
	// The wildcard is for sub-domains
	'https://wild.example/',
	'https://.wild.example/',
	'https://a..wild.example/',
	'https://evilwild.example/',
	'https://a.wild.example:8443/',
	'https://a.wild.example.evil.example/',
	'https://*.wild.example/',
	// Other schemes, and no URLs
	'ftp://allowed.example/',
	'ws://allowed.example/',
	'file://allowed.example/etc/passwd',
	'file:///etc/passwd',
	'data:text/plain,allowed.example',
	'blob:http://allowed.example/1',
	'javascript:alert(1)',
	'//allowed.example/',
	'/etc/passwd',
	'allowed.example',
	'allowed.example:80',
	'http://',
	'',
];

for (const url of refused) test(`refused, whatever it looks like: ${JSON.stringify(url)}`, t => t.false(hostAllowed(url, hosts)));

const allowed = [
	'http://allowed.example/',
	'https://allowed.example/path?query#fragment',
	'https://ALLOWED.Example/',
	'https://allowed.example./',
	'https://allowed.example:443/',
	'http://allowed.example:80/',
	'https://allowed。example/',
	'https://ａｌｌｏｗｅｄ.example/',
	'http:\\\\allowed.example\\@evil.example/',
	'https://xn--bcher-kva.example/',
	'https://BÜCHER.example/',
	'https://a.wild.example/',
	'https://a.b.wild.example./',
	'https://ported.example:8443/',
	'http://ported.example:8443/',
	'http://8.8.8.8/',
	'http://0x08080808/',
];

for (const url of allowed) test(`allowed, because it is what the list names: ${JSON.stringify(url)}`, t => t.true(hostAllowed(url, hosts)));

test('a port in the grant is the only one, and may be the default', t => {
	t.true(hostAllowed('https://name.example/', ['name.example:443']));
	t.false(hostAllowed('http://name.example/', ['name.example:443']));
	t.true(hostAllowed('http://[0:0:0:0:0:0:0:1]:8080/', ['[::1]:8080']));
	t.false(hostAllowed('http://[::1]/', ['[::1]:8080']));
	t.true(hostAllowed('https://a.name.example:8443/', ['*.name.example:8443']));
	t.false(hostAllowed('https://a.name.example/', ['*.name.example:8443']));
});

test('an empty list allows nothing', t => t.false(hostAllowed('https://allowed.example/', [])));

const noGrants = [
	'',
	'*',
	'*.',
	'*.1',
	'*.10.0.0.1',
	'*.[::1]',
	'a.*.example',
	'https://name.example',
	'name.example/',
	'name.example:',
	'name.example:0',
	'name.example:65536',
	'user@name.example',
	'name.example#',
	'na me.example',
	'ex%61mple',
	'::1',
	'[::1',
	"a',b",
	'0x7f.1',
	'2130706433',
	'127.1',
	'1.2.3.4.5',
];

for (const host of noGrants) {
	test(`a grant that would not mean what it says stops the boot: ${JSON.stringify(host)}`, t => {
		t.like(
			t.throws(() => guardedFetch({hosts: [host]})),
			{code: 'denied'},
		);
	});
}

test('a grant in disguise is answered with the address it stands for', t => {
	t.regex(t.throws(() => guardedFetch({hosts: ['0x7f.1:80']}))?.message ?? '', /Write the address as it is: '127\.0\.0\.1:80'/);
});

const notPublic: [string, string][] = [
	['127.0.0.1', 'loopback'],
	['127.255.255.255', 'loopback'],
	['::1', 'loopback'],
	['0.0.0.0', 'unspecified'],
	['::', 'unspecified'],
	['10.0.0.0', 'private'],
	['172.16.0.1', 'private'],
	['172.31.255.255', 'private'],
	['192.168.1.1', 'private'],
	['fc00::1', 'private'],
	['fdff::1', 'private'],
	['fec0::1', 'private'],
	['169.254.0.1', 'link-local'],
	['fe80::1', 'link-local'],
	['fe80::1%eth0', 'link-local'],
	['100.64.0.1', 'carrier-grade NAT'],
	['100.127.255.255', 'carrier-grade NAT'],
	['169.254.169.254', 'metadata'],
	['100.100.100.200', 'metadata'],
	['168.63.129.16', 'metadata'],
	['fd00:ec2::254', 'metadata'],
	['fd20:ce::254', 'metadata'],
	['::ffff:169.254.169.254', 'metadata'],
	['64:ff9b::a9fe:a9fe', 'metadata'],
	['::ffff:127.0.0.1', 'loopback'],
	['::ffff:7f00:1', 'loopback'],
	['0:0:0:0:0:ffff:7f00:0001', 'loopback'],
	['64:ff9b::10.0.0.1', 'private'],
	['64:ff9b:1::10.0.0.1', 'reserved'],
	['::127.0.0.1', 'reserved'],
	['::ffff:0:127.0.0.1', 'reserved'],
	['2002:7f00:1::', 'tunnel'],
	['2002:a00:1::1', 'tunnel'],
	['2001:0:4136:e378:8000:63bf:f5ff:fffe', 'tunnel'],
	['224.0.0.1', 'multicast'],
	['ff02::1', 'multicast'],
	['240.0.0.1', 'reserved'],
	['255.255.255.255', 'reserved'],
	['192.0.2.1', 'reserved'],
	['198.18.0.1', 'reserved'],
	['2001:db8::1', 'reserved'],
	['3fff::1', 'reserved'],
	['100::1', 'reserved'],
	['4000::1', 'reserved'],
	['5f00::1', 'reserved'],
	['0x7f.1', 'not an address'],
	['localhost', 'not an address'],
	['', 'not an address'],
];

for (const [address, kind] of notPublic) test(`${address || 'nothing'} is not public: ${kind}`, t => t.is(kindOf(address), kind));

for (const address of [
	'8.8.8.8',
	'9.255.255.255',
	'11.0.0.0',
	'100.63.255.255',
	'100.128.0.0',
	'172.15.255.255',
	'172.32.0.0',
	'2606:4700::1111',
	'::ffff:8.8.8.8',
	'64:ff9b::8.8.8.8',
]) {
	test(`${address} is public`, t => t.is(kindOf(address), undefined));
}

test('an IPv4 address is the same in every disguise', t => {
	const seed = Date.now() >>> 0;
	const random = seededRandom(seed);
	for (let round = 0; round < 2_000; round++) {
		const first = random.pick([0, 8, 10, 100, 127, 169, 172, 192, 198, 203, 224, 255, random.below(256)]);
		const bytes = [first, random.pick([random.below(256), 168, 254, 16, 64, 0]), random.below(256), random.below(256)];
		const plain = bytes.join('.');
		const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
		const kind = kindOf(plain);
		const about = `${plain}, seed ${seed}`;
		t.is(kindOf(`::ffff:${plain}`), kind, about);
		t.is(kindOf(`64:ff9b::${plain}`), kind, about);
		t.truthy(kindOf(`2002:${((bytes[0]! << 8) | bytes[1]!).toString(16)}:${((bytes[2]! << 8) | bytes[3]!).toString(16)}::1`), about);
		for (const spelt of [
			`${number}`,
			`0x${number.toString(16)}`,
			`0${number.toString(8)}`,
			`0x${first.toString(16)}.${number % 2 ** 24}`,
		]) {
			t.true(hostAllowed(`http://${spelt}/`, [plain]), `${spelt} for ${about}`);
			t.false(hostAllowed(`http://${spelt}/`, ['*.example', 'other.example']), about);
		}
	}
});
