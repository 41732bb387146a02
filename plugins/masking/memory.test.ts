import test from 'ava';
import {idsAfter} from './ids/stream.ts';
import {readMemory, writeMemory} from './memory.ts';
import {entriesOf, runsOf} from './runs.ts';
import {config} from './settings.ts';
import {streamAfter} from './stream.ts';
import {placeholderFor, pseudonymFor, restoreText, type VaultEntries} from './vault.ts';

const {placeholdersIn} = config.parse({mask: ['email'], reversible: true});

const holding = (owner: string, count = 100) => {
	const memory = readMemory(undefined, placeholdersIn);
	for (let at = 1; at <= count; at++) placeholderFor(memory.vault, 'EMAIL', `${owner}${at}@mail.example`);
	return memory;
};

const read = (carried: string) => readMemory(carried, placeholdersIn);

test('a large vault is read once for all pieces of a stream, and written as it came', t => {
	const carried = writeMemory(holding('ada'));
	const first = read(carried);
	first.channels[0] = {
		seen: '',
		ids: idsAfter('passport: '),
		waiting: '[',
		values: streamAfter('passport: '),
		mark: '[',
	};
	const second = read(writeMemory(first));
	t.is(second.vault, first.vault);
	t.deepEqual(second.channels, first.channels);
	second.channels = {};
	t.is(writeMemory(second), carried);
});

test('vaults that are as long as each other never give back each other’s values', t => {
	const ours = writeMemory(holding('ada'));
	const theirs = writeMemory(holding('bob'));
	t.is(ours.length, theirs.length);
	for (let turn = 0; turn < 3; turn++) {
		t.is(restoreText('[EMAIL_7]', read(ours).vault), 'ada7@mail.example');
		t.is(restoreText('[EMAIL_7]', read(theirs).vault), 'bob7@mail.example');
	}
});

test('what is learnt after a vault was read is written with it, and is nobody else’s', t => {
	const carried = writeMemory(holding('ada'));
	const memory = read(carried);
	placeholderFor(memory.vault, 'EMAIL', 'late@mail.example');
	t.is(restoreText('[EMAIL_101]', read(writeMemory(memory)).vault), 'late@mail.example');
	t.is(restoreText('[EMAIL_101]', read(carried).vault), '[EMAIL_101]');
});

test('a pseudonym that is made after some text was restored comes back too', t => {
	const {vault} = holding('ada', 0);
	const first = pseudonymFor(vault, 'seed', 'EMAIL', 'ada@mail.example', true)!;
	t.is(restoreText(first, vault), 'ada@mail.example');
	const second = pseudonymFor(vault, 'seed', 'EMAIL', 'bob@mail.example', true)!;
	t.is(restoreText(`${first} ${second}`, vault), 'ada@mail.example bob@mail.example');
});

test('of more vaults than are remembered each one is still right', t => {
	const all = Array.from({length: 50}, (_, at) => writeMemory(holding(`owner${at}x`, 100 + at)));
	for (const [at, carried] of [...all, ...all].entries()) {
		t.is(restoreText('[EMAIL_3]', read(carried).vault), `owner${at % 50}x3@mail.example`);
	}
});

test('entries that are written as runs come back as they were, in their order', t => {
	const all: VaultEntries[] = [
		[],
		[
			['[EMAIL_1]', 'a@x.example', 'EMAIL'],
			['[EMAIL_2]', 'b@x.example', 'EMAIL'],
			['[PHONE_1]', '1', 'PHONE'],
			['[EMAIL_3]', 'c', 'EMAIL'],
		],
		[
			['[EMAIL_2]', 'b', 'EMAIL'],
			['[EMAIL_1]', 'a', 'EMAIL'],
			['[EMAIL_999999]', '', 'EMAIL'],
			['[EMAIL_1000000]', 'x', 'EMAIL'],
		],
		[
			['[EMAIL_1]', 'a', 'EMAIL'],
			['made@example.com', 'b', 'EMAIL'],
			['[EMAIL_2]', 'c', 'EMAIL'],
			['other@example.com', null, ''],
		],
		[
			['[EMAIL_01]', 'a', 'EMAIL'],
			['[_1]', 'b', ''],
			['[_1]', null, ''],
			['[EMAIL_NaN]', 'c', 'EMAIL'],
			['[MY_OWN_1]', 'd', 'MY_OWN'],
		],
	];
	for (const entries of all) t.deepEqual(entriesOf(JSON.parse(JSON.stringify(runsOf(entries)))), entries);
});
