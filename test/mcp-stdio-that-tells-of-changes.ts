import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {folderOf, statelessClient} from './helpers/mcp-servers.ts';
import {listenOn} from './helpers/mcp-standing-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {until} from './helpers/store-engines.ts';

/** With sessions: it tells of a resource that it was asked about, and may end. */
const program = `
import {createInterface} from 'node:readline';
import {appendFileSync} from 'node:fs';
const say = message => process.stdout.write(JSON.stringify({jsonrpc: '2.0', ...message}) + '\\n');
const subscribed = new Set();
createInterface({input: process.stdin}).on('line', line => {
	const {id, method, params} = JSON.parse(line);
	appendFileSync('asked', method + '\\n');
	const capabilities = {tools: {}, resources: {subscribe: true}};
	if (id === undefined) return;
	if (method === 'initialize') return say({id, result: {protocolVersion: '2025-11-25', capabilities, serverInfo: {name: 's', version: '1'}}});
	if (method === 'tools/list') return say({id, result: {tools: ['change', 'end'].map(name => ({name, inputSchema: {type: 'object'}}))}});
	if (method === 'resources/subscribe') subscribed.add(params.uri);
	if (method === 'resources/unsubscribe') subscribed.delete(params.uri);
	if (params.name === 'end') process.exit(1);
	const {uri} = params.arguments ?? {};
	if (subscribed.has(uri)) say({method: 'notifications/resources/updated', params: {uri}});
	say({id, result: {content: []}});
});`;

const withSessions = (t: ExecutionContext) => {
	const folder = folderOf(t, {'server.mjs': program, asked: ''});
	const stdio = {command: '/bin/sh', args: ['-c', `cd ${folder} && exec ${process.execPath} server.mjs`]};
	const asked = (method: string): number =>
		readFileSync(join(folder, 'asked'), 'utf8')
			.split('\n')
			.filter(line => line === method).length;
	return {stdio, asked};
};
const stateless = {command: process.execPath, args: [join(import.meta.dirname, 'helpers', 'stateless-mcp-program.ts')]};

const [mine, other] = ['note://mine', 'note://other'];

for (const era of ['with sessions', 'without'] as const)
	test(`a server over stdio ${era} tells of the resources that are watched, and again after it has ended`, async t => {
		const stdio = era === 'without' ? stateless : withSessions(t).stdio;
		const gateway = await startGateway(t, {servers: {one: {stdio}}});
		const key = await gateway.key();
		const url = `${gateway.url}/mcp/one`;
		const wire = wireTo(url, key);
		const heard: string[] = [];
		const client = await statelessClient(t, url, key);
		client.setNotificationHandler('notifications/resources/updated', ({params}) => void heard.push(params.uri));
		const first = await client.listen({resourceSubscriptions: [mine]});
		const second = await client.listen({resourceSubscriptions: [mine, other]});
		const changed = async (): Promise<string[]> => {
			heard.length = 0;
			for (const uri of ['note://nobodys', mine, other]) await wire.call('change', {uri});
			await until(t, () => heard.includes(other), 'the last of them');
			await new Promise(resolve => setTimeout(resolve, 200));
			return [...heard].sort();
		};
		t.deepEqual(await changed(), [mine, mine, other]);
		t.is((await wire.call('end')).body.error?.data?.code, 'upstream_failed');
		while ((await wire.ask('tools/list')).body.error) await new Promise(resolve => setTimeout(resolve, 50));
		t.deepEqual(await changed(), [mine, mine, other], 'by another process');
		await first.close();
		t.deepEqual(await changed(), [mine, other]);
		await second.close();
	});

test('a server over stdio is started again for the sake of those who watch its resources, and of nobody else', async t => {
	const {stdio, asked} = withSessions(t);
	const gateway = await startGateway(t, {servers: {one: {stdio}}});
	const key = await gateway.key();
	const url = `${gateway.url}/mcp/one`;
	const wire = wireTo(url, key);
	const client = await statelessClient(t, url, key);
	const lists = await client.listen({toolsListChanged: true});
	await wire.call('end');
	await new Promise(resolve => setTimeout(resolve, 600));
	t.is(asked('initialize'), 1);
	const resources = await client.listen({resourceSubscriptions: [mine]});
	await until(t, () => asked('resources/subscribe') === 1, 'the start for the new watcher');
	await wire.call('end');
	await until(t, () => asked('resources/subscribe') === 2, 'the start after the end');
	t.is(asked('initialize'), 3);
	await lists.close();
	await resources.close();
});

test('a server over stdio is told when nobody hears of a resource any more', async t => {
	const {stdio, asked} = withSessions(t);
	const gateway = await startGateway(t, {servers: {one: {stdio}}});
	const key = await gateway.key();
	const url = `${gateway.url}/mcp/one`;
	const wire = wireTo(url, key);
	const session = {'mcp-session-id': await wire.begin()};
	const heard = await listenOn(t, url, key, session);
	await wire.send({jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: {uri: mine}}, session);
	await until(
		t,
		async () => {
			await wire.call('change', {uri: mine});
			return heard.text.includes(mine);
		},
		'the change',
	);
	await wire.send({jsonrpc: '2.0', id: 2, method: 'resources/unsubscribe', params: {uri: mine}}, session);
	await until(t, () => asked('resources/unsubscribe') > 0, 'the end of it');
	t.is(asked('resources/unsubscribe'), 1);
});
