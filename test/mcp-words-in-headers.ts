import test from 'ava';
import {resolveConfig} from '../core/config/resolve.ts';
import {gatewayConfig} from '../schemas/config.ts';
import {startGateway} from './helpers/gateway.ts';
import {hostileServer} from './helpers/hostile-mcp-server.ts';
import {wireTo, wordsOf} from './helpers/mcp-wire.ts';

const headers = {
	'x-team': 'platform',
	'x-unit': 'platform-engineering-europe',
	'x-api-key': 'hunter2-8',
	'x-tenant': 'a8f5f167f44f4964e6c998dee827110c',
};

for (const [header, value] of Object.entries(headers)) {
	const isSecret = header === 'x-api-key' || header === 'x-tenant';
	test(`an answer that says the value of ${header} is ${isSecret ? 'refused' : 'passed on'}`, async t => {
		const server = await hostileServer(t, {call: {content: [{type: 'text', text: `of the ${value} team`}]}});
		const gateway = await startGateway(t, {servers: {one: {url: server.url, headers}}});
		const said = await wireTo(`${gateway.url}/mcp/one`, await gateway.key()).call('act');
		if (isSecret) t.is(said.body.error?.data?.code, 'upstream_malformed');
		else t.is(wordsOf(said), `of the ${value} team`);
	});
}

test('the value of a header that came from the environment is a secret, whatever its header is called', t => {
	const config = gatewayConfig.parse({
		servers: {one: {url: 'https://one.example/mcp', headers: {'X-Team': 'platform', 'X-Place': {env: 'PLACE'}}}},
	});
	const {one} = resolveConfig(config, '/gateway.config.ts', {PLACE: 'elsewhere'}).config.servers;
	t.deepEqual(one?.secretHeaders, ['X-Place']);
	t.is(one?.headers?.['X-Place'], 'elsewhere');
});
