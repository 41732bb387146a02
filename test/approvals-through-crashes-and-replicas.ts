import test from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {approvals, isPending, legacyCall, type Pending, payingServer, payRule} from './helpers/approvals.ts';
import {sallyport} from './helpers/cli.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {postgresOfThisFile} from './helpers/postgres.ts';
import {act, openWorld, type Replica, startReplica, until} from './helpers/replicas.ts';

const freshUrl = postgresOfThisFile();

const listed = async (replica: Replica, adminKey: string, state = 'pending'): Promise<Pending[]> =>
	((await act(replica, adminKey, 'approvals/list', {state})).approvals as Pending[]) ?? [];

const waitFor = async (replica: Replica, adminKey: string, past: ReadonlySet<string> = new Set()): Promise<string> => {
	let found: Pending | undefined;
	await until(async () => {
		found = (await listed(replica, adminKey)).find(({id}) => !past.has(id));
		return found !== undefined;
	});
	return found!.id;
};

const payAt = (replica: Replica, key: string) => legacyCall(wireTo(`${replica.url}/mcp/one`, key));

const start = async (t: Parameters<typeof openWorld>[0], overrides: GatewayConfigInput = {}, holdMs = 20_000) => {
	const server = await payingServer(t);
	const world = await openWorld(t, {
		servers: {one: {url: server.upstream.url}},
		plugins: [{use: 'virtual-keys'}, approvals([{...payRule, holdMs}])],
		...overrides,
	});
	return {...server, world};
};

test.serial('a call that was held when its gateway was killed is approved afterwards, and its repetition runs once', async t => {
	const {world, calls} = await start(t);
	const place = world.place();
	const first = await startReplica(t, place.config);
	const [adminKey, key] = [first.adminKey!, first.key!];
	const held = payAt(first, key)({amount: 5});
	const id = await waitFor(first, adminKey);
	await first.end('SIGKILL');
	await t.throwsAsync(held);
	const second = await startReplica(t, place.config);
	t.is(await waitFor(second, adminKey), id);
	const again = payAt(second, key)({amount: 5});
	await until(async () => (await fetch(`${second.url}/metrics`).then(it => it.text())).includes('sallyport_exchanges_held 1'));
	await act(second, adminKey, 'approvals/decide', {id, decision: 'approve'});
	t.is(wordsOf(await again), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 5}]);
	await second.end('SIGKILL');
	const third = await startReplica(t, place.config);
	t.like(await act(third, adminKey, 'approvals/show', {id}), {state: 'used'});
	const more = payAt(third, key)({amount: 5});
	t.not(await waitFor(third, adminKey), id);
	await third.end('SIGKILL');
	await t.throwsAsync(more);
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('two replicas on one store: approved at one while it waits at the other; of the same call at both, one runs', async t => {
	const {world, calls} = await start(t, {}, 3_000);
	const here = world.place();
	const there = world.place({store: `${here.folder}/gateway.db`});
	const first = await startReplica(t, here.config);
	const second = await startReplica(t, there.config);
	const [adminKey, key] = [first.adminKey!, first.key!];
	const both = [payAt(first, key)({amount: 5}), payAt(second, key)({amount: 5})];
	await until(async () => (await listed(second, adminKey)).length === 1);
	const holds = async (replica: Replica) =>
		(await fetch(`${replica.url}/metrics`).then(it => it.text())).includes('sallyport_exchanges_held 1');
	await until(async () => (await holds(first)) && (await holds(second)));
	const [asked] = await listed(first, adminKey);
	const said = await sallyport(['approvals', 'approve', asked!.id, '--url', second.url], {env: {SALLYPORT_ADMIN_KEY: adminKey}});
	t.is(said.code, 0, said.stderr);
	t.like(JSON.parse(said.stdout), {state: 'approved'});
	const ended = await Promise.all(both);
	t.deepEqual(ended.map(isPending).sort(), [false, true], 'the other one waits for an approval of its own');
	t.deepEqual(calls(), [{amount: 5}]);
	const [other] = await listed(first, adminKey);
	t.not(other!.id, asked!.id);
	const refused = await sallyport(['approvals', 'refuse', other!.id, 'once is enough', '--url', first.url], {
		env: {SALLYPORT_ADMIN_KEY: adminKey},
	});
	t.is(refused.code, 0, refused.stderr);
	t.regex(JSON.stringify((await payAt(second, key)({amount: 5})).body), /once is enough/);
	const told = await sallyport(['approvals', 'list', '--state', 'all', '--url', first.url], {env: {SALLYPORT_ADMIN_KEY: adminKey}});
	t.regex(told.stdout, /^apr_\S+ +refused +one\/pay /m);
	t.deepEqual(calls(), [{amount: 5}]);
});

test.serial('two workers: it does not matter which one holds and which one hears the decision', async t => {
	const {world, calls} = await start(t, {workers: 2});
	const gateway = await startReplica(t, world.place().config);
	const [adminKey, key] = [gateway.adminKey!, gateway.key!];
	const past = new Set<string>();
	for (let amount = 0; amount < 6; amount++) {
		const held = payAt(gateway, key)({amount});
		const id = await waitFor(gateway, adminKey, past);
		past.add(id);
		// The worker that is asked may not have heard of it yet.
		const decide = () => act(gateway, adminKey, 'approvals/decide', {id, decision: 'approve'});
		await until(() =>
			decide().then(
				() => true,
				({message}: Error) => !message.includes('There is no approval'),
			),
		);
		t.is(wordsOf(await held), `pay {"amount":${amount}}`);
	}
	t.is(calls().length, 6);
});

test.serial('on PostgreSQL: asked for at one gateway, approved at another one, and decided there when the first is gone', async t => {
	const {world, calls} = await start(t, {store: await freshUrl()}, 20_000);
	const first = await startReplica(t, world.place().config);
	const second = await startReplica(t, world.place().config);
	const [adminKey, key] = [first.adminKey!, first.key!];
	const held = payAt(first, key)({amount: 5});
	const id = await waitFor(second, adminKey);
	await act(second, adminKey, 'approvals/decide', {id, decision: 'edit', arguments: {amount: 4}});
	t.is(wordsOf(await held), 'pay {"amount":4}');
	const again = payAt(second, key)({amount: 5});
	const other = await waitFor(first, adminKey, new Set([id]));
	await first.end('SIGKILL');
	await act(second, adminKey, 'approvals/decide', {id: other, decision: 'approve'});
	t.is(wordsOf(await again), 'pay {"amount":5}');
	t.deepEqual(calls(), [{amount: 4}, {amount: 5}]);
});
