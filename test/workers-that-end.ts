import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {verify} from '../core/journal/verify.ts';
import {sallyport} from './helpers/cli.ts';
import {
	type Answered,
	call,
	isAlive,
	metric,
	metricsOf,
	openWorld,
	type Place,
	type Replica,
	startReplica,
	until,
} from './helpers/replicas.ts';

/** A gateway of two workers in a place of its own, with this added to its environment. */
const twoWorkers = async (t: ExecutionContext, env: Record<string, string> = {}) => {
	t.timeout(120_000);
	const world = await openWorld(t, {workers: 2});
	const place = world.place();
	return {place, gateway: await startReplica(t, place.config, {env})};
};

/** So many streams on connections of their own, all begun; what becomes of them. */
const streams = async ({url, key}: Replica, count: number, model: string): Promise<Promise<Answered | undefined>[]> => {
	const begun = Array.from({length: count}, () => Promise.withResolvers<void>());
	const answers = begun.map(({resolve}) => call({url}, key!, {model, stream: true, tokens: 1_000, onData: () => resolve()}));
	await Promise.all(begun.map(({promise}) => promise));
	return answers;
};

const allFinish = async (t: ExecutionContext, running: readonly Promise<Answered | undefined>[]): Promise<void> => {
	for (const answer of await Promise.all(running)) t.true(answer?.text.endsWith('data: [DONE]\n\n'));
};

const chainsHold = async (t: ExecutionContext, {folder}: Place): Promise<void> => {
	for (const chain of ['0', '1']) t.like(await verify(join(folder, 'journal'), {chain}), {ok: true});
};

/** Every exchange that was opened has one end. */
const allEnded = async (t: ExecutionContext, {journal}: Place): Promise<void> => {
	const all = await journal();
	const ends = Map.groupBy(
		all.filter(({kind}) => kind === 'exchange'),
		({exchange}) => exchange,
	);
	for (const {exchange} of all.filter(({kind}) => kind === 'opened')) t.is(ends.get(exchange)?.length, 1, `${exchange}`);
};

test.serial(
	'a worker that is killed is there again at once; what it was doing is on record, and what was counted stays counted',
	async t => {
		const {place, gateway} = await twoWorkers(t);
		const endless = await streams(gateway, 24, 'endless');
		for (let count = 0; count < 6; count++) await call(gateway, gateway.key!);
		const before = metric(await metricsOf(gateway), 'sallyport_exchanges_total');

		const [victim] = gateway.workers();
		process.kill(victim!, 'SIGKILL');
		await until(() => gateway.workers().length === 2 && !gateway.workers().includes(victim!));
		await until(async () => metric(await metricsOf(gateway), 'sallyport_worker_restarts_total') === 1);
		for (let count = 0; count < 6; count++) t.is((await call(gateway, gateway.key!))?.status, 200);
		await until(async () => (await place.journal()).some(({error}) => error?.code === 'gateway_crashed'));
		t.true(metric(await metricsOf(gateway), 'sallyport_exchanges_total') >= before + 6);
		t.regex(gateway.complained(), /"signal":"SIGKILL","againInMs":100,"msg":"a worker ended"/);

		t.is(await gateway.end('SIGTERM'), 0);
		await Promise.all(endless);
		await chainsHold(t, place);
		await allEnded(t, place);
		const crashed = (await place.journal()).filter(({error}) => error?.code === 'gateway_crashed');
		t.is(new Set(crashed.map(({chain}) => chain)).size, 1, 'the other worker lost nothing');
		t.true(crashed.length < 24);
	},
);

test.serial('SIGTERM: the streams of all workers finish, nothing new is taken, and no process is left', async t => {
	const {place, gateway} = await twoWorkers(t);
	const workers = gateway.workers();
	const running = await streams(gateway, 8, 'forty');
	const ended = gateway.end('SIGTERM');
	await until(() => /SIGTERM: finishing what runs in 2 workers/.test(gateway.printed()));
	await allFinish(t, running);
	t.is(await ended, 0);
	t.is(await call(gateway, gateway.key!), undefined);
	t.false(workers.some(isAlive));
	await chainsHold(t, place);
	await allEnded(t, place);
});

