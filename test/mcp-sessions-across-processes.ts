import test from 'ava';
import type {GatewayConfigInput} from '../schemas/config.ts';
import {startUpstream} from './conformance/upstream.ts';
import {startGateway} from './helpers/gateway.ts';
import {temporaryFolder} from './helpers/temporary-store.ts';

test('two processes on one store share a session: an answer given to one reaches the other, and an end at one is an end at both', async t => {
	const upstream = await startUpstream('legacy');
	t.teardown(upstream.close);
	const folder = await temporaryFolder(t);
	const config: GatewayConfigInput = {servers: {s: {url: upstream.url, asks: ['elicitation']}}, plugins: [], anonymous: true};
	const one = await startGateway(t, {...config, journal: {folder: `${folder}/one`}}, {folder});
	const two = await startGateway(t, {...config, journal: {folder: `${folder}/two`}, store: `${folder}/store.db`}, {folder});
	const [here, there] = [`${one.url}/mcp/s`, `${two.url}/mcp/s`];
	const headers = {'content-type': 'application/json', accept: 'application/json, text/event-stream'};
	const hello = {protocolVersion: '2025-11-25', capabilities: {elicitation: {}}, clientInfo: {name: 'test', version: '1'}};
	const post = (url: string, body: object, session?: string) =>
		fetch(url, {
			method: 'POST',
			headers: session === undefined ? headers : {...headers, 'mcp-session-id': session},
			body: JSON.stringify({jsonrpc: '2.0', ...body}),
		});
	const session = (await post(here, {id: 1, method: 'initialize', params: hello})).headers.get('mcp-session-id') ?? '';

	const called = await post(
		here,
		{id: 2, method: 'tools/call', params: {name: 'test_input_required_result_elicitation', arguments: {}}},
		session,
	);
	const reader = called.body!.pipeThrough(new TextDecoderStream()).getReader();
	let heard = '';
	const until = async (pattern: RegExp): Promise<string> => {
		for (;;) {
			const found = pattern.exec(heard)?.[1];
			if (found !== undefined) return found;
			const {value, done} = await reader.read();
			if (done) throw new Error(`it ended: ${heard}`);
			heard += value;
		}
	};
	const id = await until(/"id":"([^"]+)","method":"elicitation\/create"/);
	t.is((await post(there, {id, result: {action: 'accept', content: {name: 'Ada'}}}, session)).status, 202);
	t.is(await until(/"text":"(Thank you\.)"/), 'Thank you.');

	const ended = await fetch(there, {method: 'DELETE', headers: {'mcp-session-id': session}});
	t.is(ended.status, 200);
	const status = async () => (await post(here, {id: 3, method: 'ping'}, session)).status;
	for (let tries = 0; tries < 50 && (await status()) !== 404; tries++) await new Promise(resolve => setTimeout(resolve, 40));
	t.is(await status(), 404);
});
