import test, {type ExecutionContext} from 'ava';
import {GatewayError} from '../core/errors.ts';
import {type Clearance, type Guard, type HoldBack, holdBack} from '../core/upstream/hold-back.ts';

const random = (seed: number) => () => {
	seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
	return seed / 2 ** 32;
};

const secret = 'sk-SECRET-1234';

/** Replaces the secret, and holds back what may become one. */
const masker = (extra: Partial<Guard> = {}): Guard => ({
	chars: 0,
	overlap: secret.length,
	ask: (_, text, final) => {
		let clear = text.length;
		for (let length = Math.min(secret.length - 1, text.length); length > 0 && !final; length--) {
			if (text.endsWith(secret.slice(0, length))) {
				clear = text.length - length;
				break;
			}
		}
		return {clear, replacement: text.slice(0, clear).replaceAll(secret, '***')};
	},
	...extra,
});

/** Judges whole windows, as a classifier does: it does not say how much it clears. */
const watcher = (chars: number, overlap: number, seen: string[] = []): Guard => ({
	chars,
	overlap,
	ask: (_, text) => {
		seen.push(text);
		return text.includes(secret) ? {cut: new GatewayError('content_blocked', 'No.')} : {};
	},
});

const later = (guard: Guard): Guard => ({
	...guard,
	ask: async (...asked) => {
		for (let turns = asked[1].length % 4; turns >= 0; turns--) await Promise.resolve();
		return guard.ask(...asked);
	},
});

const cleared = async (guards: readonly Guard[], pieces: readonly string[]): Promise<string> => {
	const window = holdBack(guards);
	let out = '';
	for (const piece of pieces) out += await window.push(0, piece);
	return out + (await window.finish(0));
};

const cuts = (text: string, next: () => number): string[] => {
	const pieces: string[] = [];
	for (let at = 0; at < text.length; ) {
		const size = 1 + Math.floor(next() * 9);
		pieces.push(text.slice(at, at + size));
		at += size;
	}
	return pieces;
};

const sync = (t: ExecutionContext, answer: ReturnType<HoldBack['push']>): string => {
	if (typeof answer !== 'string') return t.fail('a promise where nobody needs one') as never;
	return answer;
};

const text = `Hello, the key is ${secret}, again ${secret}${secret} and sk-SECRET-12 is none. `;
const masked = text.replaceAll(secret, '***');

test('a secret split at every position never comes out', async t => {
	for (let at = 0; at <= text.length; at++) {
		for (const guards of [[masker()], [later(masker())], [masker(), watcher(20, 14)], [masker({overlap: 40}), later(masker())]]) {
			t.is(await cleared(guards, [text.slice(0, at), text.slice(at)]), masked, `cut at ${at}`);
		}
	}
});

test('random cuts, window sizes and chains give one and the same cleared text', async t => {
	for (let seed = 1; seed <= 400; seed++) {
		const next = random(seed);
		const guards = Array.from({length: 1 + Math.floor(next() * 3)}, () => {
			const guard = masker({chars: Math.floor(next() * 40), overlap: secret.length + Math.floor(next() * 40)});
			return next() < 0.5 ? guard : later(guard);
		});
		const chain = next() < 0.5 ? guards : [...guards, watcher(Math.floor(next() * 30), secret.length)];
		t.is(await cleared(chain, cuts(text, next)), masked, `seed ${seed}`);
	}
});

test('a guard that judges windows sees a secret whole before its last character can come out', async t => {
	for (let seed = 1; seed <= 400; seed++) {
		const next = random(seed);
		const guard = watcher(Math.floor(next() * 30), secret.length - 1 + Math.floor(next() * 10));
		const window = holdBack([next() < 0.5 ? guard : later(guard)]);
		let out = '';
		const run = async () => {
			for (const piece of cuts(text, next)) out += await window.push(0, piece);
			out += await window.finish(0);
		};
		await t.throwsAsync(run(), {code: 'content_blocked'});
		t.false(out.includes(secret), `seed ${seed}`);
		t.true(text.startsWith(out), `seed ${seed}`);
	}
});

