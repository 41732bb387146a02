import {join} from 'node:path';
import test from 'ava';
import {records} from '../core/journal/read.ts';
import {connect} from '../core/store/sqlite/connection.ts';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import {configFor, folderWith, sallyport, startCommand} from './helpers/cli.ts';
import {callModel, sumsOf} from './helpers/usage.ts';

test('usage and invoices are printed as a table, JSON and CSV, and a ledger account is explained, running and stopped', async t => {
	t.timeout(120_000);
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const folder = await folderWith(t, configFor(upstream.url));
	const {url, adminKey, key, end} = await startCommand(t, folder);
	for (const model of ['demo', 'demo', 'long', 'nobody-serves-this']) await callModel(url, key, {model, stream: model === 'long'});
	const env = {SALLYPORT_ADMIN_KEY: adminKey, SALLYPORT_URL: url};
	const run = async (...args: string[]) => {
		const ran = await sallyport(args, {cwd: folder, env});
		return {...ran, lines: ran.stdout.split('\n')};
	};

	const table = await run('usage', '--by', 'model,outcome');
	t.is(table.code, 0, table.stderr);
	t.regex(table.lines[2]!, /^period +model +outcome +requests +failed .* USD$/);
	t.true(
		table.lines.some(line => /^total +demo +ok +2 /.test(line)),
		table.stdout,
	);
	t.regex(table.lines.at(-2)!, /^all +4 /);
	const json = JSON.parse((await run('usage', '--json', '--by', 'model')).stdout);
	const all = await Array.fromAsync(records(join(folder, 'data', 'journal')));
	const total = sumsOf(all, () => ['all']).all!;
	t.like(json.total, total);
	const csv = await run('usage', '--csv', '--by', 'key', '--outcome', 'ok', '--outcome', 'denied', '--granularity', 'day');
	t.regex(csv.stdout, /^period,key,requests,[^\r]*\r\n\d{4}-\d\d-\d\d,key_\w+,/);
	const wrong = await run('usage', '--by', 'colour');
	t.is(wrong.code, 1);
	t.regex(wrong.stderr, /^by/);

	const month = new Date().toISOString().slice(0, 7);
	const invoice = await run('usage', 'invoice', '--month', month);
	const usd = (total.costMicroUsd / 1e6).toFixed(6);
	t.true(invoice.stdout.startsWith(`default, what is of no team, ${month} (UTC), so far\nmodel `), invoice.stdout);
	t.true(invoice.stdout.endsWith(`all invoices: ${usd} USD\n`), invoice.stdout);
	const {from: _, ...inJson} = JSON.parse((await run('usage', 'invoice', '--month', month, '--json')).stdout);
	t.is(inJson.total.costMicroUsd, total.costMicroUsd);
	t.is((await run('usage', 'invoice', '--month', '2026-13')).code, 1);

	// What a running gateway has settled, it files about once a second: until then its journal is ahead of its rows, and says so.
	const running = await run('ledger', 'explain', 'tenant:default', '--unit', 'microUsd');
	t.is(running.code, 0, running.stdout + running.stderr);
	t.is((await end('SIGTERM')).code, 0);

	const again = await run('usage', 'invoice', '--month', month, '--json', '--from-journal');
	t.is(again.code, 0, again.stderr);
	const {from: __, ...recounted} = JSON.parse(again.stdout);
	t.deepEqual(recounted, inJson, 'counted from the journal alone, it is the same invoice');

	const stopped = await run('ledger', 'explain', 'tenant:default');
	t.is(stopped.code, 0, stopped.stdout + stopped.stderr);
	t.true(stopped.stdout.includes(`settled ${total.costMicroUsd / 1e6} USD`), stopped.stdout);
	for (const {kind, seq, exchange, bookings = []} of all)
		if (kind === 'exchange' && bookings.some(({key: one, amount}) => one.startsWith('tenant:default|') && amount > 0))
			t.true(stopped.stdout.includes(`record ${seq}  `) && stopped.stdout.includes(exchange!));
	t.true(stopped.stdout.trimEnd().endsWith('It adds up to the journal.'));
	t.regex((await run('ledger', 'explain', 'tenant:nobody')).stdout, /nothing of tenant:nobody/);
	t.is((await run('ledger', 'explain', 'tenant:default', '--unit', 'apples')).code, 1);

	const file = await connect(join(folder, 'data', 'gateway.db'));
	await file.run({sql: "UPDATE leases SET settled = settled + 1 WHERE key LIKE 'tenant:default|%'", values: []});
	await file.close();
	const tampered = await run('ledger', 'explain', 'tenant:default', '-n', '0');
	t.is(tampered.code, 1);
	t.regex(
		tampered.stdout,
		new RegExp(
			`DIFFERENCE: .* settled ${total.costMicroUsd + 1} in tenant:default\\|microUsd\\|month\\|.* its journal comes to ${total.costMicroUsd}\\.`,
		),
	);
});
