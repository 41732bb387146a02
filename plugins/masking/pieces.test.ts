import test from 'ava';
import {type Memory, readMemory, writeMemory} from './memory.ts';
import {pass} from './pieces.ts';
import {seeded} from './seeded.ts';
import {config} from './settings.ts';

const settings = config.parse({
	mask: ['email', 'card', 'phone', 'national-id', 'passport', 'mac', 'dob', 'name', 'address', 'api-key'],
	modes: {card: 'mask'},
	custom: [{name: 'project', words: ['Blue Heron'], patterns: ['\\bE-\\d{5}\\b']}],
	allowPatterns: ['help@[a-z.]+'],
	reversible: true,
});

const parts = [
	'ada@mail.example',
	'help@mail.example',
	'4111 1111 1111 1111',
	'4111111111111111',
	'+49 30 901820',
	'AB 12 34 56 C',
	'00:1A:2b:3c:4D:5e',
	'born 12/03/1985',
	'passport X1234567',
	'Dear Ms Okafor',
	'12 Mill Lane',
	'blue heron',
	'E-12345',
	'ghp_k3Jw9QzL5mVt8XcR2bNf7HsPq4YgD6eT1uAo',
	'[EMAIL_1]',
	'[PROJECT_1]',
	'[',
	' ',
	' ',
	', ',
	': ',
	'{"a": ',
	'"',
	'\\"',
	'\n',
	'é',
	'😀',
	'1',
	'-',
	'(',
];

/** What goes out for a text that comes in pieces of these sizes, its memory written and read in between as the gateway does. */
const streamed = (whole: string, size: () => number, start: Memory): string => {
	let carried = writeMemory(start);
	let held = '';
	let out = '';
	for (let at = 0; at <= whole.length; ) {
		const next = size();
		const text = held + whole.slice(at, at + next);
		at += next;
		const memory = readMemory(carried, settings.placeholdersIn);
		const passed = pass({channel: 0, text, final: at > whole.length}, settings, memory);
		out += passed.out;
		held = text.slice(passed.clear);
		carried = writeMemory(memory);
	}
	return out;
};

test('in whatever pieces a reply comes, what goes out is what the whole comes to, with the client’s own values back', t => {
	const start = readMemory(undefined, settings.placeholdersIn);
	start.vault.values.set('[EMAIL_1]', 'own@client.example');
	start.vault.placeholders.set('EMAIL own@client.example', '[EMAIL_1]');
	for (let seed = 1; seed <= 250; seed++) {
		const random = seeded(seed * 104_729);
		const whole = Array.from({length: random(10) + 1}, () => parts[random(parts.length)]).join('');
		const expected = streamed(whole, () => whole.length + 1, start);
		for (const size of [() => 1, () => 1 + random(7), () => 1 + random(60)]) {
			t.is(streamed(whole, size, start), expected, `seed ${seed}: ${JSON.stringify(whole)}`);
		}
	}
});
