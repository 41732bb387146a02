import {join} from 'node:path';
import test from 'ava';
import {startGateway} from './helpers/gateway.ts';
import {wordsOf} from './helpers/mcp-wire.ts';
import {ask, connect, gatewayOfUsers as start} from './helpers/users-at-a-server.ts';

test('a token is refreshed before it ends, and what the refresh brought is used from then on', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	await new Promise(resolve => setTimeout(resolve, 1_100));
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	t.deepEqual(
		as.grants.map(({form}) => form.grant_type),
		['authorization_code', 'refresh_token'],
	);
	t.is(as.grants[1]?.form.resource, server.url);
	t.is(server.seen.filter(({headers}) => headers.authorization !== undefined).length > 2, true);
});

test('a 401 is answered with a refreshed token; when that is refused as well, the user is asked to connect again', async t => {
	const {as, server, gateway, keyOf} = await start(t);
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	const revoke = () => {
		for (const {headers} of server.seen) server.revoked.add(headers.authorization?.replace('Bearer ', '') ?? '');
	};
	await new Promise(resolve => setTimeout(resolve, 5_000));
	revoke();
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	t.is(as.grants.length, 2);
	revoke();
	t.is((await ask(gateway, key)).body.error?.data?.code, 'connect_required', 'one that came a moment ago is not refreshed at once');
	t.is(as.grants.length, 2);
	t.is(server.callers.length, 2, 'the tool ran once for each call that was answered');
});

test('an authorization server that is down is not asked again at once, and nobody is sent to connect again for it', async t => {
	const {as, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	const key = await keyOf('ada');
	await connect(gateway, key);
	await new Promise(resolve => setTimeout(resolve, 2_100));
	as.failing = 503;
	const down = await ask(gateway, key);
	t.like(down.body.error?.data, {code: 'upstream_refused'});
	t.false(JSON.stringify(down.body).includes('ticket='));
	const grants = as.grants.length;
	t.like((await ask(gateway, key)).body.error?.data, {code: 'upstream_refused'});
	t.is(as.grants.length, grants, 'it is not asked again at once');
});

test('a refresh token that was used is the end of it: the user is asked to connect again', async t => {
	const {as, gateway, keyOf} = await start(t);
	as.lifetimeSeconds = 2;
	as.tokens = {refresh_token: 'used'};
	const key = await keyOf('ada');
	await connect(gateway, key);
	await new Promise(resolve => setTimeout(resolve, 2_100));
	const refused = await ask(gateway, key);
	t.is(refused.body.error?.data?.code, 'connect_required');
	as.tokens = {};
	as.lifetimeSeconds = 600;
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
});

test('two replicas that need a new token at once spend the refresh token once, and both go on', async t => {
	const {as, config, gateway, keyOf} = await start(t);
	const folder = gateway.folder;
	const other = await startGateway(t, {
		...config,
		store: join(folder, 'store.db'),
		journal: {folder: join(folder, 'other-journal')},
	});
	as.lifetimeSeconds = 3;
	const key = await keyOf('ada');
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	await t.notThrowsAsync(async () => {
		for (let tries = 0; wordsOf(await ask(other, key)) !== 'ada'; tries++) {
			if (tries > 50) throw new Error('the other replica never heard of it');
			await new Promise(resolve => setTimeout(resolve, 50));
		}
	});
	await new Promise(resolve => setTimeout(resolve, 3_100));
	const before = as.grants.length;
	as.lifetimeSeconds = 600;
	const answers = await Promise.all([gateway, other, gateway, other, other, gateway].map(one => ask(one, key)));
	t.deepEqual(
		answers.map(wordsOf),
		Array.from({length: 6}, () => 'ada'),
	);
	t.is(as.grants.length, before + 1);
});
