import test from 'ava';
import {openBatch} from '../core/llm/batch.ts';
import {openClearing} from '../core/llm/clearing.ts';
import {openai} from '../core/llm/dialects/openai.ts';
import type {JsonObject} from '../core/llm/json.ts';
import {type BodyText, patchText, replyTextOf, textOf} from '../core/llm/text.ts';
import {requestLeaves, resultLeaves} from '../core/mcp/leaves.ts';
import {holdBack} from '../core/upstream/hold-back.ts';

const count = 20_000;
const fields = (): JsonObject => Object.fromEntries(Array.from({length: count}, (_, at) => [`a${at}@acme.example`, at]));

/** Keys of one word are numbered from the second on; values stay, and so does their order. */
const masked = Object.fromEntries(Array.from({length: count}, (_, at) => [at === 0 ? '<email>' : `<email> ${at + 1}`, at]));

/** Where it was minutes. */
const mostMs = 10_000;

const patched = (found: BodyText): number =>
	patchText(found, Object.fromEntries(found.strings.flatMap((text, index) => (text.includes('@') ? [[index, '<email>']] : []))));

const read: Record<string, (holder: JsonObject) => BodyText> = {
	'a request': metadata => textOf({metadata}),
	'a reply': metadata => replyTextOf({metadata}),
	'arguments of a tool': held => requestLeaves({arguments: held}),
	'a result of a tool': structuredContent => resultLeaves({structuredContent}),
};

for (const [name, words] of Object.entries(read)) {
	test(`every key of ${name} gets the same word, and nothing is lost or slow`, t => {
		const holder = fields();
		const found = words(holder);
		const before = performance.now();
		t.is(patched(found), count);
		t.true(performance.now() - before < mostMs);
		t.is(JSON.stringify(holder), JSON.stringify(masked));
		t.is(patchText(found, {0: 'b'}), 1, 'a second guard finds the key where the first has put it');
		t.is(Object.keys(holder)[0], 'b');
	});
}

test('every key of an event of a stream gets the same word, and nothing is lost or slow', async t => {
	const guard = {chars: 1e9, overlap: 0, ask: (_: number, text: string) => ({replacement: text.replace(/\S+@\S+/g, '<email>')})};
	const held = holdBack([guard]);
	const batch = openBatch(
		openai,
		openClearing(() => held),
		() => () => undefined,
	);
	const extra = Object.fromEntries(Object.entries(fields()).map(([key, at]) => [key, `at ${at}`]));
	const before = performance.now();
	const out = await batch.pass([{choices: [{index: 0, delta: {content: 'hello'}, extra}]}], true);
	t.true(performance.now() - before < mostMs);
	const sent = Object.fromEntries(Object.entries(masked).map(([key, at]) => [key, `at ${at}`]));
	t.is(out, openai.event({choices: [{index: 0, delta: {content: 'hello'}, extra: sent}]}));
});
