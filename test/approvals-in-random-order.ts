import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {calls as adminCalls} from './helpers/admins.ts';
import {approvals, legacyCall, type Pending, payingServer, payRule} from './helpers/approvals.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {type Said, wireTo} from './helpers/mcp-wire.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const steps = 120;

const approvalIn = ({body}: Said): {id: string; state: string} | undefined =>
	(body.result?._meta as {'sallyport/approval'?: {id: string; state: string}} | undefined)?.['sallyport/approval'];

test.serial('whatever is called, decided, expired and restarted: no tool runs without an approval, nor twice for one', async t => {
	const seed = Date.now() % 1e9;
	t.log('seed', seed);
	const random = seededRandom(seed);
	const {upstream, calls} = await payingServer(t);
	const folders = await Promise.all([0, 1].map(() => mkdtemp(join(tmpdir(), 'sallyport-random-'))));
	const start = (at: number): Promise<TestGateway> =>
		startGateway(
			t,
			{
				store: join(folders[0]!, 'store.db'),
				servers: {one: {url: upstream.url}},
				plugins: [{use: 'virtual-keys'}, approvals([{...payRule, holdMs: 60, expiresSeconds: 2}], {mostPending: 900})],
			},
			{folder: folders[at]!},
		);
	const gateways = [await start(0)];
	const adminKey = gateways[0]!.adminKey!;
	const keys = [await gateways[0]!.key(), await gateways[0]!.key()];
	gateways.push(await start(1));
	const admin = async (at: number, action: string, input: object) =>
		(await adminCalls(gateways[at]!)(`/admin/plugins/approvals/actions/${action}`, input, {key: adminKey})).body;

	/** What may have been decided, by what the tool is called with then. */
	const permits = new Map<string, Set<string>>();
	const ran: {id: string; state: string}[] = [];
	const underWay = new Set<Promise<void>>();
	const inBackground = (work: Promise<void>): void => {
		underWay.add(work);
		work.finally(() => underWay.delete(work));
	};

	const call = async (): Promise<void> => {
		const who = random.below(2);
		const args = {who, amount: random.below(3)};
		const wire = wireTo(`${random.pick(gateways).url}/mcp/one`, keys[who]!);
		// A gateway that is being restarted answers nobody.
		const said = await (random.chance(0.5) ? legacyCall(wire)(args) : wire.call('pay', args)).catch(() => undefined);
		const approval = said && approvalIn(said);
		if (approval?.state === 'approved') ran.push(approval);
	};

	const decide = async (): Promise<void> => {
		const at = random.below(2);
		const found = await admin(at, 'list', {state: 'pending', limit: 20}).catch(() => undefined);
		const pending = (found?.approvals ?? []) as Pending[];
		if (pending.length === 0) return;
		const {id} = random.pick(pending);
		if (random.chance(0.1)) return void (await admin(at, 'decide', {id, decision: 'refuse', reason: 'no'}).catch(() => undefined));
		const shown = await admin(at, 'show', {id}).catch(() => undefined);
		if (!shown?.arguments) return;
		const isEdited = random.chance(0.3);
		const args = isEdited ? {edited: id} : (shown.arguments as object);
		const name = JSON.stringify(args);
		permits.set(name, (permits.get(name) ?? new Set()).add(id));
		const words = isEdited ? {decision: 'edit', arguments: args} : {decision: 'approve'};
		await admin(random.below(2), 'decide', {id, ...words}).catch(() => undefined);
	};

	const restart = async (): Promise<void> => {
		const at = random.below(2);
		await gateways[at]!.stop();
		gateways[at] = await start(at);
	};

	for (let step = 0; step < steps; step++) {
		if (step % 40 === 20) await restart();
		else if (random.chance(0.5)) inBackground(call());
		else if (random.chance(0.6)) inBackground(decide());
		else await Promise.race([...underWay, new Promise(resolve => setTimeout(resolve, 20))]);
		if (underWay.size > 8) await Promise.race(underWay);
	}
	await Promise.all(underWay);
	await call();

	const counts = Map.groupBy(calls(), args => JSON.stringify(args));
	for (const [args, same] of counts) {
		const may = permits.get(args)?.size ?? 0;
		t.true(same.length <= may, `${args} ran ${same.length} times for ${may} approvals (seed ${seed})`);
	}
	t.is(new Set(ran.map(({id}) => id)).size, ran.length, `an approval ran twice (seed ${seed})`);
	t.true(ran.length <= calls().length);
	t.true(calls().length > 0, `nothing ran (seed ${seed})`);
	await Promise.all(gateways.map(gateway => gateway.stop()));
	for (const folder of folders) await rm(folder, {recursive: true, force: true});
});
