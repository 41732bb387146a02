import test from 'ava';
import {type HookEngine, hookEngine, type Seated} from './helpers/hook-engine.ts';

const reads = {'pre-request': ['model', 'estimate.maxCostMicroUsd']};
const costs: Record<string, number> = {best: 100, fast: 10, free: 0};

/** What each was asked, as `plugin model cost`; a rewrite of the model is what the next ones see. */
const ask = async ({hooks, exchange: open}: HookEngine, model: string) => {
	const exchange = open({model});
	const rewritten: string[] = [];
	await hooks.ask(
		'pre-request',
		exchange,
		path => (path === 'model' ? exchange.model : costs[exchange.model!]),
		(verdict, {plugin}) => {
			if (verdict.verdict !== 'rewrite' || verdict.patch.model === undefined) return undefined;
			rewritten.push(`${plugin.name} ${verdict.patch.model}`);
			exchange.model = verdict.patch.model;
			return undefined;
		},
	);
	return {exchange, rewritten};
};

const reserving = "allow({reserve: [{account: 'a', unit: 'microUsd', amount: estimate.maxCostMicroUsd, limit: 1000, window: 'day'}]})";
const changing = (name: string, rewrites: string, more: Partial<Seated> = {}): Seated => ({
	name,
	reads,
	hooks: `hooks: {'pre-request': ({model, estimate}) => { const to = (${rewrites})[model]; return to ? rewrite({model: to}) : ${reserving}; }}`,
	...more,
});

test('whoever changes the model is asked again, and reserves what the new one costs; those before it are not', async t => {
	const engine = await hookEngine(t, [
		{name: 'before', reads, hooks: `hooks: {'pre-request': ({estimate}) => ${reserving}}`},
		changing('changes', "{best: 'fast'}"),
		{name: 'behind', reads, hooks: `hooks: {'pre-request': ({estimate}) => ${reserving}}`},
	]);
	const {exchange, rewritten} = await ask(engine, 'best');
	t.deepEqual(rewritten, ['changes fast']);
	t.deepEqual(
		[...exchange.held].map(([plugin, bookings]) => [plugin, bookings.map(({amount}) => amount)]),
		[
			['before', [100]],
			['changes', [10]],
			['behind', [10]],
		],
	);
});

test('whoever reads no estimate is not asked again, nor whoever only observes', async t => {
	const engine = await hookEngine(t, [
		{name: 'blind', reads: {'pre-request': ['model']}, hooks: "hooks: {'pre-request': ({model}) => rewrite({model: model + 'x'})}"},
		changing('observes', "{bestx: 'fast'}", {mode: 'observe'}),
	]);
	t.deepEqual((await ask(engine, 'best')).rewritten, ['blind bestx']);
});

test('a model that stays what it is ends the asking', async t => {
	const engine = await hookEngine(t, [{name: 'routes', reads, hooks: "hooks: {'pre-request': () => rewrite({model: 'fast'})}"}]);
	t.deepEqual((await ask(engine, 'best')).rewritten, ['routes fast', 'routes fast']);
});

test('whoever changes the model back and forth has failed, and the request is refused', async t => {
	const engine = await hookEngine(t, [changing('wavers', "{best: 'fast', fast: 'best'}")]);
	await t.throwsAsync(ask(engine, 'best'), {code: 'plugin_failed'});
	t.is(engine.ledger.balance('a', 'microUsd', 'day').reserved, 0);
});
