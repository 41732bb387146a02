import {once} from 'node:events';
import {createServer, type RequestListener} from 'node:http';
import type {AddressInfo} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {GatewayError} from '../core/errors.ts';
import {type Deployment, firstToAnswer, restingProviders, retryAfterMs} from '../core/upstream/deployments.ts';
import {openProvider} from '../core/upstream/dispatch.ts';
import {leave, type Waiting} from '../core/upstream/reply.ts';
import type {Attempt} from '../schemas/record.ts';

type Behaviour = RequestListener | 'closed';

const status =
	(code: number, headers: Record<string, string> = {}): RequestListener =>
	(_, res) =>
		res.writeHead(code, headers).end('{"provider":"says PRIVATE things"}');

const reset: RequestListener = req => req.socket.resetAndDestroy();
const silent: RequestListener = () => {};

/** Real providers, one for each behaviour, tried in this order. */
const trying = async (
	t: ExecutionContext,
	behaviours: readonly Behaviour[],
	{waiting, timeoutMs = 200}: {waiting?: Waiting; timeoutMs?: number} = {},
) => {
	const providers = await Promise.all(
		behaviours.map(async (behaviour, index) => {
			const server = createServer(behaviour === 'closed' ? silent : behaviour);
			server.listen(0, '127.0.0.1');
			await once(server, 'listening');
			const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
			const shut = () => {
				server.closeAllConnections();
				server.close();
			};
			if (behaviour === 'closed') shut();
			else t.teardown(shut);
			const provider = openProvider({name: `p${index}`, speaks: 'openai', baseUrl, timeoutMs, idleMs: 200, connections: 4});
			t.teardown(() => provider.close());
			return provider;
		}),
	);
	const plan: Deployment[] = providers.map(({name}) => ({name: `${name}/m`, provider: name, model: 'm'}));
	const attempts: Attempt[] = [];
	const run = firstToAnswer(
		plan,
		({provider}) => providers.find(({name}) => name === provider)!.send({path: '/x', method: 'POST', headers: {}, body: '{}'}, {waiting}),
		{exchangeId: 'x1', record: attempt => attempts.push(attempt)},
	);
	return {run, attempts};
};

test('the first deployment that answers is the one; the next is not asked', async t => {
	const {run, attempts} = await trying(t, [status(200), reset]);
	const {reply, deployment} = await run;
	t.is(deployment.name, 'p0/m');
	t.is((await reply.collect(100)).length, 34);
	t.like(attempts, [{id: 'x1.1', deployment: 'p0/m', status: 200}]);
	t.is(attempts.length, 1);
});

test('nobody there, a reset, no answer in time, garbage, 408, 429, 500 and 529 lead to the next; each attempt is recorded', async t => {
	const garbage: RequestListener = req => req.socket.end('nonsense\r\n\r\n');
	const {run, attempts} = await trying(t, [
		'closed',
		reset,
		silent,
		garbage,
		status(408),
		status(429),
		status(500),
		status(529),
		status(200),
	]);
	t.is((await run).deployment.name, 'p8/m');
	t.deepEqual(
		attempts.map(({id, status, error}) => [id, status, error]),
		[
			['x1.1', undefined, 'upstream_unreachable'],
			['x1.2', undefined, 'upstream_failed'],
			['x1.3', undefined, 'upstream_timeout'],
			['x1.4', undefined, 'upstream_malformed'],
			['x1.5', 408, 'upstream_timeout'],
			['x1.6', 429, 'upstream_rate_limited'],
			['x1.7', 500, 'upstream_failed'],
			['x1.8', 529, 'upstream_failed'],
			['x1.9', 200, undefined],
		],
	);
	t.true(attempts.every(({ms}) => ms >= 0));
});

test('a 4xx about the request is an answer', async t => {
	for (const code of [400, 404, 413, 422]) {
		const {run, attempts} = await trying(t, [status(code), status(200)]);
		const {reply} = await run;
		t.is(reply.status, code);
		t.is(attempts.length, 1);
		reply.drop();
	}
});

