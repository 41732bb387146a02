import test from 'ava';
import {detectorTypes} from './detectors.ts';
import {maskWith} from './stream.ts';
import {createVault, maskText, placeholderFor, restoreStep, restoreText, vaultEntries} from './vault.ts';

const mask = (text: string, vault = createVault()) => maskText(text, detectorTypes, vault);

test('the same value has the same placeholder throughout the exchange, another value another', t => {
	const vault = createVault();
	t.is(mask('a@x.example, b@x.example, a@x.example', vault), '[EMAIL_1], [EMAIL_2], [EMAIL_1]');
	t.is(mask('4111 1111 1111 1111 of b@x.example', vault), '[CARD_1] of [EMAIL_2]');
});

test('a masked text comes back as it was', t => {
	const text = 'Mail a@x.example or call (415) 555-0132 about [EMAIL_1] and [CARD_7], [EMAIL] [NAME_1]; AKIAGTQTFWBORYSWZPBI';
	const vault = createVault();
	const masked = mask(text, vault);
	t.false(/a@x|0132|AKIA/.test(masked));
	t.is(restoreText(masked, vault), text);
	t.is(restoreText(masked, createVault(JSON.parse(JSON.stringify(vaultEntries(vault))))), text);
});

test('a placeholder written in the text never becomes the value of somebody', t => {
	for (const text of ['[EMAIL_1] is a@x.example', 'a@x.example is [EMAIL_1]', '[EMAIL_2] a@x.example b@x.example [EMAIL_1]']) {
		const vault = createVault();
		t.is(restoreText(mask(text, vault), vault), text);
	}

	const vault = createVault();
	mask('a@x.example', vault);
	const later = mask('say [EMAIL_1]', vault);
	t.is(later, 'say [EMAIL_2]');
	t.is(restoreText(later, vault), 'say [EMAIL_1]');
});

test('a placeholder that the vault does not know stays as it is', t => {
	t.is(restoreText('[EMAIL_1] [CARD_12] [EMAIL_x]', createVault()), '[EMAIL_1] [CARD_12] [EMAIL_x]');
});

test('a vault that was kept goes on counting where it stopped', t => {
	const vault = createVault();
	mask('a@x.example b@x.example', vault);
	t.is(mask('c@x.example a@x.example', createVault(vaultEntries(vault))), '[EMAIL_3] [EMAIL_1]');
});

test('private key blocks and long secrets are masked for good', t => {
	const vault = createVault();
	const token = `eyJhbGciOiJIUzI1NiJ9.${'a1'.repeat(200)}.sig`;
	t.is(mask(`${token} -----BEGIN PRIVATE KEY-----\nab\n-----END PRIVATE KEY-----`, vault), '[API_KEY] [API_KEY]');
	t.deepEqual(vaultEntries(vault), []);
});

test('in whatever pieces a reply comes, it is restored as if it were whole', t => {
	const vault = createVault();
	mask('a@x.example (415) 555-0132 536-90-4399 4111111111111111', vault);
	const reply = 'x[EMAIL_1][[PHONE_1] [US_SSN_1]] [EMAIL_1 [EMAIL_9] [NOTHING [CARD_1] [';
	const expected = restoreText(reply, vault);
	for (let size = 1; size < reply.length; size++) {
		let held = '';
		let out = '';
		for (let at = 0; at < reply.length; at += size) {
			const next = restoreStep(held, reply.slice(at, at + size), false, vault);
			out += next.out;
			held = next.held;
			t.true(held.length <= 16);
			t.true(expected.startsWith(out));
		}

		t.is(out + restoreStep(held, '', true, vault).out, expected);
	}
});

test('what a vault gives back needs no escaping in JSON', t => {
	const vault = createVault();
	mask('https://a:b"c@x.example/ "a@x.example" redis://u:p\\n@h.example "+49 151 8910966"', vault);
	for (const [, value] of vaultEntries(vault)) {
		t.is(JSON.stringify(value), `"${value}"`);
	}
});

test('plain masking names the type only', t => {
	t.is(maskWith('a@x.example 192.168.1.1', detectorTypes), '[EMAIL] [IP]');
	t.is(maskWith('a@x.example 192.168.1.1', ['IP']), 'a@x.example [IP]');
	t.is(placeholderFor(createVault(), 'IBAN', 'x'), '[IBAN_1]');
});
