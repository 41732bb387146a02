import test, {type ExecutionContext} from 'ava';
import type {StoredRecord} from '../core/journal/journal.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {seededRandom} from './helpers/seeded-random.ts';
import {callModel, get, modelCalls, sumsIn, sumsOf, traffic, usageLines, usagePages} from './helpers/usage.ts';

const year = 'from=2020-01-01&granularity=total';

const models = ['fast', 'other', 'cut', 'broken', 'malformed', 'unreported', 'endless', 'nobody-serves-this', 'local/words-30'];

/** Two tenants, three teams, five keys, one of which may spend next to nothing and one of which nothing at all. */
const setup = async (t: ExecutionContext) => {
	const gateway = await startGateway(t, {
		models: {
			fast: ['local/echo'],
			other: ['claude/words-20', 'local/words-20'],
			cut: ['local/fault-reset-mid'],
			broken: ['local/fault-500', 'claude/fault-503'],
			malformed: ['local/fault-malformed'],
			unreported: ['local/fault-no-usage'],
			endless: ['local/fault-endless'],
		},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'masking', config: {mask: ['email']}},
			{use: 'budgets', config: {window: 'month', limitUsd: {'team:acme/poor': 0.002, 'team:zeta/none': 0, 'tenant:acme': 10}}},
		],
	});
	const keys = [
		await gateway.key({tenant: 'acme', team: 'search', user: 'ada', tags: ['blue', 'nightly']}),
		await gateway.key({tenant: 'acme', team: 'search', user: 'bob', tags: ['blue']}),
		await gateway.key({tenant: 'acme', team: 'poor'}),
		await gateway.key({tenant: 'zeta', team: 'none'}),
		await gateway.key({tenant: 'zeta'}),
		'vk_nobody_has_made_this_one',
	];
	return {gateway, keys};
};

const settled = async ({gateway: {running}}: TestGateway): Promise<void> => {
	while ([...running].some(({path}) => path.startsWith('/v1/'))) await new Promise(done => setTimeout(done, 10));
};

const deploymentOf = ({deployment, attempts}: StoredRecord): string => deployment ?? attempts?.at(-1)?.deployment ?? '';

test('whatever becomes of exchanges, each page of usage comes to what the journal says, to the micro-dollar', async t => {
	const seed = Date.now() & 0xffff_ffff;
	const random = seededRandom(seed);
	const {gateway, keys} = await setup(t);
	await traffic(random, gateway.url, keys, {count: 120, models});
	await callModel(gateway.url, keys[0]!, {model: 'fast', text: 'I am ada@example.com'});
	await settled(gateway);
	const records = await gateway.journal();

	const views: [string, string, (record: StoredRecord) => readonly string[]][] = [
		['tenant', 'tenant', ({principal}) => [typeof principal === 'object' ? principal.tenant : '']],
		['team', 'team', ({principal: who}) => [typeof who === 'object' && who.team ? `${who.tenant}/${who.team}` : '']],
		['user', 'user', ({principal: who}) => [typeof who === 'object' && who.user ? `${who.tenant}/${who.user}` : '']],
		['key', 'key', ({principal}) => [(typeof principal === 'object' && principal.key) || '']],
		['model', 'model', ({model}) => [model ?? '']],
		['deployment', 'deployment', record => [deploymentOf(record)]],
		['provider', 'provider', record => [deploymentOf(record).split('/')[0]!]],
		['outcome', 'outcome', ({outcome}) => [outcome!]],
		['operation', 'operation', ({operation}) => [operation ?? '']],
		['plugin,code', 'plugin code', ({error}) => [`${error?.plugin ?? ''} ${error?.code ?? ''}`]],
		['tag', 'tag', ({tags}) => tags ?? []],
		[
			'verdict',
			'verdict',
			({rulings = []}) => [
				...new Set(
					rulings
						.filter(({verdict}) => verdict !== 'identify')
						.map(({plugin, verdict, code}) => `${plugin}/${verdict}${code ? `/${code}` : ''}`),
				),
			],
		],
		[
			'key,model,outcome',
			'key model outcome',
			r => [`${(typeof r.principal === 'object' && r.principal.key) || ''} ${r.model ?? ''} ${r.outcome}`],
		],
	];
	for (const [by, names, namesOf] of views) {
		const lines = await usageLines(gateway, `${year}&by=${by}`);
		t.deepEqual(sumsIn(lines, names.split(' ') as 'model'[]), sumsOf(records, namesOf), `seed ${seed}: by ${by}`);
	}
	const outcomes = new Set(modelCalls(records).map(({outcome}) => outcome));
	t.deepEqual([...outcomes].sort(), ['aborted', 'denied', 'failed', 'ok'], `seed ${seed}`);

	const [page] = await usagePages(gateway, `${year}&by=tag`);
	const total = page!.total!;
	t.like(total, sumsOf(records, () => ['all']).all!, `seed ${seed}: each exchange once, though it may have several tags`);

	const [ofTeam] = await usageLines(gateway, `${year}&team=acme/search`);
	const spent = await gateway.act('budgets', 'get', {account: 'tenant:acme'});
	const [ofTenant] = await usageLines(gateway, `${year}&tenant=acme`);
	t.is(spent.spentUsd, ofTenant!.costMicroUsd / 1e6, `seed ${seed}: the ledger has the same`);
	const invoice = JSON.parse((await get(gateway, `/admin/usage/invoices?month=${new Date().toISOString().slice(0, 7)}`)).text);
	t.is(invoice.total.costMicroUsd, total.costMicroUsd);
	t.is(invoice.invoices.find(({team}: {team: string}) => team === 'acme/search').total.costMicroUsd, ofTeam!.costMicroUsd);
});
