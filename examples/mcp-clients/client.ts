import assert from 'node:assert/strict';
import {runExample, startGateway} from '../start-gateway.ts';
import {type Kind, kinds} from './clients.ts';

/** One kind of client lists what is granted, calls it, and is refused what is not. */
export const useFiles = async ({connect, looksFirst}: Kind, {url, key}: {url: string; key: string}): Promise<void> => {
	const client = await connect(`${url}/mcp/files`, key);
	try {
		assert.deepEqual((await client.list()).sort(), ['list_directory', 'read_text_file']);
		assert.match(await client.call('read_text_file', {path: 'reports/monday.txt'}), /The heron has landed/);
		const writing = client.call('write_file', {path: 'reports/monday.txt', content: 'It has not.'});
		await assert.rejects(writing, looksFirst ? /not found on server/ : /not granted/);
	} finally {
		await client.close();
	}
};

if (import.meta.main)
	await runExample(startGateway(import.meta.url), async gateway => {
		for (const kind of kinds) await useFiles(kind, gateway);
	});
