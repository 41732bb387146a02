import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {everythingOverStdio, filesOverStdio} from './helpers/mcp-servers.ts';
import {wireTo} from './helpers/mcp-wire.ts';

test.serial('in the tools of servers that mean well nothing is found, and all of them are shown', async t => {
	const all = {models: ['*'], servers: ['*'], tools: ['*'], prompts: ['*'], resources: ['*']};
	const gateway = await startGateway(t, {
		servers: {everything: everythingOverStdio(), files: filesOverStdio(t, {'a.txt': 'hello'})},
		plugins: [
			{use: 'virtual-keys'},
			{use: 'grants', config: {allow: {'tenant:default': all}}},
			{use: 'tool-pins', config: {first: {'*': 'trust'}}},
		],
	});
	const wire = wireTo(`${gateway.url}/mcp`, await gateway.key());
	const {body} = await wire.ask('tools/list');
	const shown = body.result?.tools as {name: string}[];
	t.true(shown.filter(({name}) => name.startsWith('files__')).length >= 14);
	t.true(shown.filter(({name}) => name.startsWith('everything__')).length >= 13);
	for (const [method, field] of [
		['prompts/list', 'prompts'],
		['resources/list', 'resources'],
		['resources/templates/list', 'resourceTemplates'],
	] as const)
		t.not(JSON.stringify((await wire.ask(method)).body.result?.[field] ?? []), '[]', method);
	for (const server of ['everything', 'files']) await wireTo(`${gateway.url}/mcp/${server}`, await gateway.key()).ask('server/discover');
	const {pins} = (await gateway.act('tool-pins', 'list', {limit: 1_000})) as {
		pins: {state: string; found: string[]; server: string; tool?: string}[];
	};
	t.deepEqual(
		pins.filter(({state, found}) => state !== 'pinned' || found.length > 0),
		[],
	);
	t.true(pins.length >= shown.length);
});
