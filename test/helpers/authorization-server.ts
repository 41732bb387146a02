import {createHash, randomUUID} from 'node:crypto';
import {createServer, type IncomingMessage} from 'node:http';
import type {AddressInfo} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import {createRemoteJWKSet, exportJWK, generateKeyPair, importSPKI, type JWTPayload, jwtVerify, SignJWT} from 'jose';

export type Grant = {form: Record<string, string>; authorization: string | undefined};

export type AuthorizationServer = {
	issuer: string;
	host: string;
	/** What `/authorize` was asked, and every grant at `/token`. */
	asked: Record<string, string>[];
	grants: Grant[];
	/** Who logs in next. */
	user: string;
	lifetimeSeconds: number;
	/** Written over the metadata, and over the answer of `/authorize` and of `/token`. */
	metadata: Record<string, unknown>;
	redirect: Record<string, string | undefined>;
	tokens: Record<string, unknown>;
	/** `/token` answers with this status, and does nothing. */
	failing: number | undefined;
	/** Clients that registered by themselves, by their name, with their secret. It takes any. */
	registered: Map<string, string>;
	/** Whoever registers is known by its name alone. */
	secretless: boolean;
	/** Public key (SPKI) of a client that signs for itself. */
	clientKey: string | undefined;
	/** A token of this server, as if it had been asked for. */
	token(claims: JWTPayload): Promise<string>;
	verify(token: string, audience: string): Promise<JWTPayload>;
};

const clientSecret = 'client-secret-0123456789';
export const client = {clientId: 'gateway', clientSecret};

const isClient = async (form: Record<string, string>, req: IncomingMessage, as: AuthorizationServer): Promise<boolean> => {
	const {authorization} = req.headers;
	if (authorization === `Basic ${Buffer.from(`${client.clientId}:${clientSecret}`).toString('base64')}`) return true;
	if (form.client_assertion !== undefined) {
		if (as.clientKey === undefined) return false;
		const {payload} = await jwtVerify(form.client_assertion, await importSPKI(as.clientKey, 'ES256'), {audience: as.issuer});
		return payload.sub === client.clientId && payload.iss === client.clientId;
	}
	const [, basic = ''] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
	const [name = form.client_id ?? '', secret] = basic === '' ? [] : Buffer.from(basic, 'base64').toString().split(':');
	if (as.registered.has(name)) return as.secretless || as.registered.get(name) === (secret ?? form.client_secret);
	return form.client_id === client.clientId && (form.client_secret === undefined || form.client_secret === clientSecret);
};

