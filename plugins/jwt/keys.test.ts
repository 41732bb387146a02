import {createHmac} from 'node:crypto';
import test from 'ava';
import {noon, seconds, startJwt as start} from '../../test/helpers/started-jwt.ts';

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
