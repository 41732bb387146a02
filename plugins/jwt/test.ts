import test from 'ava';
import {noon, seconds, startJwt as start} from '../../test/helpers/started-jwt.ts';

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
