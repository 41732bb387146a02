import test from 'ava';
import {kinds} from './kinds/at.ts';
import {drawn, keyOf, type Random, seeded} from './samples.ts';
import {type StreamState, step, streamStart, written} from './stream.ts';

const glue = [
	' ',
	'\n',
	', ',
	'"',
	':',
	'=',
	'-',
	'_',
	'(',
	'/',
	'@',
	'',
	'é',
	'中',
	'😀',
	'\\n',
	'\\',
	'\\u0041',
	'token=',
	' password: "',
	'Bearer ',
	'. ',
];

const pick = <T>(random: Random, list: readonly T[]): T => list[random(list.length)] as T;

const pem = `-----BEGIN RSA ${'PRIVATE'} KEY-----`;

const makers: ReadonlyArray<(random: Random) => string> = [
	random => keyOf(random, pick(random, kinds)),
	random => keyOf(random, pick(random, kinds)).slice(0, random(40)),
	random => drawn(random, 'alnum', random(40)),
	random => drawn(random, 'key', random(1_500)),
	random => `eyJ${drawn(random, 'alnum', 30)}.eyJ${drawn(random, 'alnum', random(900))}.${drawn(random, 'alnum', 20)}`,
	random => `redis://user:${drawn(random, 'alnum', 9)}@db.example:6379`,
	random => `${pem}\n${drawn(random, 'base64', random(900))}\n-----END RSA ${'PRIVATE'} KEY-----`,
	() => pem,
	() => '-----END ',
	() => 'words between',
];

const composed = (random: Random): string =>
	Array.from({length: random(6) + 1}, () => pick(random, glue) + pick(random, makers)(random) + pick(random, glue)).join('');

type Flow = {state: StreamState; held: string};

const feed = (flow: Flow, added: string, final: boolean): string => {
	const text = flow.held + added;
	const seen = step(flow.state, text, final);
	const out = written(text, seen, () => true);
	flow.state = JSON.parse(JSON.stringify(seen.state)) as StreamState;
	flow.held = text.slice(seen.clear);
	return out;
};

const streamed = (whole: string, size: () => number): {out: string; most: number} => {
	const flow: Flow = {state: streamStart, held: ''};
	let out = '';
	let most = 0;
	for (let at = 0; at < whole.length; ) {
		const next = size();
		out += feed(flow, whole.slice(at, at + next), false);
		most = Math.max(most, flow.held.length);
		at += next;
	}
	return {out: out + feed(flow, '', true), most};
};

test('in whatever pieces a text comes, what goes out is what masking it whole gives', t => {
	for (let seed = 1; seed <= 150; seed++) {
		const random = seeded(seed * 104_729);
		const whole = composed(random);
		const expected = feed({state: streamStart, held: ''}, whole, true);
		for (const size of [() => 1, () => 13, () => 1 + random(90)]) {
			const {out, most} = streamed(whole, size);
			if (out !== expected || most > 768) {
				t.fail(`seed ${seed}: ${JSON.stringify(whole)} came out as ${JSON.stringify(out)}, ${most} held`);
				return;
			}
		}
	}
	t.pass();
});

test('a key cut in two at any place is masked, and no piece has a character of it', t => {
	const random = seeded(77);
	for (const row of kinds.filter((_, index) => index % 5 === 0)) {
		const value = keyOf(random, row);
		const whole = `§ ${value} §`;
		const expected = feed({state: streamStart, held: ''}, whole, true);
		for (let cut = 1; cut < whole.length; cut++) {
			const flow: Flow = {state: streamStart, held: ''};
			const first = feed(flow, whole.slice(0, cut), false);
			t.true(expected.startsWith(first), `${row[0]} cut at ${cut}`);
			t.is(first + feed(flow, whole.slice(cut), true), expected);
		}
	}
});

test('the head of a private key right behind a long word is found, one character after another', t => {
	for (const length of [100, 430, 501, 511, 700]) {
		const whole = `${'a'.repeat(length)}${pem}\nMIIEvQIBADANBgkqhkiG9w0BAQEF`;
		t.is(streamed(whole, () => 1).out, `${'a'.repeat(length)}[SECRET]`, `${length} letters`);
	}
});
