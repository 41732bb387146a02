import {execFile} from 'node:child_process';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';

const run = promisify(execFile);
const runner = join(dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')), 'dist', 'index.js');
const command = `${process.execPath} ${join(import.meta.dirname, 'conformance', 'oauth-client.ts')}`;

/** Of the runner's scenarios for clients with OAuth, some of each kind: where it is found, for what, as whom, and who answers. */
const scenarios = [
	...['metadata-var3', 'metadata-issuer-mismatch', 'scope-step-up', 'client-credentials-jwt'],
	...['iss-supported-missing', 'iss-wrong-issuer', 'iss-normalized'],
];

type Said = {stdout: string; stderr: string};

for (const scenario of scenarios)
	test.serial(`auth/${scenario} passes with the gateway as the client`, async t => {
		const args = [runner, 'client', '--command', command, '--scenario', `auth/${scenario}`];
		// It exits with 1 where a check failed.
		const {stdout, stderr} = await run(process.execPath, args, {timeout: 60_000}).catch((said: Said) => said);
		const [, passed, of, failed] = /Passed: (\d+)\/(\d+), (\d+) failed/.exec(stdout + stderr) ?? [];
		t.is(failed, '0', (stdout + stderr).slice(-2_000));
		t.true(Number(passed) > 0 && passed === of);
	});
