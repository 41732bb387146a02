import test from 'ava';
import {scanIds} from './ids/scan.ts';
import {type IdState, idStart, idStep, replaceIds} from './ids/stream.ts';
import {kinds} from './kinds.ts';
import {seeded} from './seeded.ts';

const found = (text: string) => scanIds(text, 0, 0, true, true).found.map(({start, end, type}) => `${type} ${text.slice(start, end)}`);

/** A name, and a number without its last digit. */
const checked: ReadonlyArray<readonly [type: string, before: string, digits: string]> = [
	['IMEI', 'IMEI ', '35209900176148'],
	['ABA_ROUTING', 'routing number ', '02100032'],
	['CA_SIN', 'SIN ', '73045461'],
	['IN_AADHAAR', 'Aadhaar: ', '49991186532'],
	['PL_PESEL', 'PESEL ', '8605171234'],
	['UK_NHS', 'NHS number ', '48577734'],
	['NL_BSN', 'BSN ', '12345678'],
	['TH_TNIN', 'Thai ID ', '310040012345'],
	['US_NPI', 'NPI ', '188765432'],
	['ZA_ID_NUMBER', 'ID number ', '920220472008'],
	['CH_AHV', '', '756921703344'],
	['BG_EGN', 'EGN ', '752316926'],
	['LV_PK', 'personas kods ', '1611751086'],
	['RU_SNILS', 'СНИЛС ', '1122334459'],
	['JP_MY_NUMBER', 'My Number ', '12345678901'],
	['KR_BRN', 'BRN ', '104865665'],
	['PT_NIF', 'NIF ', '12345678'],
	['DO_CEDULA', 'cédula ', '0011391820'],
];

test('of ten last digits one at most is right, and a wrong one is left alone', t => {
	for (const [type, before, digits] of checked) {
		const ends = type === 'UK_NHS' ? Array.from({length: 100}, (_, end) => String(end).padStart(2, '0')) : [...'0123456789'];
		const hits = ends.filter(end => found(`${before}${digits}${end} ok`).includes(`${type} ${digits}${end}`));
		t.true(hits.length >= 1 && hits.length <= ends.length / 9, `${type}: ${hits.join()}`);
	}
});

test('numbers whose shape says what they are need no word before them', t => {
	t.deepEqual(found('am AB 12 34 56 C und'), ['UK_NINO AB 12 34 56 C']);
	t.deepEqual(found('DNI 12345678Z, NIE X1234567L.'), ['ES_NIF 12345678Z', 'ES_NIF X1234567L']);
	t.deepEqual(found('mac=00:1A:2b:3c:4D:5e and 00-1A-2b-3c-4D-5e'), ['MAC 00:1A:2b:3c:4D:5e', 'MAC 00-1A-2b-3c-4D-5e']);
	t.deepEqual(found('CPF 529.982.247-25'), ['BR_CPF 529.982.247-25']);
});

test('wallets are found by their checksum', t => {
	const burned = `1${'111111111111111111114oLvT2'}`;
	t.deepEqual(found(`to ${burned} now`), [`CRYPTO ${burned}`]);
	t.deepEqual(found(`to ${burned.replace('T2', 'T3')} now`), []);
	const coin = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
	t.deepEqual(found(`to ${coin} now`), [`CRYPTO ${coin}`]);
	t.deepEqual(found(`to ${coin.slice(0, -1)}5 now`), []);
});

test('birthdays and passports are found by the words before them', t => {
	t.deepEqual(found('born 12/03/1985, paid 12/03/2024'), ['DOB 12/03/1985']);
	t.deepEqual(found('the meeting is on 12/03/1985'), []);
	t.deepEqual(found('passport no. C4711234 expires'), ['PASSPORT C4711234']);
});

