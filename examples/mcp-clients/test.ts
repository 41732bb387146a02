import test from 'ava';
import {startGateway} from '../start-gateway.ts';
import {useFiles} from './client.ts';
import {kinds} from './clients.ts';

for (const kind of kinds)
	test.serial(
		`example mcp-clients: ${kind.name} lists and calls what is granted, is refused the rest, and what it asked is on the record`,
		async t => {
			const gateway = await startGateway(import.meta.url);
			t.teardown(gateway.close);
			await t.notThrowsAsync(useFiles(kind, gateway));
			const calls = (await gateway.records()).filter(({kind, operation}) => kind === 'exchange' && operation === 'tools/call');
			t.deepEqual(
				calls.map(({server, tool, outcome}) => ({server, tool, outcome})),
				[
					{server: 'files', tool: 'read_text_file', outcome: 'ok'},
					...(kind.looksFirst ? [] : [{server: 'files', tool: 'write_file', outcome: 'denied'}]),
				],
			);
		},
	);
