import test, {type ExecutionContext} from 'ava';
import {startGateway, type TestGateway} from './helpers/gateway.ts';
import {audience, startIssuer} from './helpers/issuer.ts';
import {eventually, modelRecords, openaiClient, user} from './helpers/sdks.ts';

const start = async (t: ExecutionContext, {tier}: {tier?: 'process'} = {}) => {
	const issuer = await startIssuer(t);
	const key = await issuer.newKey('one', {alg: 'RS256'});
	const gateway = await startGateway(t, {
		revoked: {running: 'cut'},
		models: {fast: ['local/echo'], long: ['local/words-3000-every-10']},
		plugins: [
			{use: 'virtual-keys'},
			{
				use: 'jwt',
				...(tier && {tier}),
				config: {issuer: issuer.url, audience, toleranceSeconds: 0, principal: {tenant: {claim: 'org.slug'}}},
				grants: {http: [issuer.host]},
			},
		],
	});
	return {issuer, key, gateway};
};

const call = async (gateway: TestGateway, apiKey: string): Promise<string> => {
	const client = openaiClient(gateway, {apiKey});
	const error = await client.chat.completions.create({model: 'fast', messages: user('hi')}).then(
		() => ({code: 'ok'}),
		(thrown: {code?: string}) => thrown,
	);
	return String(error.code);
};

for (const tier of [undefined, 'process'] as const)
	test(`a token opens the gateway ${tier ? 'from a process of its own' : 'inline'}, beside virtual keys, and its record says whose it is`, async t => {
		const {issuer, key, gateway} = await start(t, {...(tier && {tier})});
		t.is(await call(gateway, await issuer.token(key)), 'ok');
		t.is(await call(gateway, await gateway.key()), 'ok');
		t.is(await call(gateway, await issuer.token(key, {aud: 'another'})), 'unauthenticated');
		t.is(await call(gateway, `${(await issuer.token(key)).slice(0, -4)}AAAA`), 'unauthenticated');
		t.like((await modelRecords(gateway))[0], {principal: {id: 'user:acme/ada', tenant: 'acme', user: 'ada'}, outcome: 'ok'});
	});

test('whoever is blocked is refused with a token too, and while it streams', async t => {
	const {issuer, key, gateway} = await start(t);
	const token = await issuer.token(key);
	for (const [actions, input] of [
		['users', {tenant: 'acme', user: 'ada'}],
		['tenants', {tenant: 'acme'}],
	] as const) {
		const stream = await openaiClient(gateway, {apiKey: token}).chat.completions.create({
			model: 'long',
			max_tokens: 30_000,
			stream: true,
			messages: user('go on'),
		});
		const reading = (async () => {
			for await (const _ of stream);
		})();
		await gateway.act('virtual-keys', `${actions}.block`, input);
		t.is(await call(gateway, token), 'blocked');
		await t.throwsAsync(reading, {message: /is blocked/});
		await gateway.act('virtual-keys', `${actions}.unblock`, input);
		t.is(await call(gateway, token), 'ok');
	}
	await gateway.act('virtual-keys', 'users.delete', {tenant: 'acme', user: 'ada'});
	t.is(await call(gateway, token), 'blocked');
});

test('a token that ends in the middle of a stream ends the stream', async t => {
	const {issuer, key, gateway} = await start(t);
	const token = await issuer.token(key, {exp: Math.floor(Date.now() / 1_000) + 2});
	const client = openaiClient(gateway, {apiKey: token});
	const stream = await client.chat.completions.create({model: 'long', max_tokens: 30_000, stream: true, messages: user('go on')});
	await t.throwsAsync(
		async () => {
			for await (const _ of stream);
		},
		{message: /has expired/},
	);
	const record = await eventually(async () => (await modelRecords(gateway))[0]);
	t.like(record, {outcome: 'denied', error: {code: 'key_expired', plugin: 'jwt'}});
});

test('an issuer that hangs holds back nobody but those whose keys are not known', async t => {
	const {issuer, key, gateway} = await start(t);
	issuer.says = 'hang';
	const waiting = call(gateway, await issuer.token(key));
	const begun = performance.now();
	t.is(await call(gateway, await gateway.key()), 'ok');
	t.true(performance.now() - begun < 3_000);
	t.is(await waiting, 'plugin_failed');
});

test('a gateway that may not ask the issuer says which host to grant, in its log and to nobody else', async t => {
	const issuer = await startIssuer(t);
	const key = await issuer.newKey('one');
	const gateway = await startGateway(t, {
		plugins: [
			{
				use: 'jwt',
				config: {issuer: issuer.url, audience, principal: {tenant: {value: 'acme'}}},
				grants: {http: ['login.example']},
			},
		],
	});
	t.is(await call(gateway, await issuer.token(key)), 'plugin_failed');
	t.true(gateway.logged().includes(`'${issuer.host}'`));
});