test('without clear, text is gathered until there are chars new ones, and all but the overlap is released', t => {
	const seen: string[] = [];
	const window = holdBack([watcher(4, 2, seen)]);
	t.is(sync(t, window.push(0, 'abc')), '');
	t.is(sync(t, window.push(0, 'def')), 'abcd');
	t.is(sync(t, window.push(0, 'ghi')), '');
	t.is(sync(t, window.push(0, 'j')), 'efgh');
	t.is(sync(t, window.finish(0)), 'ij');
	t.deepEqual(seen, ['abcdef', 'efghij', 'ij']);
});

test('a guard with no window of its own is asked at every push, but not for nothing', t => {
	const seen: string[] = [];
	const window = holdBack([watcher(0, 0, seen)]);
	t.is(sync(t, window.push(3, 'a')), 'a');
	t.is(sync(t, window.push(3, '')), '');
	t.is(sync(t, window.push(3, 'b')), 'b');
	t.is(sync(t, window.finish(7)), '');
	t.deepEqual(seen, ['a', 'b']);
	t.deepEqual(window.open(), [3]);
	t.is(sync(t, window.finish(3)), '');
	t.deepEqual(window.open(), []);
});

test('what a guard has not been shown for its time is due, and is shown then, whatever its size', async t => {
	const clock = {now: 0};
	const seen: string[] = [];
	for (const wrap of [(guard: Guard) => guard, later]) {
		seen.length = 0;
		const window = holdBack([masker(), wrap({...watcher(100, 2, seen), flushMs: 50})], () => clock.now);
		t.is(window.dueInMs(), undefined);
		t.is(await window.push(4, 'abcd sk-SEC'), '');
		t.is(window.dueInMs(), 50);
		clock.now += 30;
		t.is(await window.push(7, 'xy'), '');
		t.is(window.dueInMs(), 20);
		t.deepEqual(window.overdue(), []);
		clock.now += 20;
		t.deepEqual(window.overdue(), [4]);
		t.is(await window.flush(4), 'abc');
		t.deepEqual(seen, ['abcd '], 'what the one before holds is shown to nobody');
		t.is(window.dueInMs(), 30);
		t.is(await window.flush(4), '', 'once');
		clock.now += 1_000;
		t.deepEqual(window.overdue(), [7]);
		t.is(await window.push(7, 'z'), 'x', 'late text is shown with the next push at the latest');
		t.is(await window.push(4, 'RET-1234'), '');
		t.is(await window.finish(4), 'd ***');
		t.is(await window.finish(7), 'yz');
		t.is(window.dueInMs(), undefined);
	}
});

test('what a guard finds when its time has come ends the stream', async t => {
	for (const wrap of [(guard: Guard) => guard, later]) {
		const clock = {now: 0};
		const window = holdBack([wrap({...watcher(100, 2), flushMs: 10})], () => clock.now);
		await window.push(0, `x ${secret}`);
		clock.now += 10;
		await t.throwsAsync(async () => window.flush(0), {code: 'content_blocked'});
		await t.throwsAsync(async () => window.finish(0), {code: 'content_blocked'});
	}
});

test('what all guards hold of one answer together has a bound', async t => {
	const waiting: Guard = {chars: 16_384, overlap: 4_096, ask: () => ({clear: 0})};
	const window = holdBack([waiting, waiting]);
	t.throws(
		() => {
			for (let channel = 0; channel < 1_000; channel++) window.push(channel, 'x'.repeat(16_000));
		},
		{code: 'upstream_too_large'},
	);
});

test('without guards everything passes at once', t => {
	const window = holdBack([]);
	t.is(sync(t, window.push(0, 'abc')), 'abc');
	t.is(sync(t, window.finish(0)), '');
});

