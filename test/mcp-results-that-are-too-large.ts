import {monitorEventLoopDelay} from 'node:perf_hooks';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {folderOf} from './helpers/mcp-servers.ts';
import {hostileUpstream} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const megabyte = 1_048_576;

/** A server over HTTP whose tool answers with as many bytes as it is asked for, as one message or as an event. */
const overHttp = async (t: ExecutionContext, resultMb?: number) => {
	const upstream = await hostileUpstream(t, ({id, params}, res) => {
		const {bytes, isEvent} = params.arguments as {bytes: number; isEvent?: boolean};
		const body = `{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"${'x'.repeat(bytes)}"}]}}`;
		res.writeHead(200, {'content-type': isEvent ? 'text/event-stream' : 'application/json'});
		res.end(isEvent ? `data: ${body}\n\n` : body);
	});
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url, ...(resultMb !== undefined && {resultMb})}}});
	return wireTo(`${gateway.url}/mcp/one`, await gateway.key());
};

/** A process whose tool does the same, and says how often it was started; its ids stand first, last or deep inside. */
const overStdio = async (t: ExecutionContext) => {
	const folder = folderOf(t, {
		'server.mjs': `
import {createInterface} from 'node:readline';
const say = text => process.stdout.write(text + '\\n');
createInterface({input: process.stdin}).on('line', line => {
	const {id, method, params} = JSON.parse(line);
	const answer = result => say(JSON.stringify({jsonrpc: '2.0', id, result}));
	if (id === undefined) return;
	if (method === 'initialize') return answer({protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 'large', version: '1'}});
	if (method === 'tools/list') return answer({tools: [{name: 'act', inputSchema: {type: 'object'}}]});
	const {bytes, at} = params.arguments;
	const result = JSON.stringify({content: [{type: 'text', text: process.pid + ' ' + 'x'.repeat(bytes)}]});
	if (at === 'last') return say('{"result":' + result + ',"jsonrpc":"2.0","id":' + id + '}');
	if (at === 'deep') return say('{"result":' + result + ',"id":' + id + ',"x":{"id":1}}');
	say('{"jsonrpc":"2.0","id":' + id + ',"result":' + result + '}');
});
`,
	});
	const gateway = await startGateway(t, {
		servers: {one: {stdio: {command: process.execPath, args: [`${folder}/server.mjs`]}, resultMb: 0.1, timeoutMs: 1_500}},
	});
	return wireTo(`${gateway.url}/mcp/one`, await gateway.key());
};

test.serial('a result of more than 4 MB is an error that says which setting it is, unless the config allows for more', async t => {
	const wire = await overHttp(t);
	for (const isEvent of [false, true]) {
		t.is(wordsOf(await wire.call('act', {bytes: 3 * megabyte, isEvent})).length, 3 * megabyte);
		const {error} = (await wire.call('act', {bytes: 5 * megabyte, isEvent})).body;
		t.like(error, {code: -32011, data: {code: 'upstream_too_large', retry: false}});
		t.regex(error!.message, /^A message of the MCP server "one" is larger than 4194304 bytes \(servers\.one\.resultMb\)\.$/);
	}
	const roomy = await overHttp(t, 6);
	t.is(wordsOf(await roomy.call('act', {bytes: 5 * megabyte})).length, 5 * megabyte);
});

test.serial('a server that answers with 30 MB holds up nobody', async t => {
	const wire = await overHttp(t);
	await wire.call('act', {bytes: 10});
	const lateness = monitorEventLoopDelay({resolution: 5});
	lateness.enable();
	const before = process.cpuUsage();
	for (let count = 0; count < 3; count++)
		t.is((await wire.call('act', {bytes: 30 * megabyte})).body.error?.data?.code, 'upstream_too_large');
	lateness.disable();
	const {user} = process.cpuUsage(before);
	t.log(`${(user / 3e3).toFixed(0)} ms of CPU for each, the loop late by ${(lateness.max / 1e6).toFixed(0)} ms at most`);
	// Reading it whole takes 600 ms of the loop; the clock of a machine with other work on it says less than its CPU.
	t.true(user / 3e3 < 450);
});

test.serial('a message of a process that is too large is an error of its own call, and the process goes on', async t => {
	const wire = await overStdio(t);
	const [pid] = wordsOf(await wire.call('act', {bytes: 10})).split(' ');
	for (const at of ['first', 'last']) {
		const calls = [wire.call('act', {bytes: 300_000, at}), wire.call('act', {bytes: 20, at})] as const;
		const [large, small] = await Promise.all(calls);
		t.is(large.body.error?.data?.code, 'upstream_too_large', at);
		t.is(wordsOf(small).split(' ')[0], pid, at);
	}
	t.is((await wire.call('act', {bytes: 300_000, at: 'deep'})).body.error?.data?.code, 'upstream_timeout', 'nobody knows whose it is');
	t.is(wordsOf(await wire.call('act', {bytes: 10})).split(' ')[0], pid);
});
