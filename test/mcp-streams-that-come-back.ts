import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {listenOn, standingUpstream} from './helpers/mcp-standing-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {until} from './helpers/store-engines.ts';

const start = async (t: ExecutionContext) => {
	const upstream = await standingUpstream(t);
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}});
	const key = await gateway.key();
	const url = `${gateway.url}/mcp/one`;
	const wire = wireTo(url, key);
	const session = {'mcp-session-id': await wire.begin()};
	const stands = () => until(t, () => upstream.streams.size > 0, 'the stream of the server');
	return {upstream, wire, session, stands, listen: () => listenOn(t, url, key, session)};
};

const changed = {method: 'notifications/tools/list_changed'};

for (const status of [502, 503])
	test(`a stream that a server refused with ${status} once is asked for again`, async t => {
		const {upstream, listen, stands} = await start(t);
		upstream.failing.push(status);
		const heard = await listen();
		await stands();
		upstream.say(changed);
		await until(t, () => heard.text.includes(changed.method), 'the change');
		t.is(upstream.gets(), 2);
	});

test('a server that has no such path, and knows the session, keeps it', async t => {
	const {upstream, listen} = await start(t);
	upstream.failing.push(404);
	await listen();
	await until(t, () => upstream.asked.some(({method}) => method === 'ping'), 'the question whether it knows the session');
	t.is(upstream.asked.filter(({method}) => method === 'initialize').length, 1);
});

test('a server that has no stream is not asked again', async t => {
	const {upstream, listen} = await start(t);
	upstream.failing.push(405);
	await listen();
	await until(t, () => upstream.gets() === 1, 'the first try');
	await new Promise(resolve => setTimeout(resolve, 800));
	t.is(upstream.gets(), 1);
});

test('after a restart of its server a client hears of changes, and of the resources that it asked about', async t => {
	const {upstream, wire, session, listen, stands} = await start(t);
	await wire.send({jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: {uri: 'note://mine'}}, session);
	const subscribed = () => upstream.asked.filter(({method}) => method === 'resources/subscribe').length;
	const heard = await listen();
	await stands();
	await until(t, () => subscribed() > 0, 'the subscription');
	const before = subscribed();
	upstream.forget();
	await until(t, () => upstream.streams.size === 0, 'the end of the stream');
	await stands();
	await until(t, () => subscribed() > before, 'the subscription made again');
	upstream.say({method: 'notifications/resources/updated', params: {uri: 'note://mine'}});
	await until(t, () => heard.text.includes('note://mine'), 'the change');
	t.is(upstream.asked.filter(({method}) => method === 'initialize').length, 2);
});
