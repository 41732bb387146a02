import test, {type ExecutionContext} from 'ava';
import type {JournalRecord} from '../schemas/record.ts';
import {calls} from './helpers/admins.ts';
import {startGateway} from './helpers/gateway.ts';
import {eventually} from './helpers/sdks.ts';
import {callModel, get, sumsIn, usageLines, usagePages} from './helpers/usage.ts';

type Call = {
	at: string;
	tenant?: string;
	team?: string;
	key?: string;
	model?: string;
	cost: number;
	tags?: string[];
} & Partial<JournalRecord>;

/** A gateway, and a way to have exchanges counted as if they had ended at another time. */
const setup = async (t: ExecutionContext, budgets: Record<string, number> = {}) => {
	const gateway = await startGateway(t, {plugins: [{use: 'virtual-keys'}, {use: 'budgets', config: {window: 'month', limitUsd: budgets}}]});
	const {journal, usage} = gateway.gateway;
	const count = async (...ended: Call[]): Promise<void> => {
		for (const {at, tenant = 'acme', team, key, cost, ...rest} of ended) {
			const principal = {id: key ?? 'somebody', tenant, ...(team && {team}), ...(key && {key})};
			const record: JournalRecord = {
				kind: 'exchange',
				outcome: 'ok',
				operation: 'chat',
				principal,
				costMicroUsd: cost,
				totalMs: 10,
				overheadMs: 1,
				...rest,
			};
			const {seq, written} = journal.append({kind: 'gateway', event: {what: 'stands in for an exchange of another time'}});
			await written;
			usage.ended(record, seq, Date.parse(at));
		}
	};
	const admin = async (input: Record<string, unknown>) => (await calls(gateway)('/admin/admins', {name: 'somebody', ...input})).body.key;
	return {gateway, count, admin};
};

test('a parameter that makes no sense is a typed 400 that names it', async t => {
	const {gateway} = await setup(t);
	for (const [query, name] of [
		['by=colour', 'by'],
		['by=model,model', 'by'],
		['by=tag,verdict', 'verdict'],
		['by=tag&unit=webSearches', 'unit'],
		['granularity=week', 'granularity'],
		['timeZone=Mars/Olympus', 'timeZone'],
		['from=yesterday', 'from'],
		['from=2026-02-30', 'from'],
		['to=2026-13-01', 'to'],
		['from=2026-11-02&to=2026-11-01', 'to'],
		['from=2020-01-01&granularity=hour', 'granularity'],
		['from=2026-11-01&from=2026-11-02', 'from'],
		['team=search', 'team'],
		['outcome=maybe', 'outcome'],
		['limit=0', 'limit'],
		['limit=x', 'limit'],
		['cursor=abc', 'cursor'],
		['colour=blue', 'colour'],
		['__proto__=1', '__proto__'],
		['format=xml', 'format'],
	]) {
		const {status, text} = await get(gateway, `/admin/usage?${query}`);
		const {code, detail} = JSON.parse(text) as {code: string; detail: string};
		t.like({status, code}, {status: 400, code: 'invalid_request'}, query);
		t.true(detail.includes(name!), `${query}: ${detail}`);
	}
	for (const query of ['', 'month=2026-1', 'month=2026-13', 'month=2026-11&team=x', 'month=2026-11&timeZone=x'])
		t.is((await get(gateway, `/admin/usage/invoices?${query}`)).status, 400, query);
});

