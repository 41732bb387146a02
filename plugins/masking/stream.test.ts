import test from 'ava';
import {type DetectorType, detect, detectorTypes, openTail} from './detectors.ts';
import {maskWith, plainly, type StreamState, step, streamStart} from './stream.ts';

type Random = (below: number) => number;

const seeded = (seed: number): Random => {
	let state = seed >>> 0;
	return below => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 4_294_967_296) * below);
	};
};

const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

const text = (random: Random, length: number, from = alphabet) => Array.from({length}, () => from[random(from.length)]).join('');

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

const makers: ReadonlyArray<(random: Random) => string> = [
	() => 'john.doe@example.com',
	random => `${text(random, random(80) + 1, `${alphabet}.-_+`)}@${text(random, random(70) + 1, `${alphabet}.-`)}.com`,
	() => '4111 1111 1111 1111',
	() => '5555555555554444',
	() => '3782 822463 10005',
	() => 'GB82 WEST 1234 5698 7654 32',
	() => '+49 151 8910966',
	() => '(415) 555-0132x506',
	() => 'phone: 785 8949',
	() => 'ssn 123 45 6789',
	() => '123-45-6789',
	() => '192.168.1.1',
	() => '64:ff9b::192.0.2.1',
	() => 'fe80::1',
	random => `sk-ant-api03-${text(random, random(400))}`,
	random => `ghp_${text(random, 36)}`,
	random => `AKIA${text(random, 16, 'ABCDEFGHIJ234567')}`,
	random => `SG.${text(random, 22)}.${text(random, 43)}`,
	random => `eyJ${text(random, 30)}.eyJ${text(random, random(400))}.${text(random, 20)}`,
	random => `https://hooks.slack.com/services/T0/B0/${text(random, random(300))}`,
	random => `redis://user:${text(random, 9)}@db.internal:6379`,
	random => `-----BEGIN RSA PRIVATE KEY-----\n${text(random, random(300))}\n-----END RSA PRIVATE KEY-----`,
	() => '-----BEGIN PRIVATE KEY-----',
	random => text(random, random(20)),
];

const glue = [
	' ',
	' ',
	'\n',
	', ',
	'. ',
	'"',
	':',
	'=',
	'-',
	'_',
	'(',
	')',
	'/',
	'@',
	'+',
	'',
	'é',
	'中',
	'\u200b',
	'\u00a0',
	'４',
	'1',
	' 12 ',
	'::',
	' x12',
	'😀',
	'\\',
	'\\n',
	'\\u0031',
	'call ',
];

const mutated = (random: Random, value: string): string => {
	const at = random(value.length + 1);
	const edits = ['', value.slice(at, at + 1), value.slice(at, at + 1) + pick(random, [...'0123456789-. :@_/+AJ'])];
	return random(2) === 0 ? value : value.slice(0, at) + pick(random, edits) + value.slice(at + 1);
};

const composed = (random: Random): string =>
	Array.from({length: random(6) + 1}, () => pick(random, glue) + mutated(random, pick(random, makers)(random)) + pick(random, glue)).join(
		'',
	);

const streamed = (whole: string, types: readonly DetectorType[], sizes: () => number) => {
	const pieces: string[] = [];
	let state: StreamState = streamStart;
	let most = 0;
	for (let at = 0; at < whole.length; ) {
		const size = sizes();
		const {out, state: next} = step(state, whole.slice(at, at + size), false, types);
		pieces.push(out);
		state = JSON.parse(JSON.stringify(next)) as StreamState;
		most = Math.max(most, state.held.length);
		at += size;
	}

	pieces.push(step(state, '', true, types).out);
	return {pieces, most};
};

const rounds = 600;
const firstSeed = 20_260_101;

test('in whatever pieces a text comes, what goes out is what masking it whole gives', t => {
	for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
		const random = seeded(seed);
		const whole = composed(random);
		const types = random(4) === 0 ? detectorTypes.filter(() => random(2) === 0) : detectorTypes;
		const expected = maskWith(whole, types);
		for (const sizes of [() => 1, () => 7, () => 1 + random(3), () => 1 + random(60)]) {
			const {pieces, most} = streamed(whole, types, sizes);
			if (pieces.join('') !== expected || most > 512) {
				t.fail(`seed ${seed}: ${JSON.stringify(whole)} came out as ${JSON.stringify(pieces)}, ${most} held`);
				return;
			}
		}
	}

	t.pass();
});

test('a value cut in two at any place is masked, and no piece has a character of it', t => {
	for (const make of makers.slice(0, -2)) {
		const random = seeded(firstSeed);
		const value = make(random);
		const [span] = detect(`§ ${value} §`);
		if (span === undefined) {
			continue;
		}

		for (let cut = 1; cut < value.length; cut++) {
			const first = step(streamStart, `§ ${value.slice(0, cut)}`, false, detectorTypes);
			const second = step(first.state, `${value.slice(cut)} §`, true, detectorTypes);
			const shown = `§ ${value} §`.slice(0, span.start);
			t.true(
				shown.startsWith(first.out) || first.out === `${shown}${plainly(span.type, undefined)}`,
				`${value} cut at ${cut}: ${first.out}`,
			);
			t.is(first.out + second.out, maskWith(`§ ${value} §`, detectorTypes), `${value} cut at ${cut}`);
		}
	}
});

test('what stands before the open tail stays as it is, whatever follows', t => {
	for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
		const random = seeded(seed);
		const whole = composed(random);
		const head = whole.slice(0, random(whole.length + 1));
		const cleared = openTail(head);
		const before = detect(head).filter(({end}) => end <= cleared);
		const after = detect(whole).filter(({start}) => start < cleared);
		if (JSON.stringify(before) !== JSON.stringify(after)) {
			t.fail(`seed ${seed}: ${JSON.stringify(whole)} cut after ${JSON.stringify(head)}`);
			return;
		}
	}

	t.pass();
});

test('never more than 256 plain characters are held, however long a value is', t => {
	for (const piece of [
		'a',
		'1',
		'1-',
		'a.',
		'a@',
		'eyJ',
		':',
		'a:',
		'+',
		'(',
		'1 (',
		'https://',
		'sk-1',
		'-----BEGIN RSA ',
		'-----BEGIN PRIVATE KEY-----',
	]) {
		const {most} = streamed(piece.repeat(400), detectorTypes, () => 3);
		t.true(most <= 256, `${piece} repeated: ${most} held`);
	}
});

test('a key block of any length is replaced once and its end is found', t => {
	const block = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEpAIBAAKCAQEA7\n'.repeat(900)}-----END RSA PRIVATE KEY-----`;
	const {pieces, most} = streamed(`key ${block} and a@b.example`, detectorTypes, () => 11);
	t.is(pieces.join(''), 'key [API_KEY] and [EMAIL]');
	t.true(most <= 256);
});