test('channels do not mix', async t => {
	const window = holdBack([masker(), later(masker())]);
	const half = secret.slice(0, 7);
	t.is(await window.push(0, half), '');
	t.is(await window.push(1, secret.slice(7)), secret.slice(7));
	t.is(await window.push(0, secret.slice(7)), '***');
	t.is(await window.finish(1), '');
});

test('a guard sees what the one before let through, with its replacements', t => {
	const seen: string[] = [];
	const window = holdBack([masker(), watcher(0, 0, seen)]);
	sync(t, window.push(0, `a ${secret} b`));
	t.deepEqual(seen, ['a *** b']);
});

test('answers that come out of order go out in order', async t => {
	const waits: ((answer: Clearance) => void)[] = [];
	const slow: Guard = {chars: 0, overlap: 0, ask: () => new Promise(resolve => waits.push(resolve))};
	const window = holdBack([slow]);
	const out: string[] = [];
	const pushes = ['a', 'b', 'c'].map(async (piece, channel) => out.push(await window.push(channel, piece)));
	while (out.length < 3) {
		t.is(waits.length, out.length + 1, 'the next is asked when the one before has answered');
		waits.at(-1)?.({});
		for (let turns = 0; turns < 20; turns++) await Promise.resolve();
	}
	await Promise.all(pushes);
	t.deepEqual(out, ['a', 'b', 'c']);
});

test('surrogate pairs stay whole, whatever the cut and the overlap', async t => {
	const emoji = '😀😃😄😁😆😅😂🤣';
	for (let at = 0; at <= emoji.length; at++) {
		for (const overlap of [0, 1, 2, 3]) {
			const window = holdBack([watcher(0, overlap), watcher(1, 1)]);
			const out = [window.push(0, emoji.slice(0, at)), window.push(0, emoji.slice(at)), window.finish(0)].map(piece => sync(t, piece));
			t.true(
				out.every(piece => piece.isWellFormed()),
				`cut at ${at}, overlap ${overlap}`,
			);
			t.is(out.join(''), emoji);
		}
	}
	t.is(await cleared([watcher(0, 0)], ['half \ud83d']), 'half \ud83d');
});

const wrong: [string, Clearance | (() => never)][] = [
	['clears more than it was shown', {clear: 99}],
	['clears a negative number', {clear: -1}],
	['clears half a number', {clear: 0.5}],
	['replaces without saying how much', {replacement: 'x'}],
	['replaces half a character', {clear: 1, replacement: 'x'}],
	[
		'throws',
		() => {
			throw new TypeError('oh, the text was …');
		},
	],
];

for (const [what, answer] of wrong) {
	test(`a guard that ${what} is plugin_failed, now and for everything after`, async t => {
		for (const wrap of [(guard: Guard) => guard, later]) {
			const ask = () => (typeof answer === 'function' ? answer() : answer);
			const window = holdBack([wrap({name: 'odd', chars: 0, overlap: 5, ask})]);
			const error = await t.throwsAsync(async () => window.push(0, '😀abc'), {code: 'plugin_failed'});
			t.is(error instanceof GatewayError && error.plugin, 'odd');
			t.notRegex(error?.message ?? '', /text was/);
			await t.throwsAsync(async () => window.push(1, 'b'), {code: 'plugin_failed'});
			await t.throwsAsync(async () => window.finish(0), {code: 'plugin_failed'});
		}
	});
}

test('a guard that holds more than its window is plugin_failed', t => {
	const window = holdBack([{chars: 4, overlap: 2, ask: () => ({clear: 0})}]);
	t.is(window.push(0, 'abcdef'), '');
	t.throws(() => window.push(0, 'ghij'), {code: 'plugin_failed'});
});

test('at the end a guard may drop what it held', async t => {
	t.is(await cleared([{chars: 4, overlap: 2, ask: () => ({clear: 0})}], ['abc']), '');
});

test('an answer with more channels than any question has is refused', t => {
	const window = holdBack([watcher(0, 0)]);
	t.throws(
		() => {
			for (let channel = 0; channel < 5_000; channel++) window.push(channel, 'x');
		},
		{code: 'upstream_malformed'},
	);
});
