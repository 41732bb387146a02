import test, {type ExecutionContext} from 'ava';
import {hookEngine, type Seated} from './helpers/hook-engine.ts';

const finding = `{detector: 'phrases', category: 'injection', severity: 'high', score: 0.9, channel: 'tool-result', action: 'taint'}`;

/** Says what `answer` is, and carries on what it was shown. */
const seat = (name: string, answer: string, reads: string[] = [], more: Partial<Seated> = {}): Seated => ({
	name,
	reads: {'pre-request': reads},
	hooks: `hooks: {'pre-request': input => (${answer})}`,
	...more,
});

/** Tags with what it sees of taints and findings. */
const witness = (name = 'witness', more: Partial<Seated> = {}): Seated =>
	seat(name, `allow({annotate: {taints: input.taints.join(), found: JSON.stringify(input.findings)}})`, ['taints', 'findings'], more);

const asked = async (t: ExecutionContext, seated: Seated[]) => {
	const engine = await hookEngine(t, seated);
	const exchange = engine.exchange();
	await engine.ask('pre-request', exchange);
	t.deepEqual(engine.failures, []);
	return {exchange, engine, told: (name: string) => exchange.annotations[name]};
};

test('a taint goes with any verdict, and whoever comes behind in the same hook sees it', async t => {
	for (const verdict of [
		`allow({findings: [${finding}]})`,
		`rewrite({text: {0: 'x'}}, {findings: [${finding}]})`,
		`({verdict: 'route', plan: ['a/b'], findings: [${finding}]})`,
	]) {
		const {told} = await asked(t, [witness('before'), seat('guard', verdict), witness()]);
		t.is(told('before.taints'), '', verdict);
		t.is(told('before.found'), '[]', verdict);
		t.is(told('witness.taints'), 'injection', verdict);
		t.deepEqual(
			JSON.parse(String(told('witness.found'))),
			[
				{
					detector: 'phrases',
					category: 'injection',
					severity: 'high',
					score: 0.9,
					channel: 'tool-result',
					action: 'taint',
					plugin: 'guard',
					hook: 'pre-request',
				},
			],
			verdict,
		);
	}
});

test('what a guard found that only observes taints nothing and is shown to nobody', async t => {
	const {exchange, told} = await asked(t, [seat('guard', `allow({findings: [${finding}]})`, [], {mode: 'observe'}), witness()]);
	t.is(told('witness.taints'), '');
	t.is(told('witness.found'), '[]');
	t.is(exchange.taints, undefined);
	t.is(exchange.findings?.size, 1, 'it is on the record');
});

test('of many findings of one kind a plugin is told the worst, and no other kind is pushed out by them', async t => {
	const many = `Array.from({length: 64}, (_, index) => ({...${finding}, action: 'flag', score: index / 100, severity: index === 7 ? 'critical' : 'low', span: {start: index, end: index + 1}}))`;
	const late = finding.replace('phrases', 'late');
	const {told} = await asked(t, [
		seat('one', `allow({findings: ${many}})`),
		seat('two', `allow({findings: ${many}})`),
		seat('three', `allow({findings: [${late}]})`),
		witness(),
	]);
	const found = JSON.parse(String(told('witness.found'))) as {plugin: string; score: number; severity: string; span?: unknown}[];
	t.deepEqual(
		found.map(({plugin, score, severity}) => [plugin, score, severity]),
		[
			['one', 0.63, 'critical'],
			['two', 0.63, 'critical'],
			['three', 0.9, 'high'],
		],
	);
	t.true(found.every(({span}) => span === undefined));
});

test('names without number are one name in the end', async t => {
	const named = (from: number) =>
		`allow({findings: Array.from({length: 40}, (_, index) => ({...${finding}, category: 'c' + (${from} + index)}))})`;
	const {told} = await asked(t, [
		seat('one', named(0)),
		seat('two', named(40)),
		seat('names', `allow({annotate: {taints: input.taints.join()}})`, ['taints']),
	]);
	const names = String(told('names.taints')).split(',');
	t.is(names.length, 51);
	t.true(names.includes('other'));
	t.deepEqual(names, [...names].sort());
});
