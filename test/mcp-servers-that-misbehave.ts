import {readFileSync, writeFileSync} from 'node:fs';
import type {ServerResponse} from 'node:http';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {folderOf} from './helpers/mcp-servers.ts';
import {hostileUpstream, type Mischief} from './helpers/mcp-upstream.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const secret = 'the-gateways-own-secret';

const overHttp = async (t: ExecutionContext, mischief: Mischief, tools?: unknown) => {
	const upstream = await hostileUpstream(t, mischief, tools);
	const gateway = await startGateway(t, {
		servers: {one: {url: upstream.url, bearer: secret, timeoutMs: 600}},
		limits: {replyMb: 0.2},
	});
	return {gateway, upstream, wire: wireTo(`${gateway.url}/mcp/one`, await gateway.key())};
};

const json = (res: ServerResponse, body: unknown) =>
	res.writeHead(200, {'content-type': 'application/json'}).end(typeof body === 'string' ? body : JSON.stringify(body));
const events = (res: ServerResponse) => res.writeHead(200, {'content-type': 'text/event-stream'});
const result = {content: [{type: 'text', text: 'fine'}]};

const mischiefs: Record<string, {mischief: Mischief; code: string}> = {
	'answers another id': {mischief: (_, res) => json(res, {jsonrpc: '2.0', id: 999, result}), code: 'upstream_malformed'},
	'answers its id as text': {mischief: ({id}, res) => json(res, {jsonrpc: '2.0', id: String(id), result}), code: 'upstream_malformed'},
	'says a key twice': {
		mischief: ({id}, res) => json(res, `{"jsonrpc":"2.0","id":${id},"result":{},"result":{"content":[]}}`),
		code: 'upstream_malformed',
	},
	'answers something else than JSON': {mischief: (_, res) => json(res, '<html>'), code: 'upstream_malformed'},
	'repeats the gateway’s credential': {
		mischief: ({id}, res) => json(res, {jsonrpc: '2.0', id, result: {content: [{type: 'text', text: `it is ${secret}`}]}}),
		code: 'upstream_malformed',
	},
	'redirects to the metadata of a cloud': {
		mischief: (_, res) => res.writeHead(307, {location: 'http://169.254.169.254/latest/meta-data'}).end(),
		code: 'upstream_malformed',
	},
	'answers with a megabyte': {
		mischief: ({id}, res) => json(res, {jsonrpc: '2.0', id, result: {content: [{type: 'text', text: 'x'.repeat(1_000_000)}]}}),
		code: 'upstream_too_large',
	},
	'does not answer': {mischief: () => undefined, code: 'upstream_timeout'},
	'takes most of its time to begin, and as much to go on': {
		mischief({id}, res) {
			setTimeout(() => {
				res.writeHead(200, {'content-type': 'application/json'}).flushHeaders();
				setTimeout(() => res.end(JSON.stringify({jsonrpc: '2.0', id, result})), 400);
			}, 400);
		},
		code: 'upstream_timeout',
	},
	'drips without an end': {
		mischief: (_, res) => {
			events(res);
			const timer = setInterval(() => res.write(': drip\n\n'), 50);
			res.once('close', () => clearInterval(timer));
		},
		code: 'upstream_timeout',
	},
	'streams notices without an end': {
		mischief: (_, res) => {
			events(res);
			const notice = `data: ${JSON.stringify({jsonrpc: '2.0', method: 'notifications/message', params: {data: 'x'.repeat(50_000)}})}\n\n`;
			const timer = setInterval(() => res.write(notice), 2);
			res.once('close', () => clearInterval(timer));
		},
		code: 'upstream_too_large',
	},
	'closes its stream unanswered': {mischief: (_, res) => events(res).end(': bye\n\n'), code: 'upstream_failed'},
	'does not accept the gateway': {mischief: (_, res) => res.writeHead(401).end(), code: 'upstream_refused'},
	'breaks off': {mischief: (_, res) => res.destroy(), code: 'upstream_failed'},
};

for (const [what, {mischief, code}] of Object.entries(mischiefs)) {
	test.serial(`a server that ${what} is an error that says ${code}`, async t => {
		const {gateway, wire} = await overHttp(t, mischief);
		const {status, body} = await wire.call('act');
		t.is(status, 200);
		t.is(body.error?.data?.code, code, JSON.stringify(body));
		t.false(JSON.stringify(body).includes(secret));
		const record = (await gateway.journal()).find(({operation, kind}) => operation === 'tools/call' && kind === 'exchange');
		t.like(record, {outcome: 'failed', error: {code}});
		t.like((await wire.ask('tools/list')).body, {result: {tools: [{name: 'act'}]}}, 'it is asked again');
	});
}

