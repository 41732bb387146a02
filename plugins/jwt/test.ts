import {createHash, createHmac} from 'node:crypto';
import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {audience, startIssuer} from '../../test/helpers/issuer.ts';

const noon = Date.parse('2026-11-22T12:00:00Z');
const seconds = (ms: number): number => Math.floor(ms / 1_000);

const start = async (t: ExecutionContext, more: Record<string, unknown> = {}) => {
	const clock = {now: noon};
	const issuer = await startIssuer(t, () => clock.now);
	const plugin = await startPlugin(import.meta.url, {
		now: () => clock.now,
		config: {issuer: issuer.url, audience, principal: {tenant: {claim: 'org.slug'}}, ...more},
		async http({url}) {
			const response = await fetch(url, {signal: AbortSignal.timeout(issuer.says === 'hang' ? 200 : 5_000)});
			return {status: response.status, headers: {}, body: await response.text()};
		},
	});
	t.teardown(plugin.close);
	const show = (token: string | undefined, resource?: string) =>
		plugin.ask('pre-auth', {
			...(resource !== undefined && {resource}),
			credential: token === undefined ? {} : {token, sha256: createHash('sha256').update(token).digest('hex')},
		});
	return {issuer, clock, show, key: await issuer.newKey('one')};
};

test('a token of the issuer says who its bearer is, until when, and which accounts pay', async t => {
	const {issuer, show, key} = await start(t);
	t.deepEqual(await show(await issuer.token(key)), {
		verdict: 'identify',
		principal: {
			id: 'user:acme/ada',
			tenant: 'acme',
			user: 'ada',
			tags: [],
			accounts: ['tenant:acme', 'user:acme/ada'],
			expiresAt: noon + 630_000,
		},
	});
});

test('what is no JWT, or one of somebody else, is left to other plugins, and the issuer is not asked', async t => {
	const {issuer, show, key} = await start(t);
	for (const token of [
		undefined,
		'',
		'vk_AAAA',
		'a.b',
		'a.b.c',
		'a.b.c.d',
		'..',
		'e30.e30.',
		await issuer.token(key, {iss: 'https://else.example'}),
	])
		t.is(await show(token), undefined, token);
	t.deepEqual(issuer.asked, {});
});

test('team, user and tags come from the claims that the config names', async t => {
	const {issuer, show, key} = await start(t, {
		principal: {
			tenant: {claim: 'tid', map: {'7f0c': 'acme', '99aa': 'globex'}},
			team: {claim: 'groups', map: {'g-1': 'search', 'g-2': 'ads'}},
			user: {claim: ['https://acme.example/mail']},
			tags: {claim: 'labels', prefix: 'idp:'},
		},
	});
	const claims = {tid: '7f0c', groups: ['g-9', 'g-2'], 'https://acme.example/mail': 'ada@acme.example', labels: ['batch', 'eu']};
	t.like(await show(await issuer.token(key, claims)), {
		verdict: 'identify',
		principal: {
			tenant: 'acme',
			team: 'ads',
			user: 'ada@acme.example',
			tags: ['idp:batch', 'idp:eu'],
			accounts: ['tenant:acme', 'team:acme/ads', 'user:acme/ada@acme.example'],
		},
	});
	for (const wrong of [
		{tid: 'unmapped'},
		{tid: undefined},
		{groups: []},
		{groups: ['g-1', 'g-2']},
		{groups: undefined},
		{'https://acme.example/mail': undefined},
		{'https://acme.example/mail': 'a/b'},
		{labels: ['a b']},
		{labels: [7]},
		{labels: Array(51).fill('a')},
	])
		t.like(await show(await issuer.token(key, {...claims, ...wrong})), {verdict: 'deny', code: 'unauthenticated'}, JSON.stringify(wrong));
});

for (const [what, org] of Object.entries({
	'a slash': {slug: 'acme/search'},
	'a star': {slug: '*'},
	'a colon': {slug: 'a:b'},
	nothing: {slug: ''},
	'an object': {slug: {deep: 1}},
	'no slug': {},
	'an inherited name': null,
}))
	test(`a tenant that is ${what} is no tenant`, async t => {
		const {issuer, show, key} = await start(t, what === 'an inherited name' ? {principal: {tenant: {claim: 'constructor.name'}}} : {});
		t.like(await show(await issuer.token(key, {org})), {verdict: 'deny', code: 'unauthenticated'});
	});

