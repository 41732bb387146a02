import {closeSync, openSync} from 'node:fs';
import {startGateway} from './gateway.ts';
import {wireTo} from './mcp-wire.ts';

// Run under `ulimit -n`: a gateway whose server over stdio is asked while no file is free, and until it answers when there are some again.
const program = `
require('node:readline').createInterface({input: process.stdin}).on('line', line => {
	const {id, method} = JSON.parse(line);
	const hello = {protocolVersion: '2025-06-18', capabilities: {tools: {}}, serverInfo: {name: 's', version: '1'}};
	const result = method === 'initialize' ? hello : {tools: [{name: 'act', inputSchema: {type: 'object'}}]};
	if (id !== undefined) process.stdout.write(JSON.stringify({jsonrpc: '2.0', id, result}) + '\\n');
});`;

const ends: (() => unknown)[] = [];
const gateway = await startGateway(
	{teardown: end => void ends.push(end)},
	{servers: {one: {stdio: {command: process.execPath, args: ['-e', program]}}}},
);
const wire = wireTo(`${gateway.url}/mcp`, await gateway.key());
// On a connection that is open by then.
const session = {'mcp-session-id': await wire.begin()};
const list = async () => (await wire.send({jsonrpc: '2.0', id: 1, method: 'tools/list', params: {}}, session)).body.result ?? {};

const files: number[] = [];
try {
	for (;;) files.push(openSync('/dev/null', 'r'));
} catch {
	// None is free.
}
const without = await list();
for (const file of files) closeSync(file);
let after = await list();
while ((after.tools as unknown[]).length === 0) {
	await new Promise(resolve => setTimeout(resolve, 50));
	after = await list();
}
for (const end of ends.reverse()) await end();
console.log(JSON.stringify({without, after}));