/** A real authorization server on 127.0.0.1 (OAuth 2.1): everybody who comes is `user`, and says yes. A refresh token is good once. */
export const startAuthorizationServer = async (t: ExecutionContext): Promise<AuthorizationServer> => {
	const {publicKey, privateKey} = await generateKeyPair('ES256', {extractable: true});
	const jwk = {...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig'};
	const codes = new Map<string, {asked: Record<string, string>; user: string}>();
	const refreshing = new Map<string, {user: string; resource: string | undefined; scope: string | undefined}>();

	const server = createServer(async (req, res) => {
		const url = new URL(req.url!, as.issuer);
		const answer = (status: number, body: unknown): void =>
			void res.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body));
		if (url.pathname === '/keys') return answer(200, {keys: [jwk]});
		if (/^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/.test(url.pathname)) {
			return answer(200, {
				issuer: as.issuer,
				authorization_endpoint: `${as.issuer}/authorize`,
				token_endpoint: `${as.issuer}/token`,
				jwks_uri: `${as.issuer}/keys`,
				response_types_supported: ['code'],
				grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
				code_challenge_methods_supported: ['S256'],
				token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
				authorization_response_iss_parameter_supported: true,
				...as.metadata,
			});
		}
		if (url.pathname === '/authorize') {
			const asked = Object.fromEntries(url.searchParams);
			as.asked.push(asked);
			const code = randomUUID();
			codes.set(code, {asked, user: as.user});
			const back = new URL(asked.redirect_uri!);
			const said = {code, state: asked.state, iss: as.issuer, ...as.redirect};
			for (const [name, value] of Object.entries(said)) if (value !== undefined) back.searchParams.set(name, value);
			return void res.writeHead(302, {location: back.href}).end();
		}
		if (url.pathname === '/register') {
			const said = JSON.parse(await text(req)) as Record<string, unknown>;
			const [id, secret] = [randomUUID(), randomUUID()];
			as.registered.set(id, secret);
			const own = said.token_endpoint_auth_method === 'none' ? {} : {client_secret: secret, client_secret_expires_at: 0};
			return answer(201, {...said, client_id: id, ...own});
		}
		if (url.pathname !== '/token') return answer(404, {});
		const form = Object.fromEntries(new URLSearchParams(await text(req)));
		as.grants.push({form, authorization: req.headers.authorization});
		if (as.failing !== undefined) return answer(as.failing, {error: 'server_error'});
		if (form.client_id !== 'public' && !(await isClient(form, req, as).catch(() => false))) return answer(401, {error: 'invalid_client'});
		const issue = async (
			user: string,
			{resource, scope}: {resource?: string | undefined; scope?: string | undefined},
			refreshes: boolean,
		) => {
			const refresh = randomUUID();
			if (refreshes) refreshing.set(refresh, {user, resource, scope});
			answer(200, {
				access_token: await as.token({sub: user, aud: resource, scope}),
				token_type: 'Bearer',
				expires_in: as.lifetimeSeconds,
				...(refreshes && {refresh_token: refresh}),
				...as.tokens,
			});
		};
		if (form.grant_type === 'authorization_code') {
			const known = codes.get(form.code ?? '');
			codes.delete(form.code ?? '');
			const challenge = createHash('sha256')
				.update(form.code_verifier ?? '')
				.digest('base64url');
			if (!known || known.asked.code_challenge !== challenge || known.asked.redirect_uri !== form.redirect_uri)
				return answer(400, {error: 'invalid_grant'});
			return issue(known.user, known.asked, true);
		}
		if (form.grant_type === 'refresh_token') {
			const known = refreshing.get(form.refresh_token ?? '');
			refreshing.delete(form.refresh_token ?? '');
			return known ? issue(known.user, known, true) : answer(400, {error: 'invalid_grant'});
		}
		if (form.grant_type === 'client_credentials') return issue('the-gateway', form, false);
		if (form.grant_type !== 'urn:ietf:params:oauth:grant-type:token-exchange') return answer(400, {error: 'unsupported_grant_type'});
		const {payload} = await jwtVerify(form.subject_token!, publicKey, {issuer: as.issuer});
		as.tokens = {issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', ...as.tokens};
		return issue(`exchanged-${payload.sub}`, form, false);
	});
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;

	const as: AuthorizationServer = {
		issuer: `http://${host}`,
		host,
		asked: [],
		grants: [],
		user: 'ada',
		lifetimeSeconds: 600,
		metadata: {},
		redirect: {},
		tokens: {},
		failing: undefined,
		registered: new Map(),
		secretless: false,
		clientKey: undefined,
		token: claims =>
			new SignJWT(JSON.parse(JSON.stringify({jti: randomUUID(), ...claims})))
				.setProtectedHeader({alg: 'ES256', kid: 'one', typ: 'at+jwt'})
				.setIssuer(`http://${host}`)
				.setIssuedAt()
				.setExpirationTime(Math.floor(Date.now() / 1_000) + as.lifetimeSeconds)
				.sign(privateKey),
		async verify(token, audience) {
			const {payload} = await jwtVerify(token, createRemoteJWKSet(new URL(`http://${host}/keys`)), {issuer: `http://${host}`, audience});
			return payload;
		},
	};
	return as;
};