for (const [what, {claims = {}, header = {}, code = 'unauthenticated'}] of Object.entries<{
	claims?: Record<string, unknown>;
	header?: Record<string, unknown>;
	code?: string;
}>({
	'is for somebody else': {claims: {aud: 'another'}},
	'is for others': {claims: {aud: ['one', 'two']}},
	'is for nobody': {claims: {aud: undefined}},
	'has no end': {claims: {exp: undefined}},
	'has an end that is a text': {claims: {exp: String(seconds(noon) + 600)}},
	'ended a minute ago': {claims: {exp: seconds(noon) - 60}, code: 'key_expired'},
	'begins in a minute': {claims: {nbf: seconds(noon) + 60}},
	'was made in a minute': {claims: {iat: seconds(noon) + 60}},
	'is bound to a key': {claims: {cnf: {jkt: 'abc'}}},
	'is for logging out': {header: {typ: 'logout+jwt'}},
	'lacks what is required': {claims: {plan: 'free'}},
}))
	test(`a token that ${what} is refused`, async t => {
		const {issuer, show, key} = await start(t, {require: [{claim: 'plan', is: ['pro', 'team']}, {claim: 'sub'}]});
		t.like(await show(await issuer.token(key, {plan: 'pro', ...claims}, header)), {verdict: 'deny', code});
		t.like(await show(await issuer.token(key, {plan: 'team'}, {typ: 'application/at+JWT'})), {verdict: 'identify'});
	});

test('clocks may be apart by what the config says, and no more', async t => {
	const {issuer, show, key, clock} = await start(t, {toleranceSeconds: 10});
	const token = await issuer.token(key);
	clock.now = noon + 609_999;
	t.like(await show(token), {verdict: 'identify'});
	clock.now = noon + 610_000;
	t.like(await show(token), {verdict: 'deny', code: 'key_expired'});
});

test('a token may be older than the config allows only as far as clocks are apart', async t => {
	const {issuer, show, key, clock} = await start(t, {maxAgeSeconds: 60, toleranceSeconds: 0});
	const token = await issuer.token(key);
	t.like(await show(token), {verdict: 'identify', principal: {expiresAt: noon + 60_000}});
	clock.now = noon + 60_000;
	t.like(await show(token), {verdict: 'deny', code: 'key_expired'});
	t.like(await show(await issuer.token(key, {iat: undefined})), {verdict: 'deny', code: 'unauthenticated'});
});

test('an end in a million years is one', async t => {
	const {issuer, show, key} = await start(t);
	t.like(await show(await issuer.token(key, {exp: 1e300})), {verdict: 'identify'});
});

test('a token nobody signed, or signed with the public key as a secret, is refused', async t => {
	const {issuer, show, key} = await start(t);
	const [header, payload, signature] = (await issuer.token(key)).split('.') as [string, string, string];
	const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const eve = base64url({...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'eve'});
	const forged = [
		`${base64url({alg: 'none'})}.${eve}.`,
		`${base64url({alg: 'None', kid: 'one'})}.${eve}.${signature}`,
		`${header}.${eve}.${signature}`,
		`${header}.${payload}.`,
		`${header}.${payload}.${signature.slice(0, -4)}AAAA`,
		`${base64url({alg: 'ES256', kid: 'one', jwk: key.jwk})}.${eve}.${signature}`,
	];
	for (const secret of [JSON.stringify(key.jwk), String(key.jwk.x), Buffer.from(String(key.jwk.x), 'base64url')]) {
		const head = `${base64url({alg: 'HS256', kid: 'one'})}.${eve}`;
		forged.push(`${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`);
	}
	for (const token of forged) t.like(await show(token), {verdict: 'deny', code: 'unauthenticated'}, token);
});

