import test from 'ava';
import {compilePattern, PatternRefused} from '../plugin-sdk/pattern.ts';
import {type Random, seededRandom} from './helpers/seeded-random.ts';

const found = (source: string, text: string, ignoreCase = false) =>
	compilePattern(source, {ignoreCase})
		.scan(text)
		.found.map(({start, end}) => text.slice(start, end));

test('what it finds is what V8 finds, for expressions and texts at random', t => {
	const letters = ['a', 'b', 'B', '1', ' ', 'é', 'ſ', '😀', '\n', '_'];
	const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '\\s', 'é', '😀', '\\u{1F600}', '[😀é]', '\\p{L}', '\\x61', '\\uD83D\\uDE00'];
	const edges = ['\\b', '\\B', '^', '$'];
	type Piece = {source: string; nullable: boolean};
	const piece = (random: Random, depth: number): Piece => {
		const kind = depth === 0 ? 0 : random.below(5);
		if (kind === 0) return {source: random.pick(atoms), nullable: false};
		if (kind === 1) return {source: random.pick(edges), nullable: true};
		const inner = [piece(random, depth - 1), piece(random, depth - 1)];
		if (kind === 2) return {source: inner.map(({source}) => source).join(''), nullable: inner.every(({nullable}) => nullable)};
		if (kind === 3) return {source: `(?:${inner.map(({source}) => source).join('|')})`, nullable: inner.some(({nullable}) => nullable)};
		const [{source, nullable}] = inner as [Piece, Piece];
		// Engines differ about repeating what may be nothing; nobody means to write that.
		if (nullable) return {source: `(${source})`, nullable};
		const times = random.pick(['*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?', '??', '{1,3}?']);
		return {source: `(${source})${times}`, nullable: ['*', '?', '{0'].some(begin => times.startsWith(begin))};
	};

	const seed = 20_261_123;
	const random = seededRandom(seed);
	let compared = 0;
	for (let round = 0; round < 4_000; round++) {
		const {source, nullable} = piece(random, 3);
		if (nullable) continue;
		const ignoreCase = random.chance(0.3);
		const text = Array.from({length: random.below(12)}, () => random.pick(letters)).join('');
		const expected = [...text.matchAll(new RegExp(source, ignoreCase ? 'giu' : 'gu'))].map(([value]) => value);
		t.deepEqual(found(source, text, ignoreCase), expected, `seed ${seed}, round ${round}: /${source}/ in ${JSON.stringify(text)}`);
		compared++;
	}
	t.true(compared > 1_000);
});

test('in whatever pieces a text comes, its matches are those of the whole text', t => {
	const seed = 7;
	const random = seededRandom(seed);
	const sources = ['\\bEMP-\\d{2,4}\\b', 'a.*b', '(?:ab|b)+c?', '^a+', 'b$', '\\p{L}+ \\p{L}+', '😀.b', 'a.{3,5}a', '[ab]{2,40}c'];
	for (let round = 0; round < 600; round++) {
		const source = random.pick(sources);
		const window = random.pick([16, 32, 64]);
		const pattern = compilePattern(source, {window});
		const text = Array.from({length: random.below(120)}, () => random.pick(['a', 'b', 'c', ' ', 'EMP-1', '7', '😀', 'ab'])).join('');
		const expected = pattern.scan(text).found;
		const seen: {start: number; end: number}[] = [];
		let from = 0;
		let come = 0;
		while (come < text.length || from < text.length) {
			come = Math.min(text.length, come + 1 + random.below(9));
			if (/[\ud800-\udbff]$/.test(text.slice(0, come))) come++;
			const cut = Math.max(0, from - 2);
			const final = come === text.length;
			const {found: some, open} = pattern.scan(text.slice(cut, come), from - cut, final);
			seen.push(...some.map(({start, end}) => ({start: start + cut, end: end + cut})));
			from = open + cut;
			t.true(come - from <= window, `seed ${seed}, round ${round}: ${come - from} characters are kept`);
		}
		t.deepEqual(seen, [...expected], `seed ${seed}, round ${round}: /${source}/ in ${JSON.stringify(text)}`);
	}
});

