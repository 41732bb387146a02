import {createHash, createHmac} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {type StartedPlugin, startPlugin} from '../../plugin-sdk/testing.ts';
import {detect} from './detectors.ts';
import {luhn} from './ids/checks.ts';
import {pseudonymOf, seedOf} from './pseudonyms.ts';
import {createMarks} from './restore.ts';
import {seeded} from './seeded.ts';
import {hmac, sha256} from './sha256.ts';

const seed = seedOf('a secret', 'tenant acme', 'one');

const samples: ReadonlyArray<readonly [type: string, value: string, form: RegExp]> = [
	['EMAIL', 'ada.lovelace@mail.example', /^[a-z][a-z2-7]{9}@example\.(?:com|net|org)$/],
	['CARD', '4111 1111 1111 1111', /^4000 00\d\d \d{4} \d{4}$/],
	['CARD', '378282246310005', /^378282\d{9}$/],
	['IBAN', 'DE89 3704 0044 0532 0130 00', /^DE\d\d 0000 \d{4} \d{4} \d{4} \d\d$/],
	['IBAN', 'GB82WEST12345698765432', /^GB\d\dXXXX\d{14}$/],
	['PHONE', '+49 30 901820', /^\+49 30 0\d{5}$/],
	['PHONE', '(415) 555-2671', /^\(415\) 555-01\d\d$/],
	['PHONE', '+1 212 867 5309', /^\+1 212 555 01\d\d$/],
	['US_SSN', '536-90-4399', /^666-\d\d-\d{4}$/],
	['IP', '10.1.2.3', /^198\.1[89]\.\d{1,3}\.\d{1,3}$/],
	['IP', 'fe80::1', /^2001:db8::[\da-f]{1,4}:[\da-f]{1,4}$/],
	['MAC', '4a:1A:2b:3c:4D:5e', /^02:[\da-fA-F]{2}(?::[\da-fA-F]{2}){4}$/],
	['DOB', '12/03/1985', /^(?:0[1-9]|1[0-2])\/(?:0[1-9]|1[0-2])\/198[1-9]$/],
	['UK_NINO', 'AB 12 34 56 C', /^[A-Z]{2} \d\d \d\d \d\d [A-Z]$/],
];

test('a pseudonym has the form of its value, and is never the value', t => {
	for (const [type, value, form] of samples) {
		const made = pseudonymOf(seed, type, value);
		t.regex(made ?? '', form, type);
		t.not(made, value);
		t.is(pseudonymOf(seed, type, value), made);
	}
});

test('a card stays a card, an account an account and an address an address for whoever checks them', t => {
	for (const [type, value] of samples.slice(0, 5)) {
		const made = pseudonymOf(seed, type, value) ?? '';
		t.deepEqual(
			detect(made).map(each => `${each.type} ${each.value}`),
			[`${type} ${made}`],
		);
		if (type === 'CARD') t.true(luhn(made.replaceAll(' ', '')));
	}
});

test('another tenant, session or gateway has other pseudonyms for the same value', t => {
	const seeds = [
		seed,
		seedOf('a secret', 'tenant acme', 'two'),
		seedOf('a secret', 'tenant other', 'one'),
		seedOf('b secret', 'tenant acme', 'one'),
		// Who chooses its session may not step into another's.
		seedOf('a secret', 'tenant acm', 'e one'),
	];
	t.is(new Set(seeds).size, seeds.length);
	t.is(new Set(seeds.map(each => pseudonymOf(each, 'EMAIL', 'ada@mail.example'))).size, seeds.length);
});

