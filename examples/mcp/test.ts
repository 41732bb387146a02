import test from 'ava';
import {startGateway} from '../start-gateway.ts';
import {readFiles} from './client.ts';

test('example mcp: agents of both eras read the part of a folder that is granted to them, and it is on the record', async t => {
	const gateway = await startGateway(import.meta.url);
	t.teardown(gateway.close);
	await t.notThrowsAsync(readFiles(gateway));
	t.like(await gateway.lastRecord(), {surface: 'mcp', server: 'files', tool: 'write_file', outcome: 'denied'});
});
