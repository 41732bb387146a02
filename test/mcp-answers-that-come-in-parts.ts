import test, {type ExecutionContext} from 'ava';
import {client, startAuthorizationServer} from './helpers/authorization-server.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';
import {type Polling, pollingServer} from './helpers/polling-mcp-server.ts';

/** The token that a call came with is taken no more when the rest is asked for. */
const whoseTokenEnds = async (t: ExecutionContext, rest: Pick<Polling, 'rest'>) => {
	const as = await startAuthorizationServer(t);
	const over = new Set<string | undefined>([undefined]);
	const server = await pollingServer(t, {
		...rest,
		takes: authorization => !over.has(authorization),
		onCall: ({headers}) => over.add(headers.authorization),
	});
	const oauth = {grant: 'client_credentials' as const, issuer: as.issuer, ...client};
	const gateway = await startGateway(t, {servers: {one: {url: server.url, oauth}}});
	return {as, server, wire: wireTo(`${gateway.url}/mcp/one`, await gateway.key())};
};

test('a token that ends while the rest of an answer is fetched is renewed for the rest alone: the tool runs once', async t => {
	const {as, server, wire} = await whoseTokenEnds(t, {});
	t.is(wordsOf(await wire.call('act')), 'done');
	t.deepEqual(
		server.seen.filter(asked => asked === 'tools/call' || asked.endsWith('the rest')),
		['tools/call', 'GET the rest'],
	);
	t.is(as.grants.length, 2);
});

test('an answer repeats neither the token that it was asked with nor the one that its rest was', async t => {
	const {server, wire} = await whoseTokenEnds(t, {
		rest(id, res, {headers}) {
			const content = [{type: 'text', text: headers.authorization!.replace('Bearer ', '')}];
			const said = JSON.stringify({jsonrpc: '2.0', id, result: {content}});
			res.writeHead(200, {'content-type': 'text/event-stream'}).end(`data: ${said}\n\n`);
		},
	});
	const {body} = await wire.call('act');
	t.is(body.error?.data?.code, 'upstream_malformed', JSON.stringify(body));
	t.is(server.seen.filter(asked => asked === 'tools/call').length, 1);
});

/** A bound that a busy machine keeps as well, and that a wait without an end does not. */
const soon = 20_000;

for (const [what, polling] of Object.entries<Polling>({
	'has said that there is more and says nothing': {
		rest: (_, res) => {
			setTimeout(() => res.writeHead(200, {'content-type': 'text/event-stream'}).flushHeaders(), 800);
		},
		retryMs: 500,
	},
	'does not take the question for the rest': {rest: () => undefined},
	'wants to be asked for the rest later than anybody waits': {retryMs: 60_000},
	'ends its stream over and over': {
		rest: (id, res) => void res.writeHead(200, {'content-type': 'text/event-stream'}).end(`id: part-${id}\ndata: \n\n`),
	},
}))
	test(`an answer of a server that ${what} is late after the time of an answer`, async t => {
		const server = await pollingServer(t, polling);
		const gateway = await startGateway(t, {servers: {one: {url: server.url, timeoutMs: 1_000}}});
		const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
		const begun = performance.now();
		const {body} = await wire.call('act');
		t.is(body.error?.data?.code, 'upstream_timeout', JSON.stringify(body));
		t.true(performance.now() - begun < soon);
		t.is(server.seen.filter(asked => asked === 'tools/call').length, 1);
	});
