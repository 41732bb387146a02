import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {ExecutionContext} from 'ava';
import {type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT} from 'jose';

export type SigningKey = {kid: string; alg: string; privateKey: CryptoKey; jwk: JWK};

export type Issuer = {
	url: string;
	/** `127.0.0.1:4711`, for `grants.http`. */
	host: string;
	/** What `/keys` answers: public keys, text that is none, or `'hang'` for no answer at all. */
	says: {keys: JWK[]} | {status?: number; text: string} | 'hang';
	/** How often each path was asked for. */
	asked: Record<string, number>;
	/** Published from now on, in the place of all others unless `beside`. */
	newKey(kid: string, options?: {alg?: string; beside?: boolean}): Promise<SigningKey>;
	/** A token of this issuer for `acme`, for ten minutes; `claims` and `header` as they are said, undefined takes one out. */
	token(key: SigningKey, claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
};

export const audience = 'sallyport';

/** A real identity provider on 127.0.0.1, with a clock of its own. */
export const startIssuer = async (t: ExecutionContext, now: () => number = Date.now): Promise<Issuer> => {
	const hanging: ServerResponse[] = [];
	const server = createServer((request, response) => {
		const path = request.url ?? '/';
		issuer.asked[path] = (issuer.asked[path] ?? 0) + 1;
		const answer = (text: string, status = 200) => void response.writeHead(status, {'content-type': 'application/json'}).end(text);
		if (path.endsWith('/.well-known/openid-configuration')) {
			answer(JSON.stringify({issuer: issuer.url, jwks_uri: `${issuer.url}/keys`}));
			return;
		}
		if (issuer.says === 'hang') hanging.push(response);
		else if ('keys' in issuer.says) answer(JSON.stringify(issuer.says));
		else answer(issuer.says.text, issuer.says.status);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});

	const issuer: Issuer = {
		url: `http://${host}`,
		host,
		says: {keys: []},
		asked: {},
		async newKey(kid, {alg = 'ES256', beside = false} = {}) {
			const {publicKey, privateKey} = await generateKeyPair(alg, {extractable: true});
			const jwk = {...(await exportJWK(publicKey)), kid, alg, use: 'sig'};
			const before = beside && typeof issuer.says === 'object' && 'keys' in issuer.says ? issuer.says.keys : [];
			issuer.says = {keys: [...before, jwk]};
			return {kid, alg, privateKey, jwk};
		},
		token({kid, alg, privateKey}, claims = {}, header = {}) {
			const at = Math.floor(now() / 1_000);
			const all = {iss: issuer.url, aud: audience, sub: 'ada', org: {slug: 'acme'}, iat: at, exp: at + 600, ...claims};
			return new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({alg, kid, ...header}).sign(privateKey);
		},
	};
	return issuer;
};
