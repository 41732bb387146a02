import test from 'ava';
import {startUpstream} from './conformance/upstream.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

test('a key whose clients never come back keeps no server from others: of its calls that wait, the oldest end', async t => {
	const upstream = await startUpstream('legacy');
	t.teardown(() => upstream.close());
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url, asks: ['elicitation']}}});
	const url = `${gateway.url}/mcp/one`;
	const name = 'test_input_required_result_elicitation';
	const meta = {
		'io.modelcontextprotocol/protocolVersion': '2026-07-28',
		'io.modelcontextprotocol/clientCapabilities': {elicitation: {}},
	};
	const [one, other] = [wireTo(url, await gateway.key()), wireTo(url, await gateway.key())];
	type Asked = {requestState: string; inputRequests: Record<string, unknown>};
	const begin = async (wire: typeof one) => (await wire.ask('tools/call', {name, arguments: {}, _meta: meta})).body.result as Asked;
	const answer = ({requestState, inputRequests}: Asked, wire = one) => {
		const inputResponses = Object.fromEntries(
			Object.keys(inputRequests).map(key => [key, {action: 'accept', content: {name: 'Ada', color: 'blue', ok: true}}]),
		);
		return wire.ask('tools/call', {name, arguments: {}, _meta: meta, requestState, inputResponses});
	};
	const others = await begin(other);
	const first = await begin(one);
	const later: Asked[] = [];
	for (let batch = 0; batch < 8; batch++) later.push(...(await Promise.all(Array.from({length: 8}, () => begin(one)))));
	t.is((await answer(first)).body.error?.code, -32602, 'it ended, and its connection is free');
	t.regex(wordsOf(await answer(later.at(-1)!)), /Thank you/);
	t.regex(wordsOf(await answer(others, other)), /Thank you/);
});
