import {createHmac} from 'node:crypto';
import test from 'ava';
import {guardHeaders} from '../core/findings.ts';
import {hookEngine, type Seated} from './helpers/hook-engine.ts';

const packed = (...parts: string[]): string => `${parts.map(part => part.length).join(',')}\n${parts.join('')}`;
const finding = (more: Record<string, unknown> = {}) =>
	JSON.stringify({
		detector: 'email',
		category: 'personal-data',
		severity: 'medium',
		score: 0.9,
		channel: 'user',
		action: 'flag',
		...more,
	});
const guard = (name: string, answer: string, more: Partial<Seated> = {}): Seated => ({
	name,
	reads: {'pre-request': ['text[]']},
	hooks: `hooks: {'pre-request': ({text}) => (${answer})}`,
	...more,
});
const digestOf = (value: string): string => createHmac('sha256', 'of this test').update(value).digest('hex').slice(0, 16);
const ask = (engine: Awaited<ReturnType<typeof hookEngine>>, exchange: ReturnType<typeof engine.exchange>, ...parts: string[]) =>
	engine.ask('pre-request', exchange, {'text[]': packed(...parts)});

test('a finding is kept with the digest of what it points at, and without it', async t => {
	const engine = await hookEngine(t, [guard('guard', `allow({findings: [${finding({span: {text: 1, start: 6, end: 13}})}]})`)]);
	const exchange = engine.exchange();
	await ask(engine, exchange, 'nothing', 'it is a@b.com here');
	const kept = [...exchange.findings!.values()];
	t.deepEqual(kept, [
		{
			...JSON.parse(finding()),
			span: {text: 1, start: 6, end: 13},
			plugin: 'guard',
			hook: 'pre-request',
			digest: digestOf('a@b.com'),
		},
	]);
	t.false(JSON.stringify(kept).includes('a@b'));
	t.is(engine.counted.length, 1);
	t.deepEqual(guardHeaders(exchange), {}, 'a flag changes nothing');
});

test('a finding that says more than where and what is no verdict, and the exchange is refused', async t => {
	const worse = [
		{text: 'it is a@b.com'},
		{detector: 'a@b.com'},
		{detector: '4111-1111-1111-1111'},
		{category: 'personal data of Ada'},
		{category: 'x'.repeat(41)},
		{digest: 'deadbeef'},
		{path: '$.card.4111'},
		{span: {start: 0, end: 4, text: 'a@b.com'}},
		{span: {start: -1, end: 4}},
		{score: 4_111},
		{severity: 'a@b.com'},
		{channel: 'a@b.com'},
		{action: 'allow'},
	];
	for (const more of worse) {
		const engine = await hookEngine(t, [guard('guard', `allow({findings: [${finding(more)}]})`)]);
		const exchange = engine.exchange();
		await t.throwsAsync(ask(engine, exchange, 'it is a@b.com'), {code: 'plugin_failed'}, JSON.stringify(more));
		t.is(exchange.findings, undefined, JSON.stringify(more));
		t.false(JSON.stringify([exchange.rulings, engine.failures]).includes('a@b'));
	}
	const many = await hookEngine(t, [guard('guard', `allow({findings: Array(65).fill(${finding()})})`)]);
	await t.throwsAsync(ask(many, many.exchange(), 'x'), {code: 'plugin_failed'});
});

test('a finding says what its verdict does, or the guard has failed', async t => {
	for (const [answer, fits] of [
		[`allow({findings: [${finding({action: 'mask'})}]})`, false],
		[`allow({findings: [${finding({action: 'deny'})}]})`, false],
		[`rewrite({text: {0: 'y'}}, {findings: [${finding({action: 'hold'})}]})`, false],
		[`rewrite({text: {0: 'y'}}, {findings: [${finding({action: 'mask'})}, ${finding()}]})`, true],
	] as const) {
		const engine = await hookEngine(t, [guard('guard', answer)]);
		const exchange = engine.exchange();
		if (fits) {
			await t.notThrowsAsync(ask(engine, exchange, 'x'));
			t.deepEqual(guardHeaders(exchange), {'x-sallyport-guards': 'guard'});
			continue;
		}
		await t.throwsAsync(ask(engine, exchange, 'x'), {code: 'plugin_failed'});
		t.is(exchange.findings, undefined);
		t.is(engine.counted.length, 0);
	}
	const engine = await hookEngine(t, [guard('guard', `deny({message: 'no', findings: [${finding({action: 'deny'})}]})`)]);
	const exchange = engine.exchange();
	await t.throwsAsync(ask(engine, exchange, 'x'), {code: 'denied'});
	t.is(exchange.findings?.size, 1, 'what refuses is on the record too');
	t.deepEqual(guardHeaders(exchange), {'x-sallyport-guards': 'guard'});
});

