import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {startAuthorizationServer} from './helpers/authorization-server.ts';
import {startGateway} from './helpers/gateway.ts';
import {knownAs} from './helpers/known-as.ts';
import {wordsOf} from './helpers/mcp-wire.ts';
import {protectedServer} from './helpers/protected-mcp-server.ts';
import {ask, connect, linkIn} from './helpers/users-at-a-server.ts';

const everything = [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}];

test('without an issuer in the config the server says where to log in, and a gateway that nobody registered names itself', async t => {
	const as = await startAuthorizationServer(t);
	as.metadata = {client_id_metadata_document_supported: true, registration_endpoint: `${as.issuer}/register`};
	const gateway = await startGateway(t, {
		publicUrl: 'https://gateway.example',
		servers: {mail: {url: (await protectedServer(t, as)).url, oauth: {grant: 'authorization_code', hosts: [as.host]}}},
		mcp: {oauth: {authorizationServers: [as.issuer]}},
		plugins: everything,
	});
	const {pathname, search} = new URL(linkIn(await ask(gateway, await gateway.key({tenant: 'acme', user: 'ada'}))));
	const leaving = await knownAs(gateway, 'gateway.example', `${pathname}${search}`, {method: 'POST', origin: 'https://gateway.example'});
	const clientId = new URL(leaving.headers.location!).searchParams.get('client_id')!;
	t.is(clientId, 'https://gateway.example/oauth/client.json');
	t.like(JSON.parse((await knownAs(gateway, 'gateway.example', '/oauth/client.json')).text), {
		client_id: clientId,
		redirect_uris: ['https://gateway.example/oauth/callback'],
	});
	t.is(as.registered.size, 0);
});

test('a gateway that has no address with TLS is no document that somebody could fetch, and registers', async t => {
	const as = await startAuthorizationServer(t);
	as.metadata = {client_id_metadata_document_supported: true, registration_endpoint: `${as.issuer}/register`};
	as.secretless = true;
	const gateway = await startGateway(t, {
		servers: {mail: {url: (await protectedServer(t, as)).url, oauth: {grant: 'authorization_code', hosts: [as.host]}}},
		plugins: everything,
	});
	t.regex(await connect(gateway, await gateway.key({tenant: 'acme', user: 'ada'})), /is connected/);
	t.true(as.registered.has(as.asked[0]!.client_id!));
});

test('where clients register by themselves, the gateway does so once, and keeps what it was given sealed', async t => {
	for (const methods of [['none'], ['client_secret_basic'], ['client_secret_post']]) {
		const as = await startAuthorizationServer(t);
		as.metadata = {registration_endpoint: `${as.issuer}/register`, token_endpoint_auth_methods_supported: methods};
		as.secretless = methods[0] === 'none';
		const server = await protectedServer(t, as);
		const gateway = await startGateway(t, {
			servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', hosts: [as.host]}}},
			plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
		});
		as.lifetimeSeconds = 2;
		const [ada, eve] = await Promise.all(['ada', 'eve'].map(user => gateway.key({tenant: 'acme', user})));
		t.regex(await connect(gateway, ada!), /is connected/);
		t.regex(await connect(gateway, eve!), /is connected/);
		t.is(as.registered.size, 1);
		await new Promise(resolve => setTimeout(resolve, 1_100));
		t.is(wordsOf(await ask(gateway, ada!)), 'ada');
		t.is(as.grants.at(-1)?.form.grant_type, 'refresh_token');
		const [secret = ''] = as.registered.values();
		const stored = await readFile(join(gateway.folder, 'store.db'));
		t.false(Buffer.concat([stored, Buffer.from(gateway.logged())]).includes(secret));

		// The authorization server forgets all its clients: the gateway begins anew.
		as.registered.clear();
		await new Promise(resolve => setTimeout(resolve, 1_100));
		t.is((await ask(gateway, ada!)).body.error?.data?.code, 'connect_required');
		t.regex(await connect(gateway, ada!), /is connected/);
		t.is(as.registered.size, 1);
	}
});

test('where to log in, and for what, may stand in the challenge of the server alone', async t => {
	const as = await startAuthorizationServer(t);
	const server = await protectedServer(t, as);
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', clientId: 'public', hosts: [as.host]}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	server.hidden = true;
	server.challenge = `Bearer resource_metadata="http://${server.host}/elsewhere", scope="mail:some mail:more"`;
	const key = await gateway.key({tenant: 'acme', user: 'ada'});
	t.regex(await connect(gateway, key), /is connected/);
	t.is(as.asked[0]?.scope, 'mail:some mail:more');
	t.is(wordsOf(await ask(gateway, key)), 'ada');
});

test('a server that moved to another authorization server has its users connect there, and what the first one issued is shown to no other', async t => {
	const [first, second] = [await startAuthorizationServer(t), await startAuthorizationServer(t)];
	const server = await protectedServer(t, first);
	for (const as of [first, second])
		as.metadata = {registration_endpoint: `${as.issuer}/register`, token_endpoint_auth_methods_supported: ['client_secret_basic']};
	const gateway = await startGateway(t, {
		servers: {mail: {url: server.url, oauth: {grant: 'authorization_code', hosts: [first.host, second.host]}}},
		plugins: [{use: 'virtual-keys'}, {use: 'grants', config: {allow: {'*': {servers: ['*'], tools: ['*']}}}}],
	});
	const key = await gateway.key({tenant: 'acme', user: 'ada'});
	await connect(gateway, key);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	server.as = second;
	server.metadata = {authorization_servers: [second.issuer]};
	t.is((await ask(gateway, key)).body.error?.data?.code, 'connect_required');
	t.deepEqual(second.grants, []);
	await connect(gateway, key);
	t.is(second.registered.size, 1);
	t.is(wordsOf(await ask(gateway, key)), 'ada');
	const [secret = ''] = first.registered.values();
	t.false(JSON.stringify(second.grants).includes(secret));
});
