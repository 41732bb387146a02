import test, {type ExecutionContext} from 'ava';
import {startAuthorizationServer} from './helpers/authorization-server.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {type Said, wireTo} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';

const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];

/** Lists everything at a door, as clients of both eras do. */
const listAll = async (url: string, key: string): Promise<Said[]> => {
	const wire = wireTo(url, key);
	const session = {'mcp-session-id': await wire.begin()};
	const said: Said[] = [];
	for (const method of lists) said.push(await wire.ask(method), await wire.send({jsonrpc: '2.0', id: 1, method}, session));
	return said;
};

const namesIn = ({body}: Said): string[] => ((body.result?.tools ?? []) as {name: string}[]).map(({name}) => name);

/** A server of which nobody ever hears an answer. */
const silent = (t: ExecutionContext) =>
	hostileUpstream(
		t,
		() => undefined,
		() => new Promise(() => undefined),
	);

const obliging = (t: ExecutionContext) => hostileUpstream(t, ({id}, res) => void res.end(JSON.stringify({jsonrpc: '2.0', id, result: {}})));

const granting = (servers: string[]) => [
	{use: 'virtual-keys'},
	{use: 'grants', config: {allow: {'tenant:acme': {servers, tools: ['*'], prompts: ['*'], resources: ['*']}}}},
];

test.serial('a server that is not granted hears nothing of a list at the common door, however slow it is', async t => {
	const [mine, theirs] = [await obliging(t), await silent(t)];
	const gateway = await startGateway(t, {
		servers: {mine: {url: mine.url}, theirs: {url: theirs.url}},
		plugins: granting(['mine']),
	});
	const begun = Date.now();
	const said = await listAll(`${gateway.url}/mcp`, await gateway.key({tenant: 'acme'}));
	t.true(Date.now() - begun < 8_000, 'each list would have waited ten seconds for the other server');
	t.deepEqual(theirs.seen, []);
	t.deepEqual(namesIn(said[0]!), ['mine__act']);
	t.false(JSON.stringify(said.map(({body}) => body)).includes('theirs'));
	const records = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && lists.includes(String(operation)));
	t.is(records.length, said.length, 'one list is one record, however many servers it asks');
	t.deepEqual(
		records.map(({annotations}) => (annotations as Record<string, unknown>)['mcp.servers']),
		said.map(() => 'mine'),
	);
	t.true(records.every(({rulings}) => !JSON.stringify(rulings ?? []).includes('deny')));
});

test.serial('no token is asked for at the authorization server of a server that is not granted', async t => {
	const as = await startAuthorizationServer(t);
	const [users, exchanged] = [await protectedServer(t, as), await protectedServer(t, as)];
	const mine = await obliging(t);
	const gateway = await startGateway(t, {
		servers: {
			mine: {url: mine.url},
			users: {url: users.url, oauth: {grant: 'authorization_code', issuer: as.issuer, clientId: 'public'}},
			exchanged: {
				url: exchanged.url,
				oauth: {grant: 'token_exchange', issuer: as.issuer, clientId: 'confidential', clientSecret: 'not-told'},
			},
		},
		plugins: granting(['mine']),
	});
	for (const said of await listAll(`${gateway.url}/mcp`, await gateway.key({tenant: 'acme', user: 'ada'}))) t.is(said.status, 200);
	t.deepEqual([as.asked, as.grants, users.seen, exchanged.seen].flat(), []);
});

test.serial('what was granted since is asked', async t => {
	const [mine, theirs] = [await obliging(t), await obliging(t)];
	const gateway = await startGateway(t, {
		servers: {mine: {url: mine.url}, theirs: {url: theirs.url}},
		plugins: granting([]),
	});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key({tenant: 'acme'}));
	t.deepEqual(namesIn(await wire.ask('tools/list')), []);
	await gateway.act('grants', 'allow', {scope: 'tenant:acme', servers: ['theirs']});
	t.deepEqual(namesIn(await wire.ask('tools/list')), ['theirs__act']);
	t.deepEqual(mine.seen, []);
});

test.serial('a rule that is for one server alone keeps it out of the lists of the common door too', async t => {
	const [mine, theirs] = [await obliging(t), await obliging(t)];
	const gateway = await startGateway(t, {
		servers: {mine: {url: mine.url}, theirs: {url: theirs.url}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: []}}}, when: {server: 'theirs'}}],
	});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key({tenant: 'acme'}));
	t.deepEqual(namesIn(await wire.ask('tools/list')), ['mine__act']);
	t.deepEqual(theirs.seen, []);
});
