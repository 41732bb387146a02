import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'helpers', 'gateway-out-of-files.ts');

test('a gateway without a free file goes on without its server over stdio, and starts it when there is one', async t => {
	const {stdout} = await run('sh', ['-c', 'ulimit -n 256 && exec "$@"', 'sh', process.execPath, program]);
	const {without, after} = JSON.parse(stdout);
	t.deepEqual(without, {tools: [], _meta: {'sallyport/unavailable': [{server: 'one', error: 'upstream_unreachable'}]}});
	t.deepEqual(
		after.tools.map(({name}: {name: string}) => name),
		['one__act'],
	);
});