test.serial(
	'Ctrl-C in a terminal reaches every process, and still what runs is finished first, by plugins in processes of their own too',
	async t => {
		t.timeout(120_000);
		const world = await openWorld(t, {workers: 2, plugins: [{use: 'virtual-keys'}, {use: './watcher'}]});
		const place = world.place();
		const folder = join(place.folder, 'watcher');
		mkdirSync(folder);
		const manifest = {
			name: 'watcher',
			version: '1.0.0',
			description: 'Notes at the end of each exchange that it was asked.',
			sdk: 1,
			runtime: 'isolate',
			hooks: {'post-response': {reads: ['outcome']}},
		};
		writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
		writeFileSync(
			join(folder, 'index.ts'),
			`import {allow, definePlugin} from 'sallyport/plugin-sdk';
		export default definePlugin({hooks: {'post-response': ({outcome}) => allow({annotate: {saw: outcome}})}});`,
		);
		const gateway = await startReplica(t, place.config, {inGroup: true});
		const running = await streams(gateway, 8, 'forty');
		const ended = gateway.end('SIGINT');
		await allFinish(t, running);
		t.is(await ended, 0, gateway.complained());
		t.notRegex(gateway.complained(), /a plugin host fell/);
		const exchanges = (await place.journal()).filter(({kind, surface}) => kind === 'exchange' && surface === 'openai');
		t.is(exchanges.length, 8);
		for (const {outcome, annotations} of exchanges) t.like({outcome, annotations}, {outcome: 'ok', annotations: {'watcher.saw': 'ok'}});
		await chainsHold(t, place);
	},
);

test.serial('a second Ctrl-C ends everything at once, and the next start finds what was open', async t => {
	const {place, gateway} = await twoWorkers(t);
	const workers = gateway.workers();
	const running = await streams(gateway, 4, 'endless');
	process.kill(gateway.pid, 'SIGINT');
	await until(() => /SIGINT: finishing/.test(gateway.printed()));
	await new Promise(resolve => setTimeout(resolve, 1_100));
	t.is(await gateway.end('SIGINT'), 130);
	await until(() => !workers.some(isAlive));
	t.deepEqual(await Promise.all(running), [undefined, undefined, undefined, undefined]);
	const next = await startReplica(t, place.config);
	t.is(await next.end('SIGTERM'), 0);
	await allEnded(t, place);
});

test.serial('workers whose supervisor is gone finish what runs, and end by themselves', async t => {
	const {place, gateway} = await twoWorkers(t);
	const workers = gateway.workers();
	const running = await streams(gateway, 8, 'forty');
	await gateway.end('SIGKILL');
	await allFinish(t, running);
	await until(() => !workers.some(isAlive));
	await chainsHold(t, place);
	await allEnded(t, place);
});

test.serial('a worker that an operator ends finishes what it does, and another takes its place', async t => {
	const {place, gateway} = await twoWorkers(t);
	const before = gateway.workers();
	const running = await streams(gateway, 8, 'forty');
	for (const worker of before) process.kill(worker, 'SIGTERM');
	await allFinish(t, running);
	await until(() => gateway.workers().length === 2 && !gateway.workers().some(pid => before.includes(pid)));
	await until(async () => (await call(gateway, gateway.key!))?.status === 200);
	t.is(await gateway.end('SIGTERM'), 0);
	t.is((await sallyport(['--config', place.config, 'audit', 'verify'])).code, 0);
});

/** As on macOS: https://docs.libuv.org/en/v1.x/tcp.html#c.uv_tcp_bind */
const withoutReusePort = `import {Server} from 'node:net';
const {listen} = Server.prototype;
Server.prototype.listen = function (...given) {
	if (!given[0]?.reusePort) return listen.apply(this, given);
	setImmediate(() => this.emit('error', Object.assign(new Error('listen ENOTSUP'), {code: 'ENOTSUP'})));
	return this;
};`;

test.serial('where the system deals out no connections, the supervisor hands them on in turn, and all else is the same', async t => {
	const preload = `data:text/javascript;base64,${Buffer.from(withoutReusePort).toString('base64')}`;
	const {place, gateway} = await twoWorkers(t, {NODE_OPTIONS: `--import=${preload}`});
	for (let count = 0; count < 8; count++) t.is((await call(gateway, gateway.key!))?.status, 200);
	const chains = (await place.journal()).filter(({kind, surface}) => kind === 'exchange' && surface === 'openai').map(({chain}) => chain);
	t.deepEqual(chains.toSorted(), ['0', '0', '0', '0', '1', '1', '1', '1']);

	const [victim] = gateway.workers();
	process.kill(victim!, 'SIGKILL');
	await until(() => gateway.workers().length === 2 && !gateway.workers().includes(victim!));
	await until(async () => metric(await metricsOf(gateway), 'sallyport_worker_restarts_total') === 1);
	t.is((await call(gateway, gateway.key!))?.status, 200);
	const running = await streams(gateway, 4, 'forty');
	const workers = gateway.workers();
	// The new one may still be starting.
	await gateway.end('SIGKILL');
	await allFinish(t, running);
	await until(() => !workers.some(isAlive));
	await allEnded(t, place);
});
