import test from 'ava';
import {kinds} from './kinds/at.ts';
import {checkedKey, drawn, keyOf, seeded} from './samples.ts';
import {detect} from './scan.ts';
import {detectAfter} from './stream.ts';

const found = (text: string) => detect(text).map(({start, end, kind}) => `${kind} ${text.slice(start, end)}`);
const values = (text: string) => detect(text).map(({start, end}) => text.slice(start, end));

test('more than a hundred and fifty kinds of keys are known', t => {
	t.true(new Set(kinds.map(([kind]) => kind)).size > 150);
});

test('a key of every kind is found whole, alone, in a sentence, between quotes and in an address', t => {
	for (const row of kinds.filter(([, prefix]) => !prefix.endsWith('/0') && !prefix.includes('='))) {
		for (let seed = 1; seed <= 3; seed++) {
			const value = keyOf(seeded(seed * 7_919), row);
			for (const text of [value, `Use ${value} here`, `{"a":"${value}"}`, `https://h.example/x?a=${value}&b=1`]) {
				if (row[2] === 'base64' && text.includes('&b')) continue;
				t.true(
					values(text).some(each => each.includes(value)),
					`seed ${seed}: ${row[0]} in ${text}`,
				);
			}
		}
	}
});

test('a key whose own checksum is right is surely one', t => {
	const key = checkedKey(seeded(1), 'ghp_');
	t.like(detect(key), [{kind: 'github-pat', sure: true}]);
	const other = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
	t.is(detect(other)[0]?.sure, undefined);
});

test('a value is a secret by the name before it', t => {
	const random = seeded(11);
	const key = drawn(random, 'hex', 32);
	for (const text of [
		`api_key=${key}`,
		`"clientSecret": "${key}"`,
		`export SERVICE_TOKEN='${key}'`,
		`token := "${key}"`,
		`<accessToken>\n  ${key}\n</accessToken>`,
		`setProperty("DEPLOY_TOKEN", "${key}")`,
		`- name: DB_TOKEN\n  value: "${key}"`,
		`var authToken string = "${key}"`,
		`curl -H 'Authorization: Bearer ${key}'`,
		`?access_token=${key}&x=1`,
	]) {
		t.deepEqual(values(text), [key], text);
	}
});

test('a password is found by its name, though it is short', t => {
	const word = `Tr0ub${'4dor'}&3`;
	t.deepEqual(values(`password: ${word}`), [word]);
	t.deepEqual(values(`curl -u ada:${word} https://h.example`), [`ada:${word}`]);
	t.deepEqual(values(`the colour is ${word}`), []);
});

test('a password is found where it is told, given to a command, or hidden in an address', t => {
	const random = seeded(23);
	const word = `${drawn(random, 'alnum', 9)}!7`;
	const key = drawn(random, 'alnum', 36);
	for (const text of [
		`the wifi pw is ${word}`,
		`Mein Passwort lautet ${word}`,
		`mot de passe : ${word}`,
		`пароль: ${word}`,
		`密码是${word}`,
	]) {
		t.deepEqual(values(text), [word], text);
	}
	for (const text of [`deploy --api-key ${key} now`, `sshpass -p '${key}' ssh`, `machine h.example login ada password ${key}`]) {
		t.deepEqual(values(text), [key], text);
	}
	t.deepEqual(values(`//npm.example/:_authToken=${key}`), [key]);
	t.deepEqual(values(`jdbc:mysql://db:3306/x?user=ada&password=${key}&ssl=true`), [key]);
	t.deepEqual(values('https://shop.example/find?q=red+shoes+42&sort=price_asc&page=12'), []);
	t.deepEqual(values('the password is correct, and the token is valid until 2027'), []);
});

