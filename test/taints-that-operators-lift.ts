import test, {type ExecutionContext} from 'ava';
import {calls} from './helpers/admins.ts';
import {sallyport} from './helpers/cli.ts';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {wireTo} from './helpers/mcp-wire.ts';
import {desk, taintingGuard} from './helpers/tainting-guard.ts';

type Shown = {place: string; name: string; tenant: string; key: string; session?: string; at: string; until: string; exchange: string};

const start = async (t: ExecutionContext) => {
	const {url} = await desk(t);
	const allow = {'*': {models: ['*'], servers: ['*'], tools: ['*'], whenTainted: {deny: {tools: ['desk/send']}}}};
	const gateway = await startGateway(t, {
		servers: {desk: {url}},
		plugins: [{use: 'virtual-keys'}, await taintingGuard(t), {use: 'grants', config: {allow}}],
	});
	const admin = calls(gateway);
	const wire = (key: string, session: string) => {
		const call = (name: string, args: object) =>
			wireTo(`${gateway.url}/mcp/desk`, key).ask('tools/call', {name, arguments: args}, {'x-sallyport-session': session});
		return {
			taint: () => call('read', {path: 'evil.md'}),
			sends: async () => (await call('send', {})).body.error === undefined,
		};
	};
	const list = async (key?: string) =>
		(await admin<{taints: Shown[]}>('/admin/taints', undefined, {method: 'GET', ...(key !== undefined && {key})})).body.taints;
	const makeAdmin = async (role: string, tenant?: string) =>
		(await admin('/admin/admins', {name: role, role, ...(tenant !== undefined && {tenant})})).body.key;
	return {gateway, admin, wire, list, makeAdmin};
};

const deeds = async (gateway: TestGateway) =>
	(await gateway.journal()).flatMap(({kind, outcome, event, error}) => {
		const {what, ...rest} = (event ?? {}) as Record<string, unknown>;
		return kind === 'admin' && what === 'taint lifted' ? [{outcome, code: error?.code, ...rest}] : [];
	});

test.serial('an operator sees what is tainted, by which exchange and until when, and lifts it; who did is on the record', async t => {
	const {gateway, admin, wire, list} = await start(t);
	const ada = wire(await gateway.key({tenant: 'acme'}), 'run-7');
	t.deepEqual(await list(), []);
	await ada.taint();
	t.false(await ada.sends());
	const [one, ...others] = await list();
	t.deepEqual(others, []);
	t.like(one, {name: 'injection', tenant: 'acme', session: 'named:run-7'});
	t.is(Date.parse(one!.until) - Date.parse(one!.at), 3_600_000);
	const brought = (await gateway.journal()).find(({kind, exchange}) => kind === 'exchange' && exchange === one!.exchange);
	t.like(brought, {tool: 'read', findings: [{action: 'taint'}]});
	for (const wrong of [{place: one!.place, name: 'other'}, {place: 'x'.repeat(22)}])
		t.is((await admin('/admin/taints/lift', wrong)).body.code, 'not_found', JSON.stringify(wrong));
	for (const wrong of [{}, {place: '*'}, {place: one!.place, more: 1}])
		t.is((await admin('/admin/taints/lift', wrong)).body.code, 'invalid_request', JSON.stringify(wrong));
	t.false(await ada.sends());
	t.like((await admin<{lifted: Shown[]}>('/admin/taints/lift', {place: one!.place, name: 'injection'})).body, {
		lifted: [{name: 'injection'}],
	});
	t.true(await ada.sends());
	t.deepEqual(await list(), []);
	await ada.taint();
	t.false(await ada.sends(), 'it is no licence');
	const [first, ...rest] = (await deeds(gateway)).reverse();
	t.like(first, {outcome: 'ok', place: one!.place, of: 'acme', session: 'named:run-7', taints: ['injection'], actor: 'first-owner'});
	t.is(rest.length, 5);
	t.true(rest.every(({outcome}) => outcome === 'failed'));
});

test.serial('who only reads or approves lifts nothing, and an admin of a tenant neither sees nor lifts what is another one’s', async t => {
	const {gateway, admin, wire, list, makeAdmin} = await start(t);
	const ada = wire(await gateway.key({tenant: 'acme'}), 'run-7');
	const bob = wire(await gateway.key({tenant: 'other'}), 'run-7');
	await ada.taint();
	await bob.taint();
	const [own, others] = ['acme', 'other'].map(name => list().then(all => all.find(({tenant}) => tenant === name)!.place));
	for (const role of ['auditor', 'approver']) {
		const key = await makeAdmin(role);
		t.is((await list(key)).length, 2, role);
		t.is((await admin('/admin/taints/lift', {place: await own}, {key})).body.code, 'denied', role);
	}
	const ofAcme = await makeAdmin('admin', 'acme');
	t.deepEqual(
		(await list(ofAcme)).map(({tenant}) => tenant),
		['acme'],
	);
	t.is((await admin('/admin/taints/lift', {place: await others}, {key: ofAcme})).body.code, 'not_found');
	t.false(await bob.sends());
	t.is((await admin('/admin/taints/lift', {place: await own}, {key: ofAcme})).status, 200);
	t.true(await ada.sends());
	t.is((await admin('/admin/taints', undefined, {method: 'GET', key: 'adm_wrong'})).body.code, 'unauthenticated');
});

test.serial('the command line lists and lifts', async t => {
	const {gateway, wire} = await start(t);
	const run = (...args: string[]) =>
		sallyport(['taints', ...args], {env: {SALLYPORT_URL: gateway.url, SALLYPORT_ADMIN_KEY: String(gateway.adminKey)}});
	t.is((await run('list')).stdout, 'Nothing.\n');
	const ada = wire(await gateway.key({tenant: 'acme'}), 'run-7');
	await ada.taint();
	const {stdout} = await run('list');
	const [, place] = /^([\w-]{22}) {2}injection {2}acme key_\w+ {2}named:run-7 {2}\d{4}-\S+ {2}ex_/m.exec(stdout) ?? [];
	t.truthy(place, stdout);
	t.regex((await run('lift', place!, '--taint', 'other')).stderr, /There is no such taint/);
	t.is((await run('lift', place!)).stdout, 'Lifted: injection.\n');
	t.true(await ada.sends());
});
