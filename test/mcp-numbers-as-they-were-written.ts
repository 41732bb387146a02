import test, {type ExecutionContext} from 'ava';
import {type Asking, type Server, startLetters as start, unquoted} from './helpers/mcp-letters.ts';
import {odd, programToTheLetter, serverToTheLetter} from './helpers/mcp-server-to-the-letter.ts';

const longId = '12345678901234567890';

const kinds: Record<string, (t: ExecutionContext) => Promise<Server>> = {
	'streamable HTTP with sessions': async t => ({url: `${(await serverToTheLetter(t)).origin}/mcp`}),
	'streamable HTTP without sessions': async t => ({url: `${(await serverToTheLetter(t, {isStateless: true})).origin}/mcp`}),
	'HTTP+SSE': async t => ({url: `${(await serverToTheLetter(t)).origin}/sse`}),
	stdio: async () => ({stdio: programToTheLetter}),
};

for (const [kind, serverOf] of Object.entries(kinds))
	for (const era of ['a session', 'none'])
		test(`numbers travel as they were written, with a client of ${era} and a server over ${kind}`, async t => {
			const {ask, begin} = await start(t, await serverOf(t));
			const session = era === 'none' ? undefined : await begin();
			const has = (answer: string, ...parts: string[]) => {
				for (const part of parts) t.true(unquoted(answer).includes(part), `${part} is not in ${answer}`);
			};
			const asking = (name: string): Asking => ({name, ...(session !== undefined && {session})});

			const headers = {'mcp-param-account': '1234567890123456789'};
			const called = await ask(longId, 'tools/call', `"name":"act","arguments":${odd}`, {...asking('act'), headers});
			has(called, `"id":${longId},`, `"structuredContent":${odd}`, `"arguments":${odd}`, `"own":${odd}`);
			t.is(unquoted(called).split(`"own":${odd}`).length, 3, called);
			has(await ask('1', 'resources/read', '"uri":"file:///a"', asking('file:///a')), `"text":"{`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'prompts/get', `"name":"ask","arguments":${odd}`, asking('ask')), `"arguments":${odd}`, `"_meta":{"own":${odd}`);
			has(await ask('1', 'tools/list', '"more":1', asking('')), `"default":${odd}`);
			has(await ask('1', 'prompts/list', '"more":1', asking('')), `"own":${odd}`);
			has(await ask('1', 'resources/list', '"more":1', asking('')), `"own":${odd}`);
		});

const mine = '{"n":1234567890123456789,"m":2.50}';
const question = '"default":1.10,"maximum":12345678901234567890';

/** A server that may ask, and a client of sessions or of none. */
const asking = async (t: ExecutionContext, {isStateless}: {isStateless: boolean}) =>
	start(t, {url: `${(await serverToTheLetter(t, {isStateless})).origin}/mcp`, asks: ['elicitation']});

for (const isStateless of [false, true]) {
	const server = isStateless ? 'without sessions' : 'with sessions';
	test(`a server ${server} asks a client with a session, and both read what the other wrote`, async t => {
		const {post, begin, gateway, key} = await asking(t, {isStateless});
		const headers = {'mcp-session-id': await begin()};
		const response = await fetch(`${gateway.url}/mcp/one`, {
			method: 'POST',
			headers: {
				...headers,
				authorization: `Bearer ${key}`,
				'content-type': 'application/json',
				accept: 'application/json, text/event-stream',
			},
			body: `{"jsonrpc":"2.0","id":${longId},"method":"tools/call","params":{"name":"ask","arguments":{}}}`,
		});
		let heard = '';
		let isAnswered = false;
		for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
			heard += chunk;
			const [, id] = /"id":("[^"]+"),"method":"elicitation/.exec(heard) ?? [];
			if (id === undefined || isAnswered) continue;
			isAnswered = true;
			await post(`{"jsonrpc":"2.0","id":${id},"result":{"action":"accept","content":${mine}}}`, headers);
		}
		t.true(heard.includes(question), heard);
		t.true(unquoted(heard).includes(`"content":${mine}`), heard);
		t.true(heard.includes(`"id":${longId},"result"`), heard);
	});

	test(`a server ${server} asks a client without one, and both read what the other wrote`, async t => {
		const {ask} = await asking(t, {isStateless});
		const call = (more = '') => ask('1', 'tools/call', `"name":"ask","arguments":${odd}${more}`, {name: 'ask', offers: '"elicitation":{}'});
		const asked = await call();
		t.true(asked.includes(question), asked);
		const [, state] = /"requestState":("[^"]+")/.exec(asked) ?? [];
		const [, name] = /"inputRequests":\{("[^"]+")/.exec(asked) ?? [];
		const answer = await call(`,"requestState":${state},"inputResponses":{${name}:{"action":"accept","content":${mine}}}`);
		t.true(unquoted(answer).includes(`"content":${mine}`), answer);
	});
}