test('days and months are those of the time zone that is asked for, also where the clocks change', async t => {
	const {gateway, count} = await setup(t);
	await count(
		{at: '2026-10-24T21:59:59Z', cost: 1},
		{at: '2026-10-24T22:00:00Z', cost: 2},
		// A day of 25 hours in Berlin.
		{at: '2026-10-25T22:59:59Z', cost: 4},
		{at: '2026-10-25T23:00:00Z', cost: 8},
		{at: '2026-10-31T23:30:00Z', cost: 16},
		{at: '2026-11-01T00:30:00Z', cost: 32},
	);
	const costs = async (query: string) =>
		Object.fromEntries((await usageLines(gateway, query)).map(({period, costMicroUsd}) => [period, costMicroUsd]));
	const range = 'from=2026-10-01&to=2026-12-01';
	t.deepEqual(await costs(`${range}&granularity=day&timeZone=Europe/Berlin`), {
		'2026-10-24': 1,
		'2026-10-25': 6,
		'2026-10-26': 8,
		'2026-11-01': 48,
	});
	t.deepEqual(await costs(`${range}&granularity=day`), {'2026-10-24': 3, '2026-10-25': 12, '2026-10-31': 16, '2026-11-01': 32});
	t.deepEqual(await costs(`${range}&granularity=month&timeZone=Europe/Berlin`), {'2026-10': 15, '2026-11': 48});
	t.deepEqual(await costs(`${range}&granularity=month&timeZone=America/New_York`), {'2026-10': 63});
	t.deepEqual(await costs(`${range}&granularity=month`), {'2026-10': 31, '2026-11': 32});
	t.deepEqual(await costs(`from=2026-10-25&to=2026-10-26&granularity=hour&timeZone=Europe/Berlin`), {
		'2026-10-25T00:00:00+02:00': 2,
		'2026-10-25T23:00:00+01:00': 4,
	});
	// Half past is no edge of an hour of ours: one belongs to the day in which it begins.
	t.deepEqual(await costs(`${range}&granularity=day&timeZone=Asia/Kolkata`), {'2026-10-25': 3, '2026-10-26': 12, '2026-11-01': 48});
	t.deepEqual(await costs(`from=2026-10-24T22:00:00Z&to=2026-10-25T23:00:00Z&granularity=total`), {total: 6});
});

test('pages add up to the whole, in one order, and a cursor keeps its question', async t => {
	const {gateway, count} = await setup(t);
	const calls: Call[] = [];
	for (let index = 0; index < 40; index++)
		calls.push({at: `2026-11-0${1 + (index % 3)}T10:00:00Z`, tenant: `tenant-${index % 4}`, model: `model ${index % 10}`, cost: index});
	await count(...calls);
	const query = 'from=2026-11-01&to=2026-11-05&by=tenant,model';
	const [whole] = await usagePages(gateway, query);
	const pages = await usagePages(gateway, `${query}&limit=7`);
	t.true(pages.length > 4);
	t.deepEqual(
		pages.flatMap(({rows}) => rows),
		whole!.rows,
	);
	t.is(
		whole!.rows.reduce((sum, {costMicroUsd}) => sum + costMicroUsd, 0),
		780,
	);
	t.is(whole!.total?.costMicroUsd, 780);
	t.like(pages[1], {from: whole!.from, to: whole!.to, total: undefined});
	await t.throwsAsync(usagePages(gateway, `from=2026-11-01&by=model&cursor=${pages[0]!.next}`), {message: /cursor/});
});

test('CSV is RFC 4180, and no name in it is a formula', async t => {
	const {gateway, count} = await setup(t);
	await count(
		{at: '2026-11-01T10:00:00Z', model: '=HYPERLINK("http://x","y")', cost: 1},
		{at: '2026-11-01T10:00:00Z', model: 'a, "b"\r\nc', cost: 2},
		{at: '2026-11-01T10:00:00Z', model: '-1+1', cost: 3},
		{at: '2026-11-01T10:00:00Z', model: '@SUM(1)', cost: 4},
	);
	const query = '/admin/usage?from=2026-11-01&to=2026-11-02&by=model,outcome';
	const {status, headers, text} = await get(gateway, `${query}&format=csv`);
	t.is(status, 200);
	t.is(headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
	const [head, ...lines] = text.split(/\r\n(?!c)/);
	t.true(head!.startsWith('period,model,outcome,requests,failed,denied,aborted,costMicroUsd,'));
	t.is(head!.split(',').length, 19);
	t.deepEqual(
		lines.map(line => line.replace(/,ok,.*/, '')),
		[`2026-11-01,'-1+1`, `2026-11-01,"'=HYPERLINK(""http://x"",""y"")"`, `2026-11-01,'@SUM(1)`, `2026-11-01,"a, ""b""\r\nc"`, ''],
	);
	t.is((await get(gateway, query, {accept: 'text/csv'})).text, text);
	t.true((await get(gateway, query, {accept: '*/*'})).text.startsWith('{'));
	const first = await get(gateway, `${query}&format=csv&limit=2`);
	const [, next = ''] = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '') ?? [];
	t.is(first.text + (await get(gateway, next)).text.replace(/^.*\r\n/, ''), text);
});