test('a key has no pseudonym', t => {
	t.is(pseudonymOf(seed, 'API_KEY', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'), undefined);
});

test('SHA-256 and HMAC are those of Node', t => {
	for (const size of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000]) {
		const bytes = new Uint8Array(size).map((_, index) => index * 7);
		t.is(Buffer.from(sha256(bytes)).toString('hex'), createHash('sha256').update(bytes).digest('hex'));
		t.is(Buffer.from(hmac(bytes, bytes)).toString('hex'), createHmac('sha256', bytes).update(bytes).digest('hex'));
	}
});

test('in whatever pieces a text comes, marks are found as in the whole', t => {
	const marks = createMarks(['abc@example.com', 'abcd@example.com', '+49 30 012345', '4000 0000 0000 0002']);
	const upper = (mark: string) => mark.toUpperCase().replaceAll(' ', '_');
	for (let first = 1; first <= 300; first++) {
		const random = seeded(first * 7_919);
		const parts = [
			'abc@example.com',
			'abcd@example.com',
			'+49 30 012345',
			'4000 0000 0000 0002',
			'abc@ex',
			' ',
			' ',
			'.',
			'x',
			'+49 ',
			'4000 ',
		];
		const whole = Array.from({length: random(8) + 1}, () => parts[random(parts.length)]).join('');
		let held = '';
		let out = '';
		for (let at = 0; at < whole.length; ) {
			const size = 1 + random(9);
			const text = held + whole.slice(at, at + size);
			const open = marks.openAt(text);
			out += marks.replace(text.slice(0, open), upper);
			held = text.slice(open);
			at += size;
		}
		// What is let out before a piece is not looked back at: marks next to letters are left to the test of the whole.
		if (!/[a-z\d](?:abcd?@|4000)/.test(whole))
			t.is(out + marks.replace(held, upper), marks.replace(whole, upper), `seed ${first}: ${whole}`);
	}
});

const start = async (t: ExecutionContext, config: Record<string, unknown>): Promise<StartedPlugin> => {
	const plugin = await startPlugin(import.meta.url, {config});
	t.teardown(plugin.close);
	return plugin;
};

const patchOf = (given: Record<string, unknown> | undefined) => (given?.patch as {text: Record<string, string>} | undefined)?.text ?? {};

const principal = (tenant: string) => ({id: `key-of-${tenant}`, tenant});

const modes = {email: 'pseudonym', card: 'pseudonym', phone: 'pseudonym', 'api-key': 'pseudonym'};

test('the same value has one pseudonym in a session, and another for another tenant', async t => {
	const plugin = await start(t, {modes});
	const ask = async (tenant: string, session: string) =>
		patchOf(
			await plugin.ask('pre-request', {text: ['I am ada@mail.example'], channels: ['user'], principal: principal(tenant), session}),
		)[0];
	const first = await ask('acme', 'one');
	t.regex(first ?? '', /^I am [a-z2-7]{10}@example\.(?:com|net|org)$/);
	t.is(await ask('acme', 'one'), first);
	t.not(await ask('acme', 'two'), first);
	t.not(await ask('other', 'one'), first);
});

test('reversible: the client gets its value back for its pseudonym, split at any position of a stream', async t => {
	const plugin = await start(t, {modes, reversible: true});
	const asked = await plugin.ask('pre-request', {
		text: ['I am ada@mail.example, +49 30 901820'],
		channels: ['user'],
		principal: principal('acme'),
	});
	const sent = patchOf(asked)[0] ?? '';
	t.notRegex(sent, /ada|901820|\[/);
	const [, mail = '', phone = ''] = /am (\S+), (.*)$/.exec(sent) ?? [];
	const reply = `Dear ${mail}, we call ${phone} soon.`;
	for (let cut = 0; cut <= reply.length; cut++) {
		const first = await plugin.ask('post-response', {
			window: {channel: 0, text: reply.slice(0, cut), final: false},
			carried: asked?.carry as string,
		});
		const clear = first?.clear as number;
		const last = await plugin.ask('post-response', {
			window: {channel: 0, text: reply.slice(clear), final: true},
			carried: first?.carry as string,
		});
		const shown = [first, last].map(
			(given, index) =>
				(given?.patch as {window: string} | undefined)?.window ?? (index === 0 ? reply.slice(0, clear) : reply.slice(clear)),
		);
		t.is(shown.join(''), 'Dear ada@mail.example, we call +49 30 901820 soon.', `cut at ${cut}`);
	}
	const whole = await plugin.ask('post-response', {text: [reply], channels: ['assistant'], carried: asked?.carry as string});
	t.is(patchOf(whole)[0], 'Dear ada@mail.example, we call +49 30 901820 soon.');
});

test('a pseudonym of one exchange means nothing in another, even of the same tenant', async t => {
	const plugin = await start(t, {modes, reversible: true});
	const ask = (text: string, tenant: string) =>
		plugin.ask('pre-request', {text: [text], channels: ['user'], principal: principal(tenant), session: 'one'});
	const first = await ask('I am ada@mail.example', 'acme');
	const made = (patchOf(first)[0] ?? '').slice(5);
	for (const tenant of ['acme', 'other']) {
		const other = await ask('nothing to see', tenant);
		const given = await plugin.ask('post-response', {text: [`it is ${made}`], channels: ['assistant'], carried: other?.carry as string});
		t.false(JSON.stringify(given ?? '').includes('ada'));
	}
});

test('without reversible the pseudonym stays, and what the reply adds has one of its own', async t => {
	const plugin = await start(t, {modes});
	const asked = await plugin.ask('pre-request', {text: ['I am ada@mail.example'], channels: ['user'], principal: principal('acme')});
	const made = (patchOf(asked)[0] ?? '').slice(5);
	const given = await plugin.ask('post-response', {
		text: [`${made} wrote to eve@mail.example`],
		channels: ['tool-result'],
		carried: asked?.carry as string,
	});
	const shown = patchOf(given)[0] ?? '';
	t.true(shown.startsWith(`${made} wrote to `));
	t.regex(shown, /to [a-z2-7]{10}@example\.(?:com|net|org)$/);
	t.false(shown.includes('eve'));
});

test('the secret of the pseudonyms is in no verdict', async t => {
	const plugin = await start(t, {modes});
	const asked = await plugin.ask('pre-request', {text: ['I am ada@mail.example'], channels: ['user'], principal: principal('acme')});
	const secret = String(plugin.kv().pseudonyms);
	t.true(secret.length > 30);
	t.false(JSON.stringify(asked).includes(secret));
});
