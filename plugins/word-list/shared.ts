import type {ExecutionContext, TestFn} from 'ava';
import {holdBack} from '../../core/upstream/hold-back.ts';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';

type Config = {words: string[]; action: 'deny' | 'mask'; caseSensitive?: boolean; wholeWords?: boolean};
type Window = {channel: number; text: string; final: boolean};

const reply = {operation: 'chat', outcome: 'ok', status: 200, text: [] as string[], attempts: [], latency: {totalMs: 1}} as const;
const refusal = {verdict: 'deny', code: 'content_blocked', message: 'This text holds a word that is not allowed here.', rule: 'word-list'};

/** What holds for the module in `plugins/word-list` and for its twin in `examples/word-list-ts` alike. */
export const wordListBehaves = (test: TestFn, folder: string): void => {
	const start = async (t: ExecutionContext, config: Config) => {
		const plugin = await startPlugin(folder, {config});
		t.teardown(plugin.close);
		const request = (...text: string[]) => plugin.ask('pre-request', {operation: 'chat', text});
		const window = (part: Partial<Window>) =>
			plugin.ask('post-response', {...reply, window: {channel: 0, text: '', final: false, ...part}});
		/** The texts a request comes out with. */
		const masked = async (...text: string[]) => {
			const verdict = await request(...text);
			const patch = (verdict?.patch as {text?: Record<string, string>} | undefined)?.text ?? {};
			return text.map((part, index) => patch[index] ?? part);
		};
		/** A stream of these chunks, as the gateway sends it through its hold-back window. */
		const streamed = async (chunks: string[], window_ = {chars: 0, overlap: 512}) => {
			const held = holdBack([
				{
					...window_,
					async ask(channel, text, final) {
						const given = await window({channel, text, final});
						if (given?.verdict === 'deny') return {cut: new Error('cut') as never};
						return {clear: given?.clear as number | undefined, replacement: (given?.patch as {window?: string} | undefined)?.window};
					},
				},
			]);
			let out = '';
			for (const chunk of chunks) out += await held.push(0, chunk);
			return out + (await held.finish(0));
		};
		return {request, masked, window, streamed, plugin};
	};

	test.serial('a request without a listed word passes', async t => {
		const {request} = await start(t, {words: ['falcon'], action: 'deny'});
		t.is(await request('Where do hawks nest?', ''), undefined);
	});

	test.serial('a request with a listed word is refused, and the refusal does not repeat it', async t => {
		const {request} = await start(t, {words: ['heron', 'falcon'], action: 'deny'});
		t.deepEqual(await request('nothing here', 'Tell me about Falcon!'), refusal);
	});

	test.serial('a listed word is masked in every text, and nothing else is touched', async t => {
		const {request} = await start(t, {words: ['falcon'], action: 'mask'});
		t.deepEqual(await request('no', 'a falcon, a FALCON: falcons', 'falcon'), {
			verdict: 'rewrite',
			patch: {text: {1: 'a ***, a ***: falcons', 2: '***'}},
		});
	});

	test.serial('a whole word ends where letters, marks, digits and _ end', async t => {
		const {masked} = await start(t, {words: ['ab', 'c++', '.net'], action: 'mask'});
		t.deepEqual(await masked('ab abc xab ab_ 1ab (ab) ab́ äb-ab', 'c++ c+++ xc++', 'x.net .nets .net'), [
			'*** abc xab ab_ 1ab (***) ab́ äb-***',
			'*** ***+ xc++',
			'x*** .nets ***',
		]);
	});

	test.serial('parts of words are found when whole words are not asked for', async t => {
		const {masked} = await start(t, {words: ['ab'], action: 'mask', wholeWords: false});
		t.deepEqual(await masked('cabbage ab abab'), ['c***bage *** ******']);
	});

	test.serial('case is told apart only when asked for', async t => {
		const {masked} = await start(t, {words: ['Ab'], action: 'mask', caseSensitive: true});
		t.deepEqual(await masked('ab AB Ab'), ['ab AB ***']);
	});

	test.serial('case is folded in every script, letter by letter', async t => {
		const {masked} = await start(t, {words: ['СОКОЛ', 'ψευδής', 'Straße', 'ǅ', 'é'], action: 'mask'});
		t.deepEqual(await masked('сокол Сокол', 'ΨΕΥΔΉΣ ψευδήσ', 'STRASSE straße STRAßE', 'Ǆ ǆ', 'É'), [
			'*** ***',
			'*** ***',
			'STRASSE *** ***',
			'*** ***',
			'***',
		]);
	});

	test.serial('a word of a script without spaces is found between its neighbours', async t => {
		const {masked} = await start(t, {words: ['鷹', '매'], action: 'mask'});
		t.deepEqual(await masked('あの鷹は速い', '매는 빠르다'), ['あの***は速い', '***는 빠르다']);
	});

	test.serial('of two words at one place the longer is masked', async t => {
		const {masked} = await start(t, {words: ['top', 'top secret'], action: 'mask'});
		t.deepEqual(await masked('top secret, top secrets, top'), ['***, *** secrets, ***']);
	});

	test.serial('what JSON has to escape comes out as it went in', async t => {
		const {masked} = await start(t, {words: ['x"\\y'], action: 'mask'});
		const around = '"\\\b\f\n\r\t\u0000\u001f\u2028 😀 \ud83d';
		t.deepEqual(await masked(`${around} x"\\y ${around}`), [`${around} *** ${around}`]);
	});

	test.serial('a reply that does not stream is masked, or refused', async t => {
		const masks = await start(t, {words: ['falcon'], action: 'mask'});
		t.deepEqual(await masks.plugin.ask('post-response', {...reply, text: ['ok', 'the falcon']}), {
			verdict: 'rewrite',
			patch: {text: {1: 'the ***'}},
		});
		const denies = await start(t, {words: ['falcon'], action: 'deny'});
		t.deepEqual(await denies.plugin.ask('post-response', {...reply, text: ['the falcon']}), refusal);
	});

	test.serial('a stream passes on what cannot be part of a word any more', async t => {
		const {window} = await start(t, {words: ['falcon'], action: 'mask'});
		t.deepEqual(await window({text: 'a hawk, fal'}), {verdict: 'allow', clear: 8});
		t.deepEqual(await window({text: 'a falcon flies. '}), {verdict: 'rewrite', patch: {window: 'a *** flies. '}, clear: 16});
		t.deepEqual(await window({text: 'fal', final: true}), {verdict: 'allow', clear: 3});
	});

	test.serial('a stream with a listed word is cut when words are refused', async t => {
		const {window} = await start(t, {words: ['falcon'], action: 'deny'});
		t.deepEqual(await window({text: 'a falcon '}), refusal);
	});

	test.serial('a word that is split between two chunks, at any place, is masked', async t => {
		const {streamed} = await start(t, {words: ['top secret', 'falcon', '鷹'], action: 'mask'});
		const text = 'It is top secret: a Falcon, an afalcon, falcon鷹 falcon';
		for (let at = 0; at <= text.length; at++) {
			t.is(await streamed([text.slice(0, at), text.slice(at)]), 'It is ***: a ***, an afalcon, ****** ***', `split at ${at}`);
		}
		t.is(await streamed([...text]), 'It is ***: a ***, an afalcon, ****** ***', 'one by one');
	});

	test.serial('a stream comes out as the whole text would, however it is cut', async t => {
		const seed = Date.now() % 1_000_000;
		const {pick, below} = seededRandom(seed);
		for (const wholeWords of [true, false]) {
			const {streamed, masked} = await start(t, {words: ['ab', 'abc', 'b a', 'c+', '鷹a'], action: 'mask', wholeWords});
			for (let round = 0; round < 40; round++) {
				const text = Array.from({length: 60}, () => pick(['a', 'b', 'B', 'c', ' ', '+', '鷹', '😀'])).join('');
				const chunks: string[] = [];
				for (let at = 0; at < text.length; ) {
					const next = at + 1 + below(6);
					chunks.push(text.slice(at, next));
					at = next;
				}
				t.deepEqual([await streamed(chunks)], await masked(text), `seed ${seed}, ${JSON.stringify(chunks)}`);
			}
		}
	});

	test.serial('an escape of JSON is no part of a word, however a stream is cut, and what is masked stays JSON', async t => {
		const {streamed, masked} = await start(t, {words: ['heron', 'falcon', 'top secret'], action: 'mask'});
		const said = {a: 'x\nheron\theron', b: 'é\u0001heron', c: 'D:\\falcon\\heron', d: JSON.stringify({e: '\nheron'}), f: '\\'};
		const left = {a: 'x\n***\t***', b: 'é\u0001***', c: 'D:***\\***', d: '{"e":"\\n***"}', f: '\\'};
		const text = JSON.stringify(said);
		t.deepEqual(JSON.parse((await masked(text))[0]!), left);
		for (let at = 0; at <= text.length; at++)
			t.is(await streamed([text.slice(0, at), text.slice(at)]), JSON.stringify(left), `split at ${at}`);
		t.is(await streamed([...text]), JSON.stringify(left), 'one by one');
		t.deepEqual(await masked('D:\\falcon, D:\\heron, nfalcon'), ['D:***, D:\\***, nfalcon']);
	});

	test.serial('a run of letters without an end does not hold a stream up', async t => {
		const {streamed} = await start(t, {words: ['falcon'], action: 'mask'});
		const chunks = Array.from({length: 100}, () => 'x'.repeat(50));
		t.is(await streamed([...chunks, ' falcon']), `${chunks.join('')} ***`);
	});

	test.serial('a config without words, or with a word that is none, stops the start', async t => {
		for (const config of [
			{words: [], action: 'deny'},
			{words: ['a'], action: 'drop'},
			{words: [''], action: 'deny'},
			{words: ['a'], action: 'deny', more: 1},
		]) {
			await t.throwsAsync(startPlugin(folder, {config}), undefined, JSON.stringify(config));
		}
	});
};