test('an admin of one tenant sees what is of it, an auditor sees all, and nobody without an admin key sees anything', async t => {
	const {gateway, count, admin} = await setup(t);
	await count(
		{at: '2026-11-01T10:00:00Z', tenant: 'acme', team: 'a', cost: 1},
		{at: '2026-11-01T10:00:00Z', tenant: 'other', team: 'b', cost: 2},
	);
	const query = 'from=2026-11-01&to=2026-12-01&by=team&granularity=month';
	const key = await admin({role: 'admin', tenant: 'acme'});
	const [page] = await usagePages(gateway, query, {key});
	t.deepEqual(
		page!.rows.map(({team, costMicroUsd}) => [team, costMicroUsd]),
		[['acme/a', 1]],
	);
	t.is(page!.total?.costMicroUsd, 1);
	t.is((await usageLines(gateway, `${query}&team=other/b`, {key})).length, 0);
	t.is((await get(gateway, `/admin/usage?tenant=other`, {key})).status, 403);
	t.is((await get(gateway, `/admin/usage/invoices?month=2026-11&tenant=other`, {key})).status, 403);
	const invoices = JSON.parse((await get(gateway, '/admin/usage/invoices?month=2026-11', {key})).text);
	t.deepEqual(
		invoices.invoices.map(({team}: {team: string}) => team),
		['acme/a'],
	);
	t.is((await usageLines(gateway, query, {key: await admin({role: 'auditor'})})).length, 2);
	t.deepEqual(sumsIn(await usageLines(gateway, `${query}&tenant=acme&tenant=other`), ['team'])['other/b']?.costMicroUsd, 2);
	t.is((await get(gateway, '/admin/usage', {key: await gateway.key()})).status, 401);
});

test('the holder of a key reads what it used, over its budget too, and nothing of anybody else', async t => {
	const {gateway} = await setup(t, {'tenant:poor': 0.000_1});
	const [key, other] = [await gateway.key({tenant: 'poor', team: 'x'}), await gateway.key({tenant: 'poor', team: 'x'})];
	const statuses = [];
	for (let call = 0; call < 4; call++) statuses.push(await callModel(gateway.url, key, {model: 'fast'}));
	t.true(statuses.includes(200) && statuses.at(-1) === 429, String(statuses));
	const own = async (path = '/v1/usage', its = key) => {
		const {status, text} = await get(gateway, path, {key: its});
		return {status, body: JSON.parse(text)};
	};
	await eventually(async () => (await own()).body.total.requests === 4 || undefined);
	const {status, body} = await own('/v1/usage?by=model,outcome&granularity=total');
	t.is(status, 200);
	t.like(body, {tenant: 'poor', team: 'x', total: {requests: 4, denied: statuses.filter(it => it === 429).length}});
	const spent = (await usageLines(gateway, 'from=2020-01-01&granularity=total&by=key')).find(line => line.key === body.key);
	t.is(body.total.costMicroUsd, spent!.costMicroUsd);
	t.deepEqual([...new Set(body.rows.map(({outcome}: {outcome: string}) => outcome))].sort(), ['denied', 'ok']);
	t.is((await own('/v1/usage', other)).body.total.requests, 0);
	t.deepEqual(body.limits, {budgets: {limits: []}}, "a tenant's limits are not a key's to read");
	await gateway.act('budgets', 'set', {account: `key:${body.key}`, limitUsd: 3});
	t.like((await own()).body.limits, {budgets: {limits: [{window: 'month', limitUsd: 3, remainingUsd: 3}]}});
	t.deepEqual((await own('/v1/usage', other)).body.limits, {budgets: {limits: []}});
	for (const query of ['tenant=poor', 'key=x', 'by=key', 'by=tenant']) t.is((await own(`/v1/usage?${query}`)).status, 400, query);
	t.is((await own('/v1/usage', 'vk_nobody')).status, 401);
});

