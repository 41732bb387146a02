import test from 'ava';
import {detect} from './scan.ts';

/** What each part of the scanner reads again and again if it can be made to. */
const pieces = [
	'a',
	'A1',
	'=',
	'a=',
	'a:',
	'://',
	'a://b:',
	'a://b:c@',
	'eyJ',
	'eyJhbGciOiJ.',
	'sk-',
	'ghp_1',
	'-----BEGIN ',
	'-----BEGIN RSA PRIVATE KEY-----',
	'-----END ',
	'Q~',
	'|',
	'.atlasv1.',
	'password: ',
	'password is ',
	'api_key="',
	'token token ',
	'name: x value: ',
	'<a>',
	'Bearer ',
	'&a=',
	'x-',
	'x_1',
	'{}',
	'пароль ',
	'admin / ',
	'a1?&.',
];

/** How long a core works on a text, in milliseconds: what else the machine does takes no part. */
const work = (text: string): number => {
	const begun = process.cpuUsage();
	detect(text);
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
