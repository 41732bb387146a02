import test from 'ava';
import {build} from 'esbuild';
import ivm from 'isolated-vm';
import {type DetectorType, detect, detectorTypes, openTail} from './detectors.ts';

const found = (text: string, types?: readonly DetectorType[]) => detect(text, types).map(({type, value}) => `${type} ${value}`);

const values: ReadonlyArray<readonly [type: DetectorType, value: string]> = [
	['EMAIL', 'john.doe+tag@mail.example.co.uk'],
	['EMAIL', 'józef@müller.de'],
	['EMAIL', 'a@xn--d1acufc.xn--p1ai'],
	['CARD', '4111111111111111'],
	['CARD', '4111 1111 1111 1111'],
	['CARD', '5555-5555-5555-4444'],
	['CARD', '3782 822463 10005'],
	['IBAN', 'GB82 WEST 1234 5698 7654 32'],
	['IBAN', 'DE89370400440532013000'],
	['PHONE', '+49 151 8910966'],
	['PHONE', '(+44) (555)123-1234'],
	['PHONE', '(415) 555-0132'],
	['PHONE', '415-555-0132x506'],
	['PHONE', '020 7946 0018'],
	['PHONE', '001-204-821-0538'],
	['US_SSN', '536-90-4399'],
	['IP', '192.168.10.20'],
	['IP', '2001:db8::192.0.2.1'],
	['IP', '::1'],
	['IP', 'fe80:0:0:0:202:b3ff:fe1e:8329'],
	['API_KEY', 'sk-ant-api03-SdA-5xKcWP51pvGLvi0d_kz7iluBTe'],
	['API_KEY', 'vk_9f8e7d6c5b4a39281706f5e4d3c2b1a0'],
	['API_KEY', 'ghp_JKnL9gGzU1psc3pov9XkabYQ6GmQ988v0i66'],
	['API_KEY', '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'],
	['API_KEY', 'AKIAGTQTFWBORYSWZPBI'],
	['API_KEY', 'AIzaXGtpZuzFnjQ2HZyfMQUNJ_73s9dNEjLAGA1'],
	['API_KEY', 'xoxb-147049257997-605153601826-m5HePG1Td3yS3GaLtrYpMO2K'],
	['API_KEY', 'rk_live_Myd4376BPAfopnlNP1WBsrAx'],
	['API_KEY', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N'],
	['API_KEY', 'https://hooks.slack.com/services/T00000000/B00000000/7qrab0drin8sl3232prd7'],
	['API_KEY', 'postgres://admin:hunter2ziKHPb5@db2.internal:5432'],
	['API_KEY', '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----'],
];

for (const [type, value] of values) {
	test(`${value.split('\n')[0]} is found whole, alone, in a sentence and between quotes`, t => {
		for (const text of [value, `It is ${value}.`, `{"a":"${value}"}`, `(${value})`, `中文${value}。`]) {
			t.deepEqual(found(text), [`${type} ${value}`], text);
		}

		t.deepEqual(
			found(
				`It is ${value}.`,
				detectorTypes.filter(each => each !== type),
			).filter(each => each.endsWith(` ${value}`)),
			[],
		);
	});
}

test('a number that fails its check is left alone', t => {
	t.deepEqual(found('4111 1111 1111 1112, GB82 WEST 1234 5698 7654 33, 666-12-3456, 000-12-3456, 900-12-3456, 123-00-4567'), []);
});

test('what only looks like a value is left alone', t => {
	for (const text of [
		'version 10.2.61.21 released 2023-05-16 12:34:56',
		'std::vector<a::b> at 12:34:56, mac 0f:a4:33:9c:11:00',
		'id 123e4567-e89b-12d3-a456-426614174000, epoch 1762485651674, ISBN 978-4-49-458731-5',
		'1,234,567.89 EUR, coordinates -81.989337, 105.731027, order 4485-852032',
		'sk-learn-based-approach-to-everything, npm_install_something_very_long_indeed, well-known_thing',
		'logo@2x.png, @scope/package, git@github.com:org/repo.git, root@localhost',
		'2019 2020 2021 2022 2023, 100 20 30 4000',
		'-----BEGIN PUBLIC KEY-----\nMHcCAQEE\n-----END PUBLIC KEY-----',
	]) {
		t.deepEqual(found(text), [], text);
	}
});

test('a bare number is a phone or social security number only after a word that says so', t => {
	t.deepEqual(found('the count was 5551234567 then'), []);
	t.deepEqual(found('call me at 5551234567'), ['PHONE 5551234567']);
	t.deepEqual(found('order id, phone 785 8949'), ['PHONE 785 8949']);
	t.deepEqual(found('phone me about order 7858949'), []);
	t.deepEqual(found('ssn: 536904399'), ['US_SSN 536904399']);
});

test('an address takes the number at its start with it', t => {
	t.deepEqual(found('write to 415-555-0132@example.com'), ['EMAIL 415-555-0132@example.com']);
});

test('full-width digits, foreign spaces and an invisible character do not hide a value', t => {
	t.deepEqual(found('card ４１１１ １１１１ １１１１ １１１１ ok'), ['CARD ４１１１ １１１１ １１１１ １１１１']);
	t.deepEqual(found('card 4111\u00a01111\u00a01111\u00a01111 ok'), ['CARD 4111\u00a01111\u00a01111\u00a01111']);
	t.deepEqual(found('a jo\u200bhn@exam\u00adple.com b'), ['EMAIL jo\u200bhn@exam\u00adple.com']);
	t.deepEqual(found('call 415\u2011555\u20110132'), ['PHONE 415\u2011555\u20110132']);
});

test('a private key without an end is a secret to the end of the text', t => {
	const [span] = detect('key:\n-----BEGIN RSA PRIVATE KEY-----\nMIIE and more');
	t.like(span, {start: 5, end: 50, type: 'API_KEY', reversible: false});
});

test('prose is cleared but for its last word', t => {
	const text = 'The quick brown fox jumps over the lazy dog, then rests';
	t.is(openTail(text), text.length - 'rests'.length);
	t.is(openTail(`${text} `), text.length + 1);
	t.is(openTail(`${text} `, []), text.length + 1);
	t.is(openTail('call +49 151 89'), 'call '.length);
});

const hostile = [
	'1',
	'@',
	'a.',
	'eyJ',
	'-----BEGIN ',
	':',
	'a@',
	'1 ',
	'1.1.',
	'(1',
	'sk-',
	'glpat-a.',
	'a://b:',
	'::1',
	'GB82 ',
	'x@a.a.',
	'555-',
	'4111 ',
	'4\u200b',
];

const elapsed = (text: string) => {
	let best = Number.POSITIVE_INFINITY;
	for (let round = 0; round < 5; round++) {
		const start = process.cpuUsage();
		detect(text);
		const {user, system} = process.cpuUsage(start);
		best = Math.min(best, (user + system) / 1_000);
	}

	return best;
};

// A quadratic scan would take 1024 times as long; the slack is for a busy machine.
test('thirty-two times the hostile text takes nowhere near the square of thirty-two as long', t => {
	for (const piece of hostile) {
		const text = piece.repeat(Math.ceil(4096 / piece.length));
		elapsed(text);
		const once = Math.max(elapsed(text), 0.2);
		t.true(elapsed(text.repeat(32)) < once * 256, `${piece} repeated`);
	}
});

test('the engine runs in an isolate that has nothing but the language', async t => {
	const {outputFiles} = await build({
		stdin: {
			contents: 'export {detect} from "./detectors.ts"; export {step} from "./stream.ts"; export {maskText} from "./vault.ts"',
			resolveDir: import.meta.dirname,
		},
		bundle: true,
		write: false,
		format: 'iife',
		globalName: 'engine',
	});
	const isolate = new ivm.Isolate({memoryLimit: 16});
	t.teardown(() => isolate.dispose());
	const context = await isolate.createContext();
	await context.eval(outputFiles[0]?.text ?? '');
	t.is(await context.eval('engine.detect("mail a@b.example now").map(({value}) => value).join()'), 'a@b.example');
});