test('progress has the numbers and the token that they were written with', async t => {
	for (const path of ['/mcp', '/sse']) {
		const {post, begin} = await start(t, {url: `${(await serverToTheLetter(t)).origin}${path}`});
		const params = `{"name":"act","arguments":{},"_meta":{"progressToken":${longId}}}`;
		const session = await begin();
		const {text} = await post(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`, {'mcp-session-id': session});
		t.true(text.includes(`"progressToken":${longId},"progress":1.10,"total":12345678901234567890`), text);
	}
});

test('each message of a batch is answered under the id that it was written with', async t => {
	const {post, begin} = await start(t, {url: `${(await serverToTheLetter(t)).origin}/mcp`});
	const ids = ['1.0', '-0', longId, '98765432109876543210', '1e2'];
	const calls = ids.map(id => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"act","arguments":${mine}}}`);
	const {text} = await post(`[${calls.join()}]`, {'mcp-session-id': await begin('2025-03-26')});
	t.deepEqual(
		[...text.matchAll(/"jsonrpc":"2.0","id":([^,]+),"result"/g)].map(([, id]) => id),
		ids,
	);
	t.is(unquoted(text).split(`"arguments":${mine}`).length, ids.length + 1);
	const {text: refused} = await post(`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, {'mcp-session-id': await begin()});
	t.regex(refused, /"id":null.*id is neither/);
});

test('a number that is larger than a double can hold is refused, as it always was', async t => {
	const {post, begin} = await start(t, {stdio: programToTheLetter});
	const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"act","arguments":{"n":1e400}}}';
	const {status, text} = await post(body, {'mcp-session-id': await begin()});
	t.is(status, 400);
	t.regex(text, /larger than a double/);
});

test('servers beside each other are told apart at the common door, to the letter', async t => {
	const {common} = await start(t, {stdio: programToTheLetter});
	const session = await common.begin();
	const answer = unquoted(await common.ask(longId, 'tools/call', `"name":"one__act","arguments":${odd}`, {session}));
	for (const part of [`"id":${longId},`, `"structuredContent":${odd}`, `"arguments":${odd}`]) t.true(answer.includes(part), answer);
});

test('a header that repeats a number says it digit by digit, and no other number', async t => {
	const {origin, accounts} = await serverToTheLetter(t, {isStateless: true});
	const {ask} = await start(t, {url: `${origin}/mcp`});
	const call = (account: string) =>
		ask('1', 'tools/call', `"name":"act","arguments":${odd}`, {name: 'act', headers: {'mcp-param-account': account}});
	t.regex(await call('1234567890123456790'), /^400 .*-32020/);
	t.regex(await call('1234567890123456789'), /structuredContent/);
	t.deepEqual(accounts, ['1234567890123456789']);
});

test('a request under a long id is cancelled by that id, and by no id next to it', async t => {
	const {gateway, key, post, begin} = await asking(t, {isStateless: false});
	const headers = {'mcp-session-id': await begin()};
	const response = await fetch(`${gateway.url}/mcp/one`, {
		method: 'POST',
		headers: {...headers, authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream'},
		body: `{"jsonrpc":"2.0","id":${longId},"method":"tools/call","params":{"name":"ask","arguments":{}}}`,
	});
	const cancel = (id: string) => post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`, headers);
	let heard = '';
	for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
		heard += chunk;
		if (!chunk.includes('elicitation/create')) continue;
		await cancel('12345678901234567891');
		t.is(gateway.gateway.mcp.running.size, 1);
		await cancel(longId);
	}
	t.regex(heard, /client_closed/);
	t.is(gateway.gateway.mcp.running.size, 0);
});
