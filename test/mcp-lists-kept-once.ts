import test from 'ava';
import {openShelf} from '../core/mcp/shelf.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const listOf = (...digests: string[]) => new Map(digests.map(digest => [`name of ${digest}`, {digest}]));

test('a list that two conversations saw is kept once, and one that goes by other names is another', t => {
	const shelf = openShelf<{digest: string}>();
	const first = listOf('a', 'b');
	const place = shelf.put(first, 10);
	t.is(shelf.put(listOf('a', 'b'), 10), place);
	t.is(shelf.get(place), first);
	t.not(shelf.put(listOf('b', 'a'), 10), place);
	t.not(
		shelf.put(
			new Map([
				['a', {digest: 'a'}],
				['b', {digest: 'b'}],
			]),
			10,
		),
		place,
	);
});

test('of more than there is room for, the list that was used longest ago is let go', t => {
	const shelf = openShelf<{digest: string}>(25);
	const [a, b] = [shelf.put(listOf('a'), 10), shelf.put(listOf('b'), 10)];
	t.truthy(shelf.get(a));
	const c = shelf.put(listOf('c'), 10);
	t.deepEqual([shelf.get(a) !== undefined, shelf.get(b) !== undefined, shelf.get(c) !== undefined], [true, false, true]);
	const large = shelf.put(listOf('d'), 1_000);
	t.truthy(shelf.get(large), 'whoever asked for it has to find it');
	t.is(shelf.get(c), undefined);
});

test.serial('sessions that saw the same list share it, and each calls what it saw', async t => {
	const tools = Array.from({length: 100}, (_, index) => ({
		name: `t${index}`,
		description: 'x'.repeat(1_000),
		inputSchema: {type: 'object'},
	}));
	const server = await hostileServer(t, {tools: ({session}: {session: string}) => (session === 's3' ? [{name: 'other'}] : tools)});
	const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
	const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
	const call = async (session: string, method: string, params: object = {}) =>
		wire.send({jsonrpc: '2.0', id: 1, method, params}, {'mcp-session-id': session});
	const sessions = await Promise.all(Array.from({length: 3}, () => wire.begin()));
	for (const session of sessions) await call(session, 'tools/list');
	const said = await Promise.all(sessions.map(session => call(session, 'tools/call', {name: 't7'})));
	t.deepEqual(said.map(wordsOf).sort(), ['', 'did t7', 'did t7']);
	t.is(server.calls.length, 2);
	t.is(server.seen.filter(({rpc}) => rpc.method === 'tools/list').length, 3, 'a call asks for no list again');
});
