import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';

type Answer = {id: number; result?: unknown; error?: {code: number; message: string; data?: {code: string}}};
type Ending = (gateway: TestGateway, key: {id: string; key: string}, session: string) => Promise<unknown>;

/** A batch of three calls, of which the first is answered when `ending` is done. */
const play = async (t: ExecutionContext, ending: Ending) => {
	const calls: unknown[] = [];
	let meanwhile = async (): Promise<unknown> => undefined;
	const upstream = await hostileUpstream(t, async ({id, params}, res) => {
		if (calls.push(params.arguments) === 1) await meanwhile();
		res.writeHead(200, {'content-type': 'application/json'});
		res.end(JSON.stringify({jsonrpc: '2.0', id, result: {content: [{type: 'text', text: 'done'}]}}));
	});
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}});
	const key = (await gateway.act('virtual-keys', 'create', {})) as {id: string; key: string};
	const wire = wireTo(`${gateway.url}/mcp/one`, key.key);
	const session = await wire.begin('2025-03-26');
	meanwhile = () => ending(gateway, key, session);
	const batch = [0, 1, 2].map(id => ({jsonrpc: '2.0', id, method: 'tools/call', params: {name: 'act', arguments: {id}}}));
	const {status, body} = await wire.send(batch, {'mcp-session-id': session});
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
	return {status, calls, answers: [body].flat() as Answer[], records};
};

test.serial('each call of a batch whose key is revoked midway is refused on a record of its own, and what ran is told', async t => {
	const {status, calls, answers, records} = await play(t, (gateway, {id}) => gateway.act('virtual-keys', 'revoke', {id}));
	t.is(status, 200);
	t.deepEqual(calls, [{id: 0}]);
	t.deepEqual(
		answers.map(({id, error}) => [id, error?.data?.code]),
		[
			[0, undefined],
			[1, 'unauthenticated'],
			[2, 'unauthenticated'],
		],
	);
	t.deepEqual(
		records.map(({outcome, status}) => [outcome, status]),
		[
			['ok', 200],
			['denied', 401],
			['denied', 401],
		],
	);
	t.is(new Set(records.map(({annotations}) => (annotations as Record<string, unknown>)['mcp.batch'])).size, 1);
});

test.serial('a batch does not outlive its session', async t => {
	const {calls, answers, records} = await play(t, (gateway, {key}, session) =>
		wireTo(`${gateway.url}/mcp/one`, key).send(undefined, {'mcp-session-id': session}, 'DELETE'),
	);
	t.deepEqual(calls, [{id: 0}]);
	t.deepEqual(
		answers.map(({error}) => error?.message),
		[answers[0]!.error?.message, 'There is no such session: begin with initialize.', 'There is no such session: begin with initialize.'],
	);
	t.deepEqual(
		records.slice(1).map(({outcome, status}) => [outcome, status]),
		[
			['denied', 404],
			['denied', 404],
		],
	);
});