test('a key that comes with the token, or from where the token says, is not believed', async t => {
	const {issuer, show} = await start(t);
	const {says} = issuer;
	const mine = await issuer.newKey('mine');
	issuer.says = says;
	for (const header of [
		{jwk: mine.jwk},
		{jku: `${issuer.url}/mine`},
		{x5u: `${issuer.url}/mine`},
		{kid: '../../mine'},
		{kid: "' OR 1=1"},
		{kid: 'one'},
	])
		t.like(await show(await issuer.token(mine, {}, header)), {verdict: 'deny', code: 'unauthenticated'}, JSON.stringify(header));
	t.is(issuer.asked['/mine'], undefined);
});

test('an algorithm that the config does not list is refused, though the issuer has a key for it', async t => {
	const {issuer, show, key} = await start(t, {algorithms: ['RS256']});
	const rsa = await issuer.newKey('rsa', {alg: 'RS256', beside: true});
	t.like(await show(await issuer.token(rsa)), {verdict: 'identify'});
	t.like(await show(await issuer.token(key)), {verdict: 'deny', code: 'unauthenticated'});
});

test('a new key is found at its first token, and whoever invents keys has the issuer asked twice a minute at most', async t => {
	const {issuer, show, key, clock} = await start(t);
	t.like(await show(await issuer.token(key)), {verdict: 'identify'});
	t.is(issuer.asked['/keys'], 1);
	clock.now += 30_000;
	const next = await issuer.newKey('two', {beside: true});
	t.like(await show(await issuer.token(next)), {verdict: 'identify'});
	t.is(issuer.asked['/keys'], 2);
	for (let count = 0; count < 20; count++) {
		clock.now += 1_000;
		t.like(await show(await issuer.token(next, {}, {kid: `made-up-${count}`})), {verdict: 'deny', code: 'unauthenticated'});
	}
	t.is(issuer.asked['/keys'], 2);
	clock.now += 10_000;
	await Promise.all(Array.from({length: 20}, async (_, count) => show(await issuer.token(next, {}, {kid: `more-${count}`}))));
	t.is(issuer.asked['/keys'], 3);
});

test('a key that the issuer took back opens nothing any more once the keys were looked at, with a token that was good before either', async t => {
	const {issuer, show, key, clock} = await start(t, {refreshSeconds: 60});
	const token = await issuer.token(key);
	t.like(await show(token), {verdict: 'identify'});
	await issuer.newKey('two');
	t.like(await show(token), {verdict: 'identify'});
	clock.now += 60_000;
	await show(token);
	while (issuer.asked['/keys'] === 1) await new Promise(resolve => setTimeout(resolve, 5));
	await new Promise(resolve => setTimeout(resolve, 50));
	t.like(await show(token), {verdict: 'deny', code: 'unauthenticated'});
});

for (const [what, says] of Object.entries({
	'is not JSON': {text: '<html>'},
	'is an error': {text: '{"keys":[]}', status: 500},
	'has no keys': {text: '{"keys":"none"}'},
	'is a list': {text: '[]'},
	'is a flood': {text: `{"keys":[${Array(101).fill('{"kty":"EC"}').join()}]}`},
	'is never there': 'hang',
} as const))
	test(`where the answer of the issuer ${what}, the keys it gave before stay good, and no longer than the config says`, async t => {
		const {issuer, show, key, clock} = await start(t, {refreshSeconds: 60, keepSeconds: 3_600});
		const token = (more = {}) => issuer.token(key, {exp: seconds(noon) + 100_000, ...more});
		t.like(await show(await token()), {verdict: 'identify'});
		issuer.says = says;
		clock.now += 61_000;
		t.like(await show(await token({jti: '1'})), {verdict: 'identify'});
		t.like(await show(await issuer.token(key, {}, {kid: 'two'})), {verdict: 'deny', code: 'unauthenticated'});
		clock.now = noon + 3_599_000;
		t.like(await show(await token({jti: '2'})), {verdict: 'identify'});
		clock.now = noon + 3_601_000;
		await t.throwsAsync(show(await token({jti: '3'})), {message: /not to be had/});
		await t.throwsAsync(show(await token()), {message: /not to be had/});
		issuer.says = {keys: [key.jwk]};
		clock.now += 31_000;
		t.like(await show(await token({jti: '4'})), {verdict: 'identify'});
	});

