import test from 'ava';
import {detect} from './detectors.ts';
import {scanIds} from './ids/scan.ts';

/** What each detector reads again and again if it can be made to. */
const pieces = [
	'1',
	'1 ',
	'12-',
	'1.1.',
	'(1) ',
	'+1 ',
	'4111 ',
	'4111 1111 1111 1111',
	'a@',
	'a@b.',
	'@',
	'a.b@c.d',
	'DE89',
	'GB82 WEST ',
	'AB 12 ',
	':',
	'::1',
	'fe80:',
	'00:1A:',
	'imei 1 ',
	'passport ',
	'passport 1234567 expires ',
	'account number 1 ',
	"driver's licence ",
	'call 123 45 67 (',
	'50-98-28-96 of',
	'born 12/03/1985',
	'0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed ',
	'1BoatSLRHtKNngkdXEeobR76b53LETtpyT ',
	'bc1q',
	'\u200b1',
	'１２',
	'\u00a04',
	'sk-1',
	'-----BEGIN ',
	'https://a:b',
	'M1 1AA ',
	'1M8GDM9AXKP042788 ',
];

const both = (text: string): void => {
	detect(text);
	scanIds(text, 0, 0, true, true);
};

/** How long a core works on a text, in milliseconds: what else the machine does takes no part. */
const work = (text: string): number => {
	const begun = process.cpuUsage();
	both(text);
	const {user, system} = process.cpuUsage(begun);
	return (user + system) / 1_000;
};

const best = (text: string): number => Math.min(work(text), work(text), work(text));

// A quadratic scan would take 1,024 times as long, and hours for a megabyte; the slack is for a busy machine.
test('thirty-two times the worst text takes nowhere near the square of thirty-two as long, and a megabyte ends', t => {
	t.timeout(300_000);
	for (const piece of pieces) {
		const text = piece.repeat(Math.ceil(3_200 / piece.length));
		best(text);
		const once = Math.max(best(text), 0.5);
		t.true(work(text.repeat(32)) < once * 256, `${piece} repeated`);
		t.true(work(text.repeat(320)) < 30_000, `a megabyte of ${piece}`);
	}
});
