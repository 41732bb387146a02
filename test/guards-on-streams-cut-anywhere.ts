import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {
	chunkOf,
	type DialectName,
	type Event,
	guardedGateway,
	hidden,
	leakIn,
	sse,
	streamOf,
	sumsOf,
	values,
} from './helpers/guarded-streams.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const dialects: DialectName[] = ['openai', 'anthropic'];

const text = `Dear Ada, ${values.join(' and ')} é.`;
const masked = 'Dear Ada, [EMAIL] and [CARD] and [SECRET] and *** and [BIRD] é.';

const delta = (dialect: DialectName, content: string): Event =>
	dialect === 'openai' ? chunkOf({delta: {content}}) : {type: 'content_block_delta', index: 0, delta: {type: 'text_delta', text: content}};
const opening: Event = {type: 'content_block_start', index: 0, content_block: {type: 'text', text: ''}};

const said = (dialect: DialectName, pieces: readonly string[]): string =>
	streamOf(dialect, [...(dialect === 'anthropic' ? [opening] : []), ...pieces.map(piece => delta(dialect, piece))]);

/** All of it in \u escapes, as some providers write whatever is not ASCII. */
const escaped = (stream: string): string =>
	stream.replaceAll(/[^\x00-\x7f]/g, letter =>
		Array.from({length: letter.length}, (_, at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
	);

const wordsIn = (stream: string): string[] => sumsOf(stream).filter(sum => sum.startsWith('Dear'));

type Seen = Awaited<ReturnType<typeof guardedGateway>>['seen'];

const isMasked = async (
	t: ExecutionContext,
	seen: Seen,
	dialect: DialectName,
	pieces: readonly (string | Uint8Array)[],
	how: string,
): Promise<void> => {
	const got = await seen(dialect, {pieces});
	t.is(leakIn(got), undefined, how);
	t.deepEqual(wordsIn(got.text), [masked], how);
};

/** So many at once. */
const each = async (count: number, work: (index: number) => Promise<void>): Promise<void> => {
	for (let from = 0; from < count; from += 16)
		await Promise.all(Array.from({length: Math.min(16, count - from)}, (_, at) => work(from + at)));
};

for (const dialect of dialects) {
	test(`${dialect}: a text split at every position between two deltas is masked`, async t => {
		const {seen} = await guardedGateway(t, 'mask');
		await each(text.length + 1, at => isMasked(t, seen, dialect, [said(dialect, [text.slice(0, at), text.slice(at)])], `at ${at}`));
	});

	test(`${dialect}: a stream whose bytes are split at every position is masked`, async t => {
		const {seen} = await guardedGateway(t, 'mask');
		const value = `Dear ${hidden['word-list']}, ${hidden.masking}`;
		for (const write of [said(dialect, [value.slice(0, 20), value.slice(20)]), escaped(said(dialect, [value]))]) {
			const bytes = Buffer.from(write);
			const [from, to] = [bytes.indexOf('Dear') - 12, bytes.lastIndexOf('.com') + 12];
			await each(to - from, async at => {
				const got = await seen(dialect, {pieces: [bytes.subarray(0, from + at), bytes.subarray(from + at)]});
				t.is(leakIn(got), undefined, `at ${at}`);
				t.deepEqual(wordsIn(got.text), ['Dear ***, [EMAIL]'], `at ${at}`);
			});
		}
	});

	test(`${dialect}: a stream that comes byte by byte, in whatever deltas and line ends, is masked`, async t => {
		const {seen} = await guardedGateway(t, 'mask');
		const seed = Date.now() % 1_000_000;
		const {below} = seededRandom(seed);
		const cuts = (): string[] => {
			const pieces: string[] = [];
			for (let at = 0; at < text.length; ) {
				const next = at + 1 + below(7);
				pieces.push(text.slice(at, next));
				at = next;
			}
			return pieces;
		};
		const byBytes = (stream: string): Uint8Array[] => [...Buffer.from(stream)].map(byte => Buffer.from([byte]));
		await each(8, async round => {
			const stream = round % 2 === 0 ? said(dialect, cuts()) : escaped(said(dialect, cuts()));
			const ends = ['\n', '\r\n', '\r'][round % 3]!;
			await isMasked(t, seen, dialect, byBytes(stream.replaceAll('\n', ends)), `seed ${seed}, round ${round}`);
		});
	});

	test(`${dialect}: data of several lines, without a space, and between comments is masked`, async t => {
		const {seen} = await guardedGateway(t, 'mask');
		const lines = said(
			dialect,
			[...text].map(letter => letter),
		).replaceAll(/^data: (\{.*\})$/gm, (_, json: string) => {
			const spread = JSON.stringify(JSON.parse(json), null, 1).split('\n');
			return spread.map((line, index) => `data:${index % 2 === 0 ? ' ' : ''}${line}`).join('\n: still here\n');
		});
		await isMasked(t, seen, dialect, [`\ufeff${lines}`], 'spread over lines');
	});

	test(`${dialect}: a value that comes slower than guards wait is masked`, async t => {
		const {seen} = await guardedGateway(t, 'mask');
		const slowly = {
			pieces: [...`Dear ${hidden['word-list']} `].map(letter => sse(dialect, delta(dialect, letter))),
			between: () => sleep(70),
		};
		const pieces =
			dialect === 'anthropic' ? [streamOf(dialect, [opening]).split('event: message_delta')[0]!, ...slowly.pieces] : slowly.pieces;
		const got = await seen(dialect, {
			...slowly,
			pieces: [...pieces, streamOf(dialect, []).slice(dialect === 'openai' ? 0 : streamOf(dialect, []).indexOf('event: message_delta'))],
		});
		t.is(leakIn(got), undefined);
		t.deepEqual(wordsIn(got.text), ['Dear *** ']);
	});
}

test('more than fits into any window, with a value at every seam, is masked', async t => {
	const {seen} = await guardedGateway(t, 'mask');
	const filler = 'lorem ipsum dolor sit amet '.repeat(40);
	for (const dialect of dialects) {
		for (const shift of [0, 1, 2, 5, 11, 17, 23]) {
			const long = `Dear ${'x'.repeat(shift)} ${values.map(value => `${filler}${value} `).join('')}${filler}`;
			const got = await seen(dialect, {pieces: [said(dialect, long.match(/.{1,16}/gsu)!)]});
			t.is(leakIn(got), undefined);
			t.is(
				wordsIn(got.text)[0],
				`Dear ${'x'.repeat(shift)} ${['[EMAIL]', '[CARD]', '[SECRET]', '***', '[BIRD]'].map(word => `${filler}${word} `).join('')}${filler}`,
			);
		}
	}
});
