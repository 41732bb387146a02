import test from 'ava';
import {rewritten} from '../core/llm/encode.ts';
import {copyOf, exactly, jsonForPlugins, parseExactly} from '../core/llm/exact.ts';
import {canonicalNumber, isBeyond} from '../core/llm/numbers.ts';
import {digestOf} from '../core/mcp/catalogue.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

/** Any number that JSON can write and a double can hold in some way. */
const numberFrom = ({below}: ReturnType<typeof seededRandom>): string => {
	const digits = (most: number) => Array.from({length: 1 + below(most)}, () => below(10)).join('');
	const whole = below(3) === 0 ? '0' : `${1 + below(9)}${below(2) === 0 ? '' : digits(22)}`;
	const fraction = below(2) === 0 ? '' : `.${digits(24)}`;
	const power = below(4) === 0 ? `${below(2) === 0 ? 'e' : 'E'}${['', '+', '-'][below(3)]}${below(250)}` : '';
	return `${below(4) === 0 ? '-' : ''}${whole}${fraction}${power}`;
};

/** The digits and the power of ten of a number, by whole numbers alone. */
const ratio = (words: string): [bigint, number] => {
	const [mantissa = '', power = '0'] = words.toLowerCase().split('e');
	const [whole = '', fraction = ''] = mantissa.split('.');
	return [BigInt(whole.replace('-', '') + fraction) * (whole.startsWith('-') ? -1n : 1n), Number(power) - fraction.length];
};
const isSame = (one: string, other: string): boolean => {
	const [[a, p], [b, q]] = [ratio(one), ratio(other)];
	const low = Math.min(p, q);
	return a * 10n ** BigInt(p - low) === b * 10n ** BigInt(q - low);
};

test('every number is written again as it was, and two have one canonical form where they are the same number', t => {
	const random = seededRandom(seed);
	for (let round = 0; round < 3_000; round++) {
		const [one, other] = [numberFrom(random), numberFrom(random)];
		const text = `{"a":[${one},"${other}, 1.0 \\\\\\" -0"],"b":{"c":${other},"n${one}":null}}`;
		const tree = exactly(text);
		t.is(JSON.stringify(tree), text, `seed ${seed}`);
		t.is(JSON.stringify(copyOf(tree)), text, `seed ${seed}`);
		t.is(JSON.stringify(rewritten(JSON.parse(jsonForPlugins(tree)), tree)), text, `seed ${seed}`);
		t.is(canonicalNumber(one) === canonicalNumber(other), isSame(one, other), `seed ${seed}: ${one} ${other}`);
		const again = `${one.replace(/[eE].*/, '')}${one.includes('.') ? '' : '.'}000e${/[eE](.*)/.exec(one)?.[1] ?? 0}`;
		t.is(canonicalNumber(one), canonicalNumber(again), `seed ${seed}: ${one} ${again}`);
		t.is(digestOf(exactly(`[${one}]`)), digestOf(exactly(`[${again}]`)), `seed ${seed}`);
		if (!isBeyond(one) && isSame(one, String(Number(one))))
			t.is(digestOf(exactly(`[${one}]`)), digestOf([Number(one)]), `seed ${seed}: ${one}`);
	}
	if (!t.passed) t.log(`SEED=${seed}`);
});

test('what a plugin moves is the number that it was, and what stands where a string was, or was one somewhere, is a string', t => {
	const [one, other] = ['1234567890123456789', '0.12345678901234567890'];
	const again = (before: string, after: unknown) => JSON.stringify(rewritten(after, exactly(before)));
	t.is(again(`{"a":[1.0,${one},${other}]}`, {a: [other, one], b: {c: one, n: 1}}), `{"a":[${other},${one}],"b":{"c":${one},"n":1}}`);
	t.is(again(`{"a":"x","b":${one}}`, {a: one, b: 'x', c: one}), `{"a":"${one}","b":"x","c":${one}}`);
	t.is(again(`{"a":1.50,"b":${one}}`, {a: {b: one}}), `{"a":{"b":${one}}}`);
	t.is(again(`{"a":[1,{"s":"${one}"}],"b":${one}}`, {a: [{s: one}], b: one}), `{"a":[{"s":"${one}"}],"b":${one}}`);
	t.is(again(`{"a":${one}}`, {b: `${one}0`, c: ` ${one}`, d: `-${one}`}), `{"b":"${one}0","c":" ${one}","d":"-${one}"}`);
});

test('what a plugin writes in the place of a number is a copy of its own', t => {
	const verdict = {a: Object.freeze({b: [1]})};
	const copy = rewritten(verdict, exactly('{"a":1234567890123456789}')) as {a: {b: number[]}};
	copy.a.b.push(2);
	t.deepEqual(verdict, {a: {b: [1]}});
});

test('of very many odd numbers those stay exact that no double stands for, and too many of these are refused', t => {
	const of = (count: number, number: string) =>
		Buffer.from(`{"n":[${Array.from({length: count}, () => number).join()},1234567890123456789]}`);
	t.is(JSON.stringify(parseExactly(of(20_000, '1.0'))), of(20_000, '1').toString());
	t.is(JSON.stringify(parseExactly(of(100, '1.0'))), of(100, '1.0').toString());
	t.throws(() => parseExactly(of(20_000, '1234567890123456789')), {message: /more than 20000 numbers that no double stands for/});
	t.throws(() => parseExactly(Buffer.from('{"n":1e400}')), {message: /larger than a double/});
});