test('a refused key is upstream_refused at once, and what the provider said about it stays there', async t => {
	for (const code of [401, 402, 403]) {
		const {run, attempts} = await trying(t, [status(code), status(200)]);
		const error = await t.throwsAsync(run, {code: 'upstream_refused'});
		t.notRegex(error.message, /PRIVATE/);
		t.is(attempts.length, 1);
	}
});

test('a redirect is not followed', async t => {
	const {run} = await trying(t, [status(307, {location: 'http://127.0.0.1:1/'}), status(200)]);
	await t.throwsAsync(run, {code: 'upstream_malformed'});
});

test('when all failed the error is that of the last, with the wait it asks for', async t => {
	const limited = await trying(t, [reset, status(429, {'retry-after': '7'})]);
	const error = await t.throwsAsync(limited.run, {instanceOf: GatewayError, code: 'upstream_rate_limited'});
	t.is(error.retryAfterMs, 7_000);
	const broken = await trying(t, [status(429), status(500)]);
	t.notRegex((await t.throwsAsync(broken.run, {code: 'upstream_failed'})).message, /PRIVATE/);
	const gone = await trying(t, [status(500), 'closed']);
	await t.throwsAsync(gone.run, {code: 'upstream_unreachable'});
	t.deepEqual(
		gone.attempts.map(({error}) => error),
		['upstream_failed', 'upstream_unreachable'],
	);
});

test('a client that left ends it: no other deployment is asked', async t => {
	const plan = ['a', 'b'].map(provider => ({name: `${provider}/m`, provider, model: 'm'}));
	const attempts: Attempt[] = [];
	const gone = () => Promise.reject(new GatewayError('client_closed', 'The client left before the answer.'));
	await t.throwsAsync(firstToAnswer(plan, gone, {exchangeId: 'x', record: attempt => attempts.push(attempt)}), {code: 'client_closed'});
	t.is(attempts.length, 1);
	await t.throwsAsync(firstToAnswer([], gone, {exchangeId: 'x', record: () => {}}), {code: 'upstream_unreachable'});
});

test('a client that leaves during the second attempt is noticed, although the first one’s body ended meanwhile', async t => {
	const waiting: Waiting = {left: false};
	const closed = Promise.withResolvers<void>();
	let endFirst = () => {};
	const limited: RequestListener = (_, res) => {
		res.writeHead(429).write('slow');
		endFirst = () => res.end();
	};
	const second: RequestListener = req => {
		req.socket.once('close', closed.resolve);
		endFirst();
		setTimeout(() => leave(waiting), 50);
	};
	const {run, attempts} = await trying(t, [limited, second], {waiting, timeoutMs: 5_000});
	await t.throwsAsync(run, {code: 'client_closed'});
	await closed.promise;
	t.deepEqual(
		attempts.map(({error}) => error),
		['upstream_rate_limited', 'client_closed'],
	);
});

test('a provider that was missed three times in a row is tried last for a while, never left out', t => {
	let now = 0;
	const rests = restingProviders({now: () => now, most: 3, restMs: 1_000});
	const plan = ['a', 'b', 'c'].map(provider => ({name: `${provider}/m`, provider, model: 'm'}));
	const order = () => rests.order(plan).map(({provider}) => provider);
	rests.missed('a');
	rests.missed('a');
	t.deepEqual(order(), ['a', 'b', 'c']);
	rests.missed('a');
	t.deepEqual(order(), ['b', 'c', 'a']);
	now = 1_000;
	t.deepEqual(order(), ['a', 'b', 'c']);
	rests.missed('a');
	t.deepEqual(order(), ['b', 'c', 'a']);
	rests.reached('a');
	t.deepEqual(order(), ['a', 'b', 'c']);
});

test('retry-after is read in seconds, as a date, or in milliseconds; nonsense is none', t => {
	t.is(retryAfterMs({'retry-after': '2'}), 2_000);
	t.is(retryAfterMs({'retry-after': '0.2'}), 200);
	t.is(retryAfterMs({'retry-after': '2', 'retry-after-ms': '150.5'}), 151);
	t.is(retryAfterMs({'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT'}, 4_000), 6_000);
	t.is(retryAfterMs({'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT'}, 40_000), 0);
	for (const nonsense of ['soon', '-1x', '']) t.is(retryAfterMs({'retry-after': nonsense}), undefined);
	t.is(retryAfterMs({}), undefined);
});
