import {hash} from 'node:crypto';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openStore} from '../core/store/open.ts';
import {approvals, legacyCall, type Pending, payingServer, payRule} from './helpers/approvals.ts';
import {sallyport} from './helpers/cli.ts';
import {freshFolder} from './helpers/config-file.ts';
import {startGateway} from './helpers/gateway.ts';
import {wireTo} from './helpers/mcp-wire.ts';

/** A folder whose store holds so many approvals that were used. */
const folderWithUsed = async (t: ExecutionContext, count: number): Promise<string> => {
	const folder = freshFolder(t);
	const store = await openStore(join(folder, 'store.db'));
	const call = {source: 'mcp', principal: 'key_1', tenant: 'acme', key: 'key_1', server: 'one', tool: 'pay', digest: 'of its arguments'};
	const needs = {roles: ['owner'], votes: 1};
	const rows: Record<string, string> = {};
	for (let at = 0; at < count; at++) {
		const of = hash('sha256', `${at}`);
		const id = `apr_${of.slice(0, 24)}-0123456789`;
		const times = {askedAt: Date.now(), expiresAt: Date.now() + 3_600_000};
		rows[`approval:${of.slice(0, 24)}`] = JSON.stringify({id, hash: of, call, rule: 'pay', reason: 'money moves', needs, ...times});
		rows[`used:${id}`] = '1';
	}
	await store.kvPut('approvals', rows);
	await store.close();
	return folder;
};

test.serial('on the command line whatever waits is found, however much has been decided', async t => {
	const folder = await folderWithUsed(t, 3_000);
	const {upstream} = await payingServer(t);
	const plugins = [{use: 'virtual-keys'}, approvals([{...payRule, holdMs: 20}])];
	const gateway = await startGateway(t, {servers: {one: {url: upstream.url}}, plugins}, {folder});
	await legacyCall(wireTo(`${gateway.url}/mcp/one`, await gateway.key()))({amount: 5});
	const list = async (...words: string[]) =>
		(await sallyport(['approvals', 'list', ...words, '--url', gateway.url], {env: {SALLYPORT_ADMIN_KEY: gateway.adminKey!}})).stdout;
	const all = (JSON.parse(await list('--state', 'all', '--json')) as {approvals: Pending[]}).approvals;
	t.is(new Set(all.map(({id}) => id)).size, 3_001);
	const asked = all.find(({state}) => state === 'pending')!;
	const [head, line, ...more] = (await list()).trimEnd().split('\n');
	t.regex(head!, /^id /);
	t.regex(line!, new RegExp(`^${asked.id} +pending +one/pay `));
	t.deepEqual(more, []);
	t.is(await list('--state', 'refused'), 'Nothing.\n');
});