test('an issuer that takes back all its keys is believed', async t => {
	const {issuer, show, key, clock} = await start(t);
	t.like(await show(await issuer.token(key)), {verdict: 'identify'});
	issuer.says = {keys: []};
	clock.now += 30_000;
	t.like(await show(await issuer.token(key, {}, {kid: 'two'})), {verdict: 'deny'});
	t.like(await show(await issuer.token(key, {jti: 'x'})), {verdict: 'deny', code: 'unauthenticated'});
});

test('before the issuer has ever answered nobody is let in, and it is asked once in five seconds', async t => {
	const {issuer, show, key, clock} = await start(t);
	issuer.says = {text: 'starting', status: 503};
	const token = await issuer.token(key);
	await Promise.all(Array.from({length: 10}, () => t.throwsAsync(show(token))));
	await t.throwsAsync(show(token));
	t.is(issuer.asked['/keys'], 1);
	issuer.says = {keys: [key.jwk]};
	clock.now += 5_000;
	t.like(await show(token), {verdict: 'identify'});
});

test('a configuration of another issuer is not believed', async t => {
	const {issuer, show, key} = await start(t);
	issuer.url = `${issuer.url}/else`;
	await t.throwsAsync(show(await issuer.token(key, {iss: issuer.url.replace('/else', '')})), {message: /not to be had/});
});

test('a token of eight thousand characters is read like any other', async t => {
	const {issuer, show, key} = await start(t);
	t.like(await show(await issuer.token(key, {name: 'Ångström 🐍'.repeat(250)})), {verdict: 'identify'});
});

test('with resource, a token is for the door whose address it names, and for all doors when that is the common one', async t => {
	const {issuer, show, key} = await start(t, {audience: undefined, resource: true});
	const base = 'https://gateway.example/mcp';
	const at = async (aud: unknown, resource?: string) => (await show(await issuer.token(key, {aud}), resource))?.verdict;
	t.is(await at(`${base}/one`, `${base}/one`), 'identify');
	t.is(await at(base, `${base}/one`), 'identify');
	t.is(await at(base, base), 'identify');
	t.is(await at([`${base}/two`, `${base}/one`], `${base}/one`), 'identify');
	for (const [aud, resource] of [
		[`${base}/one`, `${base}/two`],
		[`${base}/one`, base],
		[`${base}/one`, undefined],
		[base, undefined],
		[`${base}/`, base],
		['https://gateway.example', base],
		[undefined, base],
		['', base],
	] as const)
		t.is(await at(aud, resource), 'deny', `${aud} at ${resource}`);
	const token = await issuer.token(key, {aud: `${base}/one`});
	for (const [resource, verdict] of [
		[`${base}/one`, 'identify'],
		[`${base}/two`, 'deny'],
		[`${base}/one`, 'identify'],
		[undefined, 'deny'],
	] as const)
		t.is((await show(token, resource))?.verdict, verdict, 'what was found out at one door is remembered for that door');
});

test('without resource in the config, the address of a door is no audience', async t => {
	const {issuer, show, key} = await start(t);
	const resource = 'https://gateway.example/mcp';
	t.like(await show(await issuer.token(key, {aud: resource}), resource), {code: 'unauthenticated'});
	t.like(await show(await issuer.token(key), resource), {verdict: 'identify'});
	await t.throwsAsync(start(t, {audience: undefined}), {message: /audience/});
});

test('the scopes of a token go into the principal, whether they are a text or a list, and none are none', async t => {
	const {issuer, show, key} = await start(t, {scopes: {claim: 'scp'}});
	const scopes = async (scp: unknown) =>
		((await show(await issuer.token(key, {scp}))) as {principal?: {scopes?: string[]}} | undefined)?.principal?.scopes;
	t.deepEqual(await scopes('files:read  files:write'), ['files:read', 'files:write']);
	t.deepEqual(await scopes(['files:read']), ['files:read']);
	t.deepEqual(await scopes(undefined), []);
	t.deepEqual(await scopes({evil: true}), []);
	for (const scp of ['a"b', 'a\\b', 'ü', Array.from({length: 101}, (_, index) => `s${index}`)])
		t.like(await show(await issuer.token(key, {scp})), {code: 'unauthenticated'}, String(scp));
});