test.serial('a list without an end is an error, and a name that comes twice is there once', async t => {
	let page = 0;
	const endless = (rpc: {id: number}) => ({jsonrpc: '2.0', id: rpc.id, result: {tools: [{name: `t${page}`}], nextCursor: `c${page++}`}});
	const one = await overHttp(t, () => undefined, endless);
	t.is((await one.wire.ask('tools/list')).body.error?.data?.code, 'upstream_too_large');
	const two = await overHttp(t, () => undefined, [
		{name: 'act', description: 'first'},
		{name: 'act', description: 'second'},
		{name: 7},
		'x',
	]);
	t.deepEqual((await two.wire.ask('tools/list')).body.result?.tools, [{name: 'act', description: 'first'}]);
});

test.serial('an empty cursor is none, of a server and of a client', async t => {
	const last = (rpc: {id: number}) => ({jsonrpc: '2.0', id: rpc.id, result: {tools: [{name: 'act'}], nextCursor: ''}});
	const {wire} = await overHttp(t, () => undefined, last);
	for (const params of [{}, {cursor: ''}, {cursor: null}])
		t.deepEqual((await wire.ask('tools/list', params)).body.result?.tools, [{name: 'act'}], JSON.stringify(params));
	t.is((await wire.ask('tools/list', {cursor: 'c1'})).body.error?.code, -32602);
});

test.serial('a session that the server forgot is begun again, and the call is made once', async t => {
	let forgotten = true;
	const {wire, upstream} = await overHttp(t, ({id}, res) => {
		if (!forgotten) return json(res, {jsonrpc: '2.0', id, result});
		forgotten = false;
		return res.writeHead(404).end();
	});
	t.deepEqual((await wire.call('act')).body.result?.content, result.content);
	t.is(upstream.seen.filter(({rpc}) => rpc?.method === 'initialize').length, 2);
	t.is(upstream.seen.filter(({rpc}) => rpc?.method === 'tools/call').length, 2);
});

test.serial(
	'calls at once in a session that the server forgot are each made once in the next one, however late they hear of it',
	async t => {
		let hasForgotten = false;
		const late: (() => void)[] = [];
		const server = await hostileServer(t, {
			raw({id, method}, res, {headers}) {
				if (!hasForgotten) return false;
				const forgets = () => void res.writeHead(404).end();
				if (method === 'initialize') {
					for (const forget of late) forget();
					const hello = {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 's', version: '1'}};
					const answer = JSON.stringify({jsonrpc: '2.0', id, result: hello});
					setTimeout(() => res.writeHead(200, {'content-type': 'application/json', 'mcp-session-id': 'next'}).end(answer), 100);
					return true;
				}
				if (method !== 'tools/call' || headers['mcp-session-id'] === 'next') return false;
				if (late.push(forgets) === 5) late.shift()!();
				return true;
			},
		});
		const gateway = await startGateway(t, {servers: {one: {url: server.url}}});
		const wire = wireTo(`${gateway.url}/mcp/one`, await gateway.key());
		await wire.call('act');
		hasForgotten = true;
		const said = await Promise.all(Array.from({length: 5}, () => wire.call('act')));
		t.deepEqual(said.map(wordsOf), Array(5).fill('did act'));
		t.is(server.calls.length, 1 + 5);
		t.is(server.seen.filter(({rpc}) => rpc.method === 'initialize').length, 2);
	},
);

test.serial('a client that leaves ends the call at the server', async t => {
	let ended: (() => void) | undefined;
	const over = new Promise<void>(resolve => {
		ended = resolve;
	});
	let began: (() => void) | undefined;
	const begun = new Promise<void>(resolve => {
		began = resolve;
	});
	const {gateway, upstream, wire} = await overHttp(t, (_, res) => {
		res.once('close', () => ended?.());
		began?.();
	});
	const key = await gateway.key();
	const session = await wireTo(`${gateway.url}/mcp/one`, key).begin();
	const leaving = new AbortController();
	const headers = {authorization: `Bearer ${key}`, 'mcp-session-id': session, 'content-type': 'application/json'};
	const body = JSON.stringify({jsonrpc: '2.0', id: 1, method: 'tools/call', params: {name: 'act'}});
	const call = fetch(`${gateway.url}/mcp/one`, {method: 'POST', headers, body, signal: leaving.signal});
	await begun;
	leaving.abort();
	await t.throwsAsync(call);
	await over;
	// It has been answered since, so the notice has come.
	await wire.ask('tools/list');
	t.true(upstream.seen.some(({rpc}) => rpc?.method === 'notifications/cancelled'));
});