const refused: readonly (readonly [source: string, why: RegExp])[] = [
	['(a)\\1', /reference to a group \(\\1\).*linear/],
	['(?<x>a)\\k<x>', /reference/],
	['a(?=b)', /ahead or behind.*linear/],
	['a(?!b)', /ahead or behind/],
	['(?<=a)b', /ahead or behind/],
	['(?<!a)b', /ahead or behind/],
	['(?i:a)', /ignoreCase/],
	['a*', /write \+ in the place of \*/],
	['^|\\b', /where nothing stands/],
	['(a', /group/i],
	['a{2,1}', /quantifier/],
	['\\q', /escape/i],
	['(((a{9}){9}){9}){9}', /repeat less/],
	['((((((((((a{0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){0,9}){9}b', /repeat less/],
	[`${'('.repeat(51)}a${')'.repeat(51)}`, /deep/],
	['a'.repeat(1_001), /longer/],
];
for (const [source, why] of refused)
	test(`it is refused, with what to write instead: ${source.slice(0, 60)}`, t => {
		const error = t.throws(() => compilePattern(source), {instanceOf: PatternRefused});
		t.regex(error!.message, why);
	});

/** What kills engines that go back over a text, each with the text it dies of. */
const hostile: readonly (readonly [source: string, piece: string])[] = [
	['(a+)+$', `${'a'.repeat(999)}b`],
	['(a|a)*b', 'a'],
	['(a|aa)+$', `${'a'.repeat(999)}!`],
	['(x+x+)+y', 'x'],
	['^(([a-z])+.)+[A-Z]([a-z])+$', 'a'],
	['(.*a){20}', 'a'],
	['(?:a?){50}a{50}', 'a'],
	['(a{0,15}){0,12}b', 'a'],
	['[ab]*a[ab]{12}c', 'abbabaabbbabaaababbbbabaaabbbabb'],
	['a.*b|a', 'a'],
	['a(..)*b|a', 'a'],
	['\\bx*\\b.*y', 'x x'],
	['\\s+$', `${' '.repeat(999)}x`],
	['([^@]+@)+\\.com', 'a@'],
	['"(?:[^"\\\\]|\\\\.)*"', '\\"'],
	['(\\p{L}+\\p{M}*)+!', 'é\u0301'],
];
for (const [source, piece] of hostile)
	test(`100 KB of its worst text take ${source} no time to speak of`, t => {
		const pattern = compilePattern(source);
		const text = piece.repeat(Math.ceil(100_000 / piece.length)).slice(0, 100_000);
		const before = process.cpuUsage();
		pattern.scan(text);
		const {user, system} = process.cpuUsage(before);
		// Half a second on a busy machine; an engine that goes back takes years, one that is quadratic minutes.
		t.true(user + system < 5_000_000, `${(user + system) / 1_000} ms`);
	});

test('ten times the text takes nowhere near a hundred times as long', t => {
	for (const [source, piece] of hostile) {
		const pattern = compilePattern(source);
		const took = (length: number) => {
			const text = piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
			const before = process.cpuUsage();
			pattern.scan(text);
			const {user} = process.cpuUsage(before);
			return user;
		};
		took(10_000);
		const once = Math.max(took(10_000), 4_000);
		t.true(took(100_000) < once * 60, source);
	}
});

test('a match longer than half of the window need not be found, and no more than the window is kept', t => {
	const pattern = compilePattern('<[^>]+>', {window: 64});
	t.is(pattern.scan(`<${'x'.repeat(30)}>`).found.length, 1);
	t.is(pattern.scan(`${' '.repeat(50)}<${'x'.repeat(500)}>`).found.length, 0);
	const {open} = pattern.scan(`<${'x'.repeat(500)}`, 0, false);
	t.true(501 - open <= 64);
});