test('an hour tells a thousand tags apart, and what comes after counts as other', async t => {
	const {gateway, count} = await setup(t);
	for (let index = 0; index < 1_030; index++) await count({at: '2026-11-01T10:00:00Z', tags: [`tag-${index}`, 'known'], cost: 1});
	const lines = await usageLines(gateway, 'from=2026-11-01&to=2026-11-02&by=tag&limit=10000');
	const costs = new Map(lines.map(({tag, costMicroUsd}) => [tag, costMicroUsd]));
	t.is(costs.size, 1_001);
	t.is(costs.get('other'), 31);
	t.is(costs.get('known'), 1_030);
});

test('an invoice has a line for each model with its units, and says whether it is final', async t => {
	const {gateway, count} = await setup(t);
	const usage = (counts: Record<string, number>, cacheWrite1h = 0) => ({
		inputTokens: 100 + cacheWrite1h,
		outputTokens: 10,
		cacheReadTokens: 0,
		cacheWriteTokens: cacheWrite1h,
		reasoningTokens: 3,
		counts,
		parts: {input: 100, output: 7, reasoning: 3, cacheWrite1h},
		source: 'estimated' as const,
	});
	await count(
		{at: '2026-10-31T23:59:59Z', team: 'search', model: 'fast', cost: 1_000_000},
		{at: '2026-11-01T00:00:00Z', team: 'search', model: 'fast', cost: 2_345_678, usage: usage({webSearches: 2, gpu: 1})},
		{at: '2026-11-30T23:59:59Z', team: 'search', model: 'fast', cost: 1, usage: usage({webSearches: 1}, 50)},
		{at: '2026-11-30T23:59:59Z', team: 'search', model: 'slow', cost: 0, outcome: 'denied'},
		{at: '2026-11-15T00:00:00Z', model: 'slow', cost: 5},
		{at: '2026-11-15T00:00:00Z', tenant: 'zeta', team: 'z', model: 'slow', cost: 7},
	);
	const read = async (query: string) => JSON.parse((await get(gateway, `/admin/usage/invoices?${query}`)).text);
	const all = await read('month=2026-11');
	t.like(all, {
		month: '2026-11',
		from: '2026-11-01T00:00:00.000Z',
		to: '2026-12-01T00:00:00.000Z',
		total: {costMicroUsd: 2_345_691, costUsd: '2.345691'},
	});
	t.deepEqual(
		all.invoices.map((one: {team: string | null; total: {costMicroUsd: number}}) => [one.team, one.total.costMicroUsd]),
		[
			[null, 5],
			['acme/search', 2_345_679],
			['zeta/z', 7],
		],
	);
	const {invoices, total} = await read('month=2026-11&team=acme/search');
	t.is(total.costMicroUsd, 2_345_679);
	t.deepEqual(invoices[0].lines, [
		{
			model: 'fast',
			inputTokens: 250,
			outputTokens: 20,
			cacheReadTokens: 0,
			cacheWriteTokens: 50,
			reasoningTokens: 6,
			units: {cacheWrite1hTokens: 50, gpu: 1, webSearches: 3},
			requests: 2,
			costMicroUsd: 2_345_679,
			estimatedCostMicroUsd: 2_345_679,
			costUsd: '2.345679',
		},
	]);
	t.true((await read('month=2026-10')).final);
	t.false((await read('month=2999-01')).final);
	const {text} = await get(gateway, '/admin/usage/invoices?month=2026-11&team=acme/search&format=csv');
	t.is(
		text.split('\r\n')[1],
		'2026-11,acme,acme/search,fast,2,250,20,0,50,6,cacheWrite1hTokens: 50; gpu: 1; webSearches: 3,2345679,2.345679,2345679',
	);
});