const script = (does: string): string => `
import {createInterface} from 'node:readline';
import {appendFileSync} from 'node:fs';
appendFileSync('starts', process.pid + '\\n');
const say = message => process.stdout.write(JSON.stringify({jsonrpc: '2.0', ...message}) + '\\n');
const lines = createInterface({input: process.stdin});
for await (const line of lines) {
	const {id, method, params} = JSON.parse(line);
	if (method === 'initialize') say({id, result: {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 's', version: '1'}}});
	else if (method === 'tools/list') say({id, result: {tools: [{name: 'act', inputSchema: {type: 'object'}}]}});
	else if (method === 'tools/call') { ${does} }
}
`;

const overStdio = async (t: ExecutionContext, does: string, env: Record<string, string> = {}) => {
	const folder = folderOf(t, {'server.mjs': script(does)});
	const gateway = await startGateway(t, {
		servers: {
			one: {stdio: {command: '/bin/sh', args: ['-c', `cd ${folder} && exec ${process.execPath} server.mjs`], env}, timeoutMs: 3_000},
		},
		limits: {replyMb: 0.2},
	});
	const starts = () => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n').map(Number);
	return {folder, gateway, starts, wire: wireTo(`${gateway.url}/mcp/one`, await gateway.key())};
};

const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};

const fine = "say({id, result: {content: [{type: 'text', text: 'fine'}]}});";

test.serial('junk on stdout and a flood on stderr do not disturb a server over stdio', async t => {
	const junk = String.raw`
		process.stdout.write('Starting…\n{"jsonrpc":"2.0"\n[]\nnull\n{}\n{"jsonrpc":"2.0","id":1,"id":2,"result":{}}\n\n');
		say({id: 4242, result: {}}); say({id: 'x', error: {code: 1, message: 'x'}}); say({id: 99, method: 'sampling/createMessage', params: {}});
		process.stderr.write('x'.repeat(5_000_000));`;
	const {wire} = await overStdio(t, junk + fine);
	for (let round = 0; round < 3; round++) t.deepEqual((await wire.call('act')).body.result?.content, [{type: 'text', text: 'fine'}]);
});

test.serial('a server over stdio sees the environment that is named, and nothing else', async t => {
	const {wire} = await overStdio(t, "say({id, result: {content: [{type: 'text', text: JSON.stringify(process.env)}]}});", {TOKEN: 'named'});
	const {PWD: _, OLDPWD: __, SHLVL: ___, _: ____, ...env} = JSON.parse(wordsOf(await wire.call('act'))) as Record<string, string>;
	t.deepEqual(env, {TOKEN: 'named'});
});

test.serial('a server over stdio that ends fails the call, and is started again after a pause', async t => {
	const {wire, starts} = await overStdio(t, 'process.exit(3);');
	t.is((await wire.call('act')).body.error?.data?.code, 'upstream_failed');
	const {body} = await wire.call('act');
	t.is(body.error?.data?.code, 'upstream_unreachable');
	t.true(Number(body.error?.data?.retryAfterMs) > 0);
	t.is(starts().length, 1);
	while ((await wire.ask('tools/list')).body.error) await new Promise(resolve => setTimeout(resolve, 50));
	t.is(starts().length, 2);
});

test.serial('a message that is too large ends a server over stdio', async t => {
	const {wire} = await overStdio(t, "process.stdout.write('x'.repeat(500_000));");
	t.is((await wire.call('act')).body.error?.data?.code, 'upstream_failed');
});

test.serial('a server over stdio ends with the gateway, and its children with it', async t => {
	const {wire, gateway, starts, folder} = await overStdio(
		t,
		`const {spawn} = await import('node:child_process');
		const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'], {stdio: 'ignore'});
		say({id, result: {content: [{type: 'text', text: String(child.pid)}]}});`,
	);
	const child = Number(wordsOf(await wire.call('act')));
	const pids = [...starts(), child];
	t.true(pids.every(isAlive));
	writeFileSync(join(folder, 'done'), '');
	await gateway.stop();
	const until = performance.now() + 3_000;
	while (pids.some(isAlive) && performance.now() < until) await new Promise(resolve => setTimeout(resolve, 20));
	t.deepEqual(pids.filter(isAlive), []);
});
