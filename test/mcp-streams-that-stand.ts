import test, {type ExecutionContext} from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {listenOn, standingUpstream} from './helpers/mcp-standing-upstream.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {until} from './helpers/store-engines.ts';

const granting = {use: 'grants', config: {allow: {'tenant:acme': {servers: ['one'], tools: ['*'], resources: ['*']}}}};

/** A client with a session and its stream, and a server behind it that says what it likes. */
const start = async (t: ExecutionContext, {plugins = [granting], ...overrides}: GatewayConfigInput = {}, door = '/mcp/one') => {
	const upstream = await standingUpstream(t);
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url, resultMb: 0.05}},
		plugins: [{use: 'virtual-keys'}, ...plugins],
		...overrides,
	});
	const key = (await gateway.act('virtual-keys', 'create', {tenant: 'acme'})) as {id: string; key: string};
	const url = `${gateway.url}${door}`;
	const wire = wireTo(url, key.key);
	const session = {'mcp-session-id': await wire.begin()};
	const listen = () => listenOn(t, url, key.key, session);
	const stands = () => until(t, () => upstream.streams.size > 0, 'the stream of the server');
	return {upstream, gateway, key, wire, session, listen, stands};
};

const messagesIn = ({text}: {text: string}) => [...text.matchAll(/^data: (.+)$/gm)].map(([, json]) => JSON.parse(json!) as object);
const later = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

const changed = {method: 'notifications/tools/list_changed'};

test.serial(
	'a stream at the door of a server that is not granted is refused, on the record, and the server is asked for nothing',
	async t => {
		const upstream = await standingUpstream(t);
		const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}, plugins: [{use: 'virtual-keys'}, granting]});
		const heard = await listenOn(t, `${gateway.url}/mcp/one/sse`, await gateway.key({tenant: 'elsewhere'}), {});
		t.is(heard.status, 403);
		await until(t, () => heard.isOver, 'the end of the refusal');
		t.regex(heard.text, /The server .*one.* is not granted to this key/);
		t.deepEqual(upstream.asked, []);
		t.is(upstream.gets(), 0);
		const [record] = (await gateway.journal()).filter(({kind, operation}) => kind === 'exchange' && operation === 'stream');
		t.like(record, {outcome: 'denied', server: 'one', error: {code: 'denied', plugin: 'grants'}});
	},
);

test.serial('a session whose grant has ended opens no stream any more, and one that stands is silent', async t => {
	const {upstream, gateway, listen, stands} = await start(t);
	const heard = await listen();
	await stands();
	upstream.say(changed);
	await until(t, () => messagesIn(heard).length === 1, 'one notice');
	await gateway.act('grants', 'revoke', {scope: 'tenant:acme'});
	t.is((await listen()).status, 403);
	upstream.say({...changed, method: 'notifications/prompts/list_changed'});
	await later(300);
	t.deepEqual(messagesIn(heard), [{jsonrpc: '2.0', ...changed}]);
});

test.serial('no word of a server’s reaches a client on its stream where words are guarded', async t => {
	const words = {use: 'word-list', config: {words: ['falcon'], action: 'deny'}};
	const {upstream, listen, wire, session, stands} = await start(t, {plugins: [granting, words]});
	t.deepEqual(
		(await wire.send({jsonrpc: '2.0', id: 1, method: 'resources/subscribe', params: {uri: 'note://mine'}}, session)).body.result,
		{},
	);
	const heard = await listen();
	await stands();
	upstream.say({method: 'notifications/tools/list_changed', params: {_meta: {say: 'falcon'}, say: 'falcon'}});
	upstream.say({method: 'notifications/resources/updated', params: {uri: 'note://falcon', title: 'falcon'}});
	upstream.say({method: 'notifications/message', params: {level: 'error', logger: 'falcon', data: 'falcon'}});
	upstream.say({method: 'notifications/falcon', params: {falcon: 'falcon'}});
	upstream.say({id: 7, method: 'elicitation/create', params: {message: 'falcon', requestedSchema: {type: 'object', properties: {}}}});
	upstream.say({method: 'notifications/resources/updated', params: {uri: 'note://mine', title: 'falcon'}});
	await until(t, () => messagesIn(heard).length === 2, 'two notices');
	await later(200);
	t.deepEqual(messagesIn(heard), [
		{jsonrpc: '2.0', ...changed},
		{jsonrpc: '2.0', method: 'notifications/resources/updated', params: {uri: 'note://mine'}},
	]);
	t.like(
		upstream.asked.find(({id}) => id === 7),
		{error: {code: -32601}},
		'and what it asks there is refused',
	);
});

test.serial(
	'where nobody guards words, a log line goes on, and the change of a resource that the client did not ask about does not',
	async t => {
		const {upstream, listen, stands} = await start(t);
		const heard = await listen();
		await stands();
		upstream.say({method: 'notifications/resources/updated', params: {uri: 'note://not-mine'}});
		const line = {method: 'notifications/message', params: {level: 'error', data: 'a line'}};
		upstream.say(line);
		await until(t, () => messagesIn(heard).length >= 1, 'a line');
		t.deepEqual(messagesIn(heard), [{jsonrpc: '2.0', ...line}]);
	},
);

test.serial('a server that says the same over and over is heard a few times a second, and the last time too', async t => {
	const {upstream, listen, stands} = await start(t);
	const heard = await listen();
	await stands();
	for (let count = 0; count < 400; count++) {
		upstream.say(changed);
		if (count % 50 === 0) await later(10);
	}
	await until(t, () => messagesIn(heard).length >= 2, 'the last notice');
	await later(500);
	const {length} = messagesIn(heard);
	t.true(length >= 2 && length <= 20, `${length} of 400`);
});

test.serial('a stream on which a server writes without an end is closed', async t => {
	const {upstream, listen, stands, wire} = await start(t);
	await listen();
	await stands();
	const [stream] = upstream.streams;
	let bytes = 0;
	const event = `data: ${JSON.stringify({jsonrpc: '2.0', method: 'notifications/message', params: {level: 'error', data: 'x'.repeat(8_000)}})}\n\n`;
	const timer = setInterval(() => {
		for (let count = 0; count < 4; count++) if (!stream!.destroyed && stream!.write(event)) bytes += event.length;
	}, 1);
	t.teardown(() => clearInterval(timer));
	await until(t, () => stream!.destroyed, 'the end of the flood');
	clearInterval(timer);
	t.true(bytes < 20_000_000, `${bytes} bytes were taken`);
	t.is((await wire.ask('tools/list')).status, 200);
});

test.serial('a key that has ended hears nothing more', async t => {
	const {upstream, gateway, key, listen, stands} = await start(t);
	const heard = await listen();
	await stands();
	await gateway.act('virtual-keys', 'revoke', {id: key.id});
	await later(400);
	upstream.say(changed);
	await until(t, () => heard.isOver, 'the end of the stream');
	t.deepEqual(messagesIn(heard), []);
});
