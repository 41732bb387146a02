import test from 'ava';
import {startLocalUpstream} from '../examples/local-upstream/server.ts';
import {configFor, folderWith, sallyport, startCommand} from './helpers/cli.ts';

test.serial('explain and admins work from the command line, each with the rights of the key that is used', async t => {
	const upstream = await startLocalUpstream();
	t.teardown(upstream.close);
	const folder = await folderWith(t, configFor(upstream.url));
	const gateway = await startCommand(t, folder);
	const env = {SALLYPORT_URL: gateway.url, SALLYPORT_ADMIN_KEY: gateway.adminKey};
	const run = (args: string[], adminKey = gateway.adminKey) => sallyport(args, {cwd: folder, env: {...env, SALLYPORT_ADMIN_KEY: adminKey}});
	const json = async (args: string[], adminKey?: string) => JSON.parse((await run(args, adminKey)).stdout);

	const made = await json(['admins', 'create', '--name', 'olga', '--role', 'admin', '--tenant', 'acme']);
	t.regex(made.key, /^adm_/);
	t.like(await json(['admins', 'list']), {admins: {length: 2}});
	t.regex((await run(['admins', 'create', '--name', 'x', '--role', 'owner'], made.key)).stderr, /This is for an owner/);
	t.regex((await run(['admins', 'create', '--name', 'x', '--role', 'root'])).stderr, /Allowed choices are owner/);

	const key = await json(['keys', 'create', '--tenant', 'default']);
	const passed = await run(['explain', '--key', key.id, '--model', 'demo', '--max-tokens', '10']);
	t.is(passed.code, 0, passed.stderr);
	t.regex(
		passed.stdout,
		/^allowed: chat of demo by key_[0-9a-f]{32} default\ndecided by: grants {2}tenant:default\nwould be asked: local\/echo\n/,
	);
	t.regex(passed.stdout, /^budgets +pre-request {2}allow\n {2}would reserve [\d.e-]+ USD of 20 USD in tenant:default\/month, used 0 USD$/m);

	const refused = await run(['explain', '--tenant', 'acme', '--model', 'demo'], made.key);
	t.is(refused.code, 0, refused.stderr);
	t.regex(
		refused.stdout,
		/^refused: chat of demo by acme acme\ndecided by: model_not_granted \(403\) {2}grants {2}The model "demo" is not granted/,
	);
	t.like(await json(['explain', '--tenant', 'acme', '--model', 'demo', '--json']), {allowed: false});
	t.regex((await run(['explain', '--key', key.id, '--model', 'demo'], made.key)).stderr, /There is no key/);
	t.regex((await run(['explain', '--model', 'demo'])).stderr, /say key or principal/);

	t.is((await json(['admins', 'revoke', made.id])).state, 'revoked');
	t.regex((await run(['explain', '--tenant', 'acme', '--model', 'demo'], made.key)).stderr, /does not take this admin key/);
});