test('keys that show themselves by their middle are found', t => {
	const random = seeded(29);
	for (const [kind, text] of [
		['mailchimp', `${drawn(random, 'hex', 32)}-us12`],
		['telegram-bot', `7${drawn(random, 'hex', 9).replace(/\D/g, '4')}:AA${drawn(random, 'alnum', 33)}`],
		['discord-bot', `MT${drawn(random, 'alnum', 24)}.G${drawn(random, 'alnum', 5)}.${drawn(random, 'alnum', 38)}`],
	]) {
		t.deepEqual(found(`use ${text} here`), [`${kind} ${text}`]);
	}
});

test('the name of a field tells what its value is', t => {
	const key = drawn(seeded(5), 'alnum', 30);
	t.is(detectAfter('apiKey', key).length, 1);
	t.is(detectAfter('title', key).length, 0);
	t.is(detectAfter('this is an apiKey', key).length, 0);
});

test('addresses that open something are found, with what they open', t => {
	const word = drawn(seeded(3), 'alnum', 12);
	t.deepEqual(found(`DATABASE_URL=postgres://app:${word}@db.example:5432/x`), [`database-url postgres://app:${word}@db.example:5432/x`]);
	t.deepEqual(found(`git clone https://ada:${word}@h.example/r.git`), [`url-credentials ada:${word}`]);
	t.deepEqual(found(`POST https://hooks.slack.com/services/T0/B0/${word}${word}`), [
		`slack-webhook https://hooks.slack.com/services/T0/B0/${word}${word}`,
	]);
	t.deepEqual(found('https://user:password@h.example/ and https://h.example:8080/a@b'), []);
});

test('a private key is found from its head to its foot, and without a foot to the end', t => {
	const head = `-----BEGIN EC ${'PRIVATE'} KEY-----`;
	const foot = `-----END EC ${'PRIVATE'} KEY-----`;
	t.deepEqual(values(`key:\n${head}\nMHcCAQEE\n${foot} ok`), [`${head}\nMHcCAQEE\n${foot}`]);
	t.deepEqual(values(`${head}\\nMHcCAQEE and more`), [`${head}\\nMHcCAQEE and more`]);
	t.deepEqual(values('-----BEGIN PUBLIC KEY-----\nMHcCAQEE\n-----END PUBLIC KEY-----'), []);
});

test('what only looks like a secret is left alone', t => {
	for (const text of [
		'sha256:8baeebcb84b25f6a3730f9b22a06749528fd2772ed873228d21259a296146289',
		'commit 43fc912ef59a83054ea7f6706df4d53a7dea4d80, id e63bdd8e-7ded-5791-619b-bc36aa297bd1',
		'token = process.env.API_TOKEN; const key = ctx.request.token; password: $PASSWORD',
		'publicKey = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit"',
		'api_key = "xxxxxxxxxxxxxxxxxxxx", password: changeme, token: YOUR_TOKEN_HERE',
		'sk-learn-based-approach-to-everything, npm_install_something_very_long_indeed',
		'max_tokens: 4096, primaryKey: user_id_2, cache-key: page-12-of-300',
		'the password is on the second page of the manual',
	]) {
		t.deepEqual(found(text), [], text);
	}
});

const hostile = [
	'1',
	'sk-',
	'a=',
	'eyJ',
	'://',
	'a:b@',
	'-----BEGIN ',
	'-----BEGIN EC PRIVATE KEY-----',
	'-----END ',
	'token=1',
	' = "',
	'Bearer 1',
	'AKIA',
	'A.1',
	'|',
	'"',
];

const elapsed = (text: string): number => {
	let best = Number.POSITIVE_INFINITY;
	for (let round = 0; round < 3; round++) {
		const start = performance.now();
		detect(text);
		best = Math.min(best, performance.now() - start);
	}
	return best;
};

// A quadratic scan would take 1,024 times as long; the slack is for a busy machine.
test('thirty-two times the worst text, 100 KB, takes nowhere near the square of thirty-two as long', t => {
	for (const piece of hostile) {
		const text = piece.repeat(Math.ceil(3_200 / piece.length));
		elapsed(text);
		const once = Math.max(elapsed(text), 0.2);
		t.true(elapsed(text.repeat(32)) < once * 256, `${piece} repeated`);
	}
});