test('licences, accounts and plates are found by the words before them, or by a form that nothing else has', t => {
	t.deepEqual(found("my driver's license is LH329609T."), ['DRIVER_LICENSE LH329609T']);
	t.deepEqual(found('account number 3294805225, sort code 20-00-00'), ['BANK_ACCOUNT 3294805225', 'UK_SORT_CODE 20-00-00']);
	t.deepEqual(found('car reg BD62 XYZ and GJ09AB1234'), ['UK_VEHICLE_REGISTRATION BD62 XYZ', 'IN_VEHICLE_REGISTRATION GJ09AB1234']);
	t.deepEqual(found('VIN 1M8GDM9AXKP042788, no VIN 1M8GDM9A1KP042788 x'), ['VIN 1M8GDM9AXKP042788', 'VIN 1M8GDM9A1KP042788']);
	t.deepEqual(found('it is 1M8GDM9AXKP042788, and 1M8GDM9A1KP042788'), ['VIN 1M8GDM9AXKP042788']);
	t.deepEqual(found('at SW1A 1AA, with E5 2GB of memory'), ['UK_POSTCODE SW1A 1AA']);
	t.deepEqual(found('NRIC S1234567D, not S1234567A'), ['SG_NRIC_FIN S1234567D', 'SG_NRIC_FIN S1234567A']);
	t.deepEqual(found('it is S1234567D, not S1234567A'), ['SG_NRIC_FIN S1234567D']);
	t.deepEqual(found('SVNR 1237 010180, not 1238 010180; UTR 1955839661, not 2955839661'), ['AT_VNR 1237 010180', 'UK_UTR 1955839661']);
	t.deepEqual(found('VAT no. DE136695976, and DE136695977'), ['VAT DE136695976']);
});

test('what only looks like a number of a person is left alone', t => {
	for (const text of [
		'epoch 1762485651674, order 4485-852032, ISBN 978-4-49-458731-5, version 10.2.61.21',
		'at 12:34:56 on 2023-05-16, 1,234,567.89 EUR, id 123e4567-e89b-12d3-a456-426614174000',
		'commit 43fc912ef59a, sha 8baeebcb84b25f6a3730f9b22a06749528fd2772, 2019 2020 2021 2022',
		'it is a 12 of the 100 we had, AND 20 OF THE 30',
	]) {
		t.deepEqual(found(text), [], text);
	}
});

const pieces = [
	'AB 12 34 56 C',
	'12345678Z',
	'00:1A:2b:3c:4D:5e',
	'529.982.247-25',
	'IMEI ',
	'NHS ',
	'1',
	'12',
	'AB',
	'a1',
	' ',
	' ',
	'-',
	'.',
	':',
	'/',
	'+',
	'born 12/03/1985',
	'passport C4711234',
	'é',
	'中',
	'word',
	'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
	'"',
	'\n',
	'x'.repeat(95),
	'352099001761481',
	'FF:',
	'HR ',
];

test('in whatever pieces a text comes, what goes out is what masking it whole gives', t => {
	const all = new Set<string>(kinds);
	const mask = (type: string) => `[${type}]`;
	for (let seed = 1; seed <= 800; seed++) {
		const random = seeded(seed * 104_729);
		const whole = Array.from({length: random(14) + 1}, () => pieces[random(pieces.length)]).join('');
		const expected = replaceIds(whole, idStep(idStart, whole, true, all), mask);
		for (const most of [1, 5, 40]) {
			let state: IdState = idStart;
			let held = '';
			let out = '';
			for (let at = 0; at <= whole.length; ) {
				const size = most === 1 ? 1 : 1 + random(most);
				const final = at + size > whole.length;
				const text = held + whole.slice(at, at + size);
				const seen = idStep(state, text, final, all);
				out += replaceIds(text, seen, mask);
				held = text.slice(seen.clear);
				state = JSON.parse(JSON.stringify(seen.state)) as IdState;
				at += size;
				if (held.length > 200) t.fail(`seed ${seed}: ${held.length} held`);
			}
			if (out !== expected) {
				t.fail(`seed ${seed}: ${JSON.stringify(whole)} came out as ${JSON.stringify(out)}, not ${JSON.stringify(expected)}`);
				return;
			}
		}
	}
	t.pass();
});

const elapsed = (text: string): number => {
	let best = Number.POSITIVE_INFINITY;
	for (let round = 0; round < 3; round++) {
		const start = process.cpuUsage();
		scanIds(text, 0, 0, true, true);
		const {user, system} = process.cpuUsage(start);
		best = Math.min(best, (user + system) / 1_000);
	}
	return best;
};

// A quadratic scan would take 1,024 times as long; the slack is for a busy machine.
test('thirty-two times the worst text, 100 KB, takes nowhere near the square of thirty-two as long', t => {
	for (const piece of ['1', '1 ', 'A', 'A ', 'A1', '1-', '00:', 'AB:', 'a', '1.1.', 'imei 1 ', '13', 'bc1q', `${'x'.repeat(99)} `]) {
		const text = piece.repeat(Math.ceil(3_200 / piece.length));
		elapsed(text);
		const once = Math.max(elapsed(text), 0.5);
		t.true(elapsed(text.repeat(32)) < once * 256, `${piece} repeated`);
	}
});
