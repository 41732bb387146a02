import {createHmac} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingHttpHeaders} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {calls as adminCalls} from './helpers/admins.ts';
import {approvals, payRule, startPaying} from './helpers/approvals.ts';
import {wordsOf} from './helpers/mcp-wire.ts';

const key = Buffer.alloc(32, 9);

type Told = {headers: IncomingHttpHeaders; body: string};

/** Takes webhooks, and answers the first with `first`. */
const receiver = async (t: ExecutionContext, first = 204) => {
	const told: Told[] = [];
	const server = createServer(async (req, res) => {
		told.push({headers: req.headers, body: await text(req)});
		res.writeHead(told.length === 1 ? first : 204).end();
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => server.close());
	const {port} = server.address() as AddressInfo;
	return {told, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}/in`};
};

test.serial('a receiver hears of a call that waits, checks who says so, and approves it with the token and a key of its own', async t => {
	const {told, host, url} = await receiver(t);
	const {gateway, calls, pay} = await startPaying(t, {
		entry: approvals(
			[payRule],
			{webhook: {url, arguments: true}},
			{
				http: [host],
				secrets: {webhook: `whsec_${key.toString('base64')}`},
			},
		),
	});
	const call = adminCalls(gateway);
	const bot = (await call('/admin/admins', {name: 'bot', role: 'approver'})).body.key;
	const held = pay({amount: 5});
	while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 10));
	const {headers, body} = told[0]!;
	const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
	t.is(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
	const {type, data} = JSON.parse(body) as {type: string; data: {id: string; token: string}};
	t.is(type, 'approval.wanted');
	t.like(data, {rule: 'pay', arguments: {amount: 5}, call: {server: 'one', tool: 'pay'}});

	const answer = async (token: string, own?: string) =>
		(await call('/admin/plugins/approvals/actions/answer', {token, decision: 'approve'}, {key: own ?? 'adm_none'})).body;
	t.like(await answer(data.token), {code: 'unauthenticated'}, 'a token alone decides nothing');
	t.like(await answer(`${data.token}x`, bot), {code: 'not_found'});
	t.deepEqual(calls(), []);
	t.like(await answer(data.token, bot), {id: data.id, state: 'approved'});
	t.is(wordsOf(await held), 'pay {"amount":5}');
	t.like(await answer(data.token, bot), {code: 'not_found'});
	t.deepEqual(calls(), [{amount: 5}]);
	t.is(told.length, 1);
	t.false(JSON.stringify(await gateway.journal()).includes(data.token), 'the record holds no token');
});

test.serial('a receiver that is down keeps no call from being decided', async t => {
	const {told, host, url} = await receiver(t, 500);
	const {gateway, pay} = await startPaying(t, {
		entry: approvals([payRule], {webhook: {url}}, {http: [host], secrets: {webhook: `whsec_${key.toString('base64')}`}}),
	});
	const held = pay({amount: 5});
	while (told.length === 0) await new Promise(resolve => setTimeout(resolve, 10));
	const {id} = (JSON.parse(told[0]!.body) as {data: {id: string}}).data;
	await gateway.act('approvals', 'decide', {id, decision: 'approve'});
	t.is(wordsOf(await held), 'pay {"amount":5}');
});
