import {createHmac, generateKeyPairSync} from 'node:crypto';
import test from 'ava';
import {type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT} from 'jose';
import {lend} from '../core/sandbox/capabilities.ts';

type Pair = {publicKey: CryptoKey; privateKey: CryptoKey};

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const asymmetric = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** What a plugin gets that asks whether something was signed. */
const verify = async (asked: unknown, granted: 'crypto'[] = ['crypto']): Promise<{value?: string; error?: {code: string}}> => {
	const nowhere = () => Promise.reject(new Error('not in this test'));
	const {start} = lend({
		name: 'jwt',
		granted: new Set(granted),
		kv: {get: () => undefined, list: () => [], put: nowhere},
		secrets: {},
		http: nowhere,
		log: () => undefined,
		count: () => undefined,
		now: Date.now,
	});
	return JSON.parse(await new Promise(resolve => void start('crypto.verify', JSON.stringify(asked), resolve)));
};

const pair = (alg: string): Promise<Pair> => generateKeyPair(alg, {extractable: true});
const jwk = async (key: CryptoKey, more: JWK = {}): Promise<JWK> => ({...(await exportJWK(key)), ...more});
const sign = (key: CryptoKey, alg: string, header: object = {}) => new SignJWT({sub: 'ada'}).setProtectedHeader({alg, ...header}).sign(key);

for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']) {
	test(`a signature with ${alg} is checked, and a changed byte is noticed`, async t => {
		const {publicKey, privateKey} = await pair(alg);
		const keys = [await jwk(publicKey)];
		const jws = await sign(privateKey, alg);
		t.deepEqual(await verify({jws, keys, algorithms: [alg]}), {value: 'yes'});
		const [header, , signature] = jws.split('.');
		t.deepEqual(await verify({jws: `${header}.${base64url({sub: 'eve'})}.${signature}`, keys, algorithms: [alg]}), {value: 'no'});
		t.deepEqual(await verify({jws, keys: [await jwk((await pair(alg)).publicKey)], algorithms: [alg]}), {value: 'no'});
	});
}

test('none, and a HMAC whose secret is the public key, are signed by nobody', async t => {
	const {publicKey} = await pair('RS256');
	const key = await jwk(publicKey);
	const payload = base64url({sub: 'ada'});
	const bare = `${base64url({alg: 'none'})}.${payload}`;
	t.deepEqual(await verify({jws: `${bare}.`, keys: [key], algorithms: asymmetric}), {value: 'no'});
	for (const secret of [JSON.stringify(key), String(key.n), Buffer.from(String(key.n), 'base64url')]) {
		const head = `${base64url({alg: 'HS256'})}.${payload}`;
		const jws = `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
		t.deepEqual(await verify({jws, keys: [key], algorithms: asymmetric}), {value: 'no'});
		t.like(await verify({jws, keys: [key], algorithms: ['HS256']}), {error: {code: 'invalid_request'}});
	}
	t.like(await verify({jws: `${bare}.`, keys: [key], algorithms: ['none']}), {error: {code: 'invalid_request'}});
});

test('a shared secret, a private key, a short key and an endless one are as if they were not there', async t => {
	const {publicKey, privateKey} = await pair('RS256');
	const jws = await sign(privateKey, 'RS256', {kid: 'one'});
	const good = await jwk(publicKey, {kid: 'one'});
	const short = generateKeyPairSync('rsa', {modulusLength: 1_024});
	const bad: JWK[] = [
		{kty: 'oct', k: 'AAAA', kid: 'one'},
		await jwk(privateKey, {kid: 'one'}),
		{...good, e: 'A'.repeat(400)},
		{...good, n: 'A'.repeat(400_000)},
		{kty: 'mystery', kid: 'one'},
	];
	t.deepEqual(await verify({jws, keys: bad, algorithms: ['RS256']}), {value: 'unknown key'});
	t.deepEqual(await verify({jws, keys: [...bad, good], algorithms: ['RS256']}), {value: 'yes'});
	const head = `${base64url({alg: 'RS256', kid: 'short'})}.${base64url({})}`;
	const {sign: signNow} = await import('node:crypto');
	const signed = `${head}.${signNow('sha256', Buffer.from(head), short.privateKey).toString('base64url')}`;
	const shortKey = {...short.publicKey.export({format: 'jwk'}), kid: 'short'};
	t.not((await verify({jws: signed, keys: [shortKey], algorithms: ['RS256']})).value, 'yes');
});

test('the key is the one with the id that the signature names, and several of one id are all tried', async t => {
	const [first, second] = [await pair('ES256'), await pair('ES256')];
	const jws = await sign(second.privateKey, 'ES256', {kid: 'two'});
	const named = (kids: string[]) => Promise.all([jwk(first.publicKey, {kid: kids[0]!}), jwk(second.publicKey, {kid: kids[1]!})]);
	t.deepEqual(await verify({jws, keys: await named(['one', 'two']), algorithms: asymmetric}), {value: 'yes'});
	t.deepEqual(await verify({jws, keys: await named(['two', 'two']), algorithms: asymmetric}), {value: 'yes'});
	t.deepEqual(await verify({jws, keys: await named(['two', 'one']), algorithms: asymmetric}), {value: 'no'});
	t.deepEqual(await verify({jws, keys: await named(['three', 'four']), algorithms: asymmetric}), {value: 'unknown key'});
	const many = await Promise.all(Array.from({length: 20}, async () => jwk((await pair('ES256')).publicKey, {kid: 'two'})));
	t.deepEqual(await verify({jws, keys: [...many, ...(await named(['two', 'two']))], algorithms: asymmetric}), {value: 'no'});
});

test('a key that is for another use, another algorithm or another curve does not fit', async t => {
	const {publicKey, privateKey} = await pair('RS256');
	const jws = await sign(privateKey, 'RS256');
	for (const more of [{use: 'enc'}, {alg: 'RS512'}, {key_ops: ['encrypt']}])
		t.deepEqual(await verify({jws, keys: [await jwk(publicKey, more)], algorithms: ['RS256']}), {value: 'unknown key'});
	t.deepEqual(await verify({jws, keys: [await jwk(publicKey)], algorithms: ['RS512']}), {value: 'no'});
	t.deepEqual(await verify({jws, keys: [await jwk(publicKey)], algorithms: ['ES256']}), {value: 'no'});
});

test('what is no signature at all is said to be none, and what is no question is refused', async t => {
	const keys = [await jwk((await pair('ES256')).publicKey)];
	for (const jws of ['', 'a', 'a.b', 'a.b.c', '..', 'a.b.c.d.e', `${base64url({alg: 'ES256', crit: ['b65'], b65: 1})}.e30.AAAA`])
		t.deepEqual(await verify({jws, keys, algorithms: ['ES256']}), {value: 'no'}, jws);
	for (const asked of [{}, {jws: 'a.b.c', keys: 'no', algorithms: ['ES256']}, {jws: 'x'.repeat(20_001), keys, algorithms: ['ES256']}])
		t.like(await verify(asked), {error: {code: 'invalid_request'}});
	t.like(await verify({jws: 'a.b.c', keys: Array(101).fill(keys[0]), algorithms: ['ES256']}), {error: {code: 'invalid_request'}});
	t.like(await verify({jws: 'a.b.c', keys, algorithms: ['ES256']}, []), {error: {code: 'denied'}});
});