test('a guard that only observes is recorded and counted as such, and has not acted', async t => {
	const engine = await hookEngine(t, [
		guard('watches', `deny({message: 'no', findings: [${finding({action: 'deny'})}]})`, {mode: 'observe'}),
		guard('acts', `rewrite({text: {0: 'y'}}, {findings: [${finding({action: 'mask'})}]})`),
	]);
	const exchange = engine.exchange();
	await ask(engine, exchange, 'x');
	t.deepEqual(
		[...exchange.findings!.values()].map(({plugin, action, mode}) => [plugin, action, mode]),
		[
			['watches', 'deny', 'observe'],
			['acts', 'mask', undefined],
		],
	);
	t.deepEqual(
		engine.counted.map(({mode}) => mode),
		['observe', undefined],
	);
	t.deepEqual(guardHeaders(exchange), {'x-sallyport-guards': 'acts'});
});

test('a guard that fails, or is let fail, does not read as one that has found nothing', async t => {
	const engine = await hookEngine(t, [guard('guard', "(() => { throw new Error('x'); })()", {onFailure: 'allow'})]);
	const exchange = engine.exchange();
	await ask(engine, exchange, 'x');
	t.is(exchange.findings, undefined);
	t.deepEqual(exchange.rulings, [{plugin: 'guard', hook: 'pre-request', verdict: 'failed'}]);
	t.deepEqual(guardHeaders(exchange), {});
});

test('a guard that was not shown the text it points into has no digest to show for it', async t => {
	const engine = await hookEngine(t, [
		{
			name: 'blind',
			reads: {'pre-request': ['model']},
			hooks: `hooks: {'pre-request': () => allow({findings: [${finding({span: {start: 0, end: 3}})}]})}`,
		},
	]);
	const exchange = engine.exchange({model: 'm'});
	await ask(engine, exchange, 'abc');
	t.is([...exchange.findings!.values()][0]!.digest, undefined);
});

test('a place in the arguments of a tool is one in their strings, in their order', async t => {
	const engine = await hookEngine(t, [
		{
			name: 'guard',
			reads: {'on-tool-call': ['tool.arguments']},
			hooks: `hooks: {'on-tool-call': () => allow({findings: [${finding({channel: 'tool-arguments', span: {text: 2, start: 1, end: 4}})}]})}`,
		},
	]);
	const exchange = engine.exchange();
	await engine.ask('on-tool-call', exchange, {'tool.arguments': JSON.stringify({a: 'x', n: 7, b: {c: ['y', ' key ']}})});
	t.is([...exchange.findings!.values()][0]!.digest, digestOf('key'));
});

test('a record keeps a hundred findings, and says how many it leaves out', async t => {
	const engine = await hookEngine(t, [
		guard('one', `allow({findings: text.slice(0, 60).map((_, at) => ({...${finding()}, span: {text: at, start: 0, end: 2}}))})`),
		guard('two', `allow({findings: text.slice(0, 60).map((_, at) => ({...${finding()}, span: {text: at, start: 0, end: 2}}))})`),
	]);
	const exchange = engine.exchange();
	const texts = Array.from({length: 60}, (_, at) => String(at + 10));
	await ask(engine, exchange, ...texts);
	t.is(exchange.findings!.size, 100);
	t.is(exchange.findingsLeftOut, 20);
	t.is(engine.counted.length, 120, 'the metrics count on');
	await ask(engine, exchange, ...texts);
	t.is(exchange.findings!.size, 100, 'asked again, it finds the same');
});

test('the texts of a verdict are read once, however many findings point into them', async t => {
	const finds = `Array.from({length: 64}, (_, at) => ({...${finding()}, span: {text: 300 - at, start: 0, end: 3}}))`;
	const engine = await hookEngine(t, [
		{
			name: 'guard',
			reads: {'pre-request': ['text[]'], 'on-tool-call': ['tool.arguments']},
			hooks: `hooks: {'pre-request': () => allow({findings: ${finds}}), 'on-tool-call': () => allow({findings: ${finds}})}`,
		},
	]);
	const texts = Array.from({length: 301}, (_, at) => String(100 + at));
	for (const [hook, text] of [
		['pre-request', packed(...texts)],
		['on-tool-call', JSON.stringify({first: texts.slice(0, 9), last: {deeper: [texts.slice(9)]}})],
	] as const) {
		const exchange = engine.exchange();
		let reads = 0;
		const fields = (path: string) => {
			if (path !== 'text[]' && path !== 'tool.arguments') return undefined;
			reads += 1;
			return text;
		};
		await engine.hooks.ask(hook, exchange, fields, () => undefined);
		const digests = [...exchange.findings!.values()].map(({digest}) => digest);
		t.deepEqual(digests, texts.slice(-64).reverse().map(digestOf), hook);
		t.is(reads, 2, 'once for the plugin, once for the digests');
	}
});
