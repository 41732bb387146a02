import {createHash, createHmac} from 'node:crypto';
import test from 'ava';
import {hmacSha256, sha256} from './sha256.ts';
import {signed} from './sign.ts';
import {base64, fromBase64, utf8} from './text.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

// RFC 4231, section 4; case 5 truncates and is left out.
const cases: Record<string, {key: string; message: string; mac: string}> = {
	'1': {
		key: '0b'.repeat(20),
		message: hex(Buffer.from('Hi There')),
		mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
	},
	'2': {
		key: hex(Buffer.from('Jefe')),
		message: hex(Buffer.from('what do ya want for nothing?')),
		mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
	},
	'3': {key: 'aa'.repeat(20), message: 'dd'.repeat(50), mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'},
	'4': {
		key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
		message: 'cd'.repeat(50),
		mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
	},
	'6': {
		key: 'aa'.repeat(131),
		message: hex(Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First')),
		mac: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
	},
	'7': {
		key: 'aa'.repeat(131),
		message: hex(
			Buffer.from(
				'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
			),
		),
		mac: '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
	},
};

for (const [name, {key, message, mac}] of Object.entries(cases))
	test(`HMAC-SHA-256 is that of RFC 4231, case ${name}`, t => {
		t.is(hex(hmacSha256(bytes(key), bytes(message))), mac);
	});

test('SHA-256 is what Node makes of messages of every length around a block', t => {
	for (let length = 0; length < 200; length++) {
		const message = Uint8Array.from({length}, (_, at) => (at * 7 + length) & 0xff);
		t.is(hex(sha256(message)), createHash('sha256').update(message).digest('hex'), String(length));
	}
});

test('base64 and UTF-8 are what Node makes of them', t => {
	for (const text of ['', 'a', 'ab', 'abc', 'é€😀', 'half \ud800 a character', '\u0000\uffff']) {
		t.deepEqual(utf8(text), Uint8Array.from(Buffer.from(text)), text);
		t.is(base64(utf8(text)), Buffer.from(text).toString('base64'));
		t.deepEqual(fromBase64(base64(utf8(text))), utf8(text));
	}
	for (const text of ['abc', 'ab=c', 'ab-_', 'a===']) t.is(fromBase64(text), undefined, text);
});

test('the signature is that of the Standard Webhooks specification', t => {
	const message = {id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: '{"test": 2432232314}'};
	t.deepEqual(signed(message, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 1_614_265_330_999), {
		'content-type': 'application/json',
		'webhook-id': message.id,
		'webhook-timestamp': '1614265330',
		'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
	});
});

test('two secrets sign twice, so that one can take the place of the other', t => {
	const keys = [Buffer.alloc(32, 1), Buffer.alloc(24, 2)];
	const secrets = keys.map(key => `whsec_${key.toString('base64')}`).join(' ');
	const expected = keys.map(key => `v1,${createHmac('sha256', key).update('msg_1.5.{}').digest('base64')}`);
	t.is(signed({id: 'msg_1', body: '{}'}, secrets, 5_000)['webhook-signature'], expected.join(' '));
});

for (const secret of ['', 'secret', 'whsec_', 'whsec_c2hvcnQ=', 'whsec_not base64 at all'])
	test(`"${secret}" is no secret, and signs nothing`, t => {
		const {message} = t.throws(() => signed({id: 'msg_1', body: '{}'}, secret, 0));
		t.is(message, 'a webhook secret is whsec_ and the base64 of at least 24 bytes');
	});
