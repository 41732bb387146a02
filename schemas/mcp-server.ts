import * as z from 'zod';
import {secret} from './from-env.ts';
import {scope as oauthScope} from './principal.ts';

export const serverName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a server name is up to 32 lower-case letters, digits and dashes');
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'a header name is letters, digits and dashes');

export const httpUrl = z.url({protocol: /^https?$/});

/** How the gateway gets the tokens that it shows to an MCP server (OAuth 2.1). */
export const serverOAuth = z
	.strictObject({
		/**
		 * `client_credentials`: the gateway's own. `authorization_code`: each user's own, who is sent to log in once. `token_exchange`: for the token
		 * that a caller came with, another one (RFC 8693); the caller's own never goes on.
		 */
		grant: z.enum(['client_credentials', 'authorization_code', 'token_exchange']),
		/** The authorization server, exactly as its metadata spells it. Left out, the MCP server says which, and gets no secret of ours to send there. */
		issuer: httpUrl.optional(),
		/** As it is registered there; left out, the address of `/oauth/client.json`, where it takes such (client id metadata documents). */
		clientId: z.string().min(1).max(2_000).optional(),
		/** The secret that goes with `clientId`. */
		clientSecret: secret.optional(),
		/** PKCS #8 in PEM, to sign for the gateway with (`private_key_jwt`). */
		privateKey: secret.optional(),
		/** What is signed with `privateKey`. */
		algorithm: z.enum(['RS256', 'PS256', 'ES256', 'RS384', 'PS384', 'ES384', 'RS512', 'PS512', 'ES512']).default('RS256'),
		/** What the tokens are asked to be good for. */
		scopes: z.array(oauthScope).max(50).default([]),
		/** What tokens are asked for (RFC 8707); the server's url, unless said otherwise. */
		resource: z.string().min(1).max(2_000).optional(),
		/** Of a token exchange. */
		audience: z.string().min(1).max(2_000).optional(),
		/** Hosts beside public ones that may be asked, addresses as they are: `10.0.0.5:8443`. Those of `url` and `issuer` may be. */
		hosts: z.array(z.string().min(1)).max(20).default([]),
	})
	.refine(({grant, issuer, clientId}) => grant === 'authorization_code' || (issuer !== undefined && clientId !== undefined), {
		error: 'this grant needs an issuer and a clientId',
	})
	.refine(({issuer, clientSecret, privateKey}) => issuer !== undefined || (clientSecret === undefined && privateKey === undefined), {
		error: 'with a secret or a key goes an issuer: nobody else is to be shown it',
	})
	.refine(({clientId, clientSecret, privateKey}) => clientId !== undefined || (clientSecret === undefined && privateKey === undefined), {
		error: 'with a secret or a key goes a clientId',
	})
	.refine(
		({clientSecret, privateKey}) => clientSecret === undefined || privateKey === undefined,
		'write clientSecret or privateKey, not both',
	);
export type ServerOAuth = z.output<typeof serverOAuth>;

/** An MCP server: a process that speaks over stdio, or an endpoint over HTTP. */
export const server = z
	.strictObject({
		/** Only this file can name a command: nothing that comes over the network starts a process. */
		stdio: z
			.strictObject({
				/** A program on the gateway's PATH, or a path from the config's folder. */
				command: z.string().min(1),
				/** What the command is called with; no shell reads it. */
				args: z.array(z.string()).default([]),
				/** The whole environment of the process: it inherits nothing, not even PATH. */
				env: z.record(z.string().regex(/^[A-Za-z_]\w*$/), secret).default({}),
			})
			.optional(),
		/** Where the server answers over HTTP. */
		url: z.url({protocol: /^https?$/}).optional(),
		/** `http`: streamable HTTP. `sse`: the transport of 2024-11-05, where `url` is that of the stream. Left out, it is found out. */
		transport: z.enum(['http', 'sse']).optional(),
		/** Sent as `authorization: Bearer …`. */
		bearer: secret.optional(),
		/** Sent as `authorization: Basic …` (RFC 7617). */
		basic: z
			.strictObject({
				/** The name, without a colon. */
				user: z
					.string()
					.min(1)
					.max(500)
					.regex(/^[^:]+$/, 'a user name has no colon'),
				/** The password. */
				password: secret,
			})
			.optional(),
		oauth: serverOAuth.optional(),
		/** Sent with every request to this server. */
		headers: z.record(headerName, secret).optional(),
		/** What this server may ask of its callers while it works for them, where they offer it: a form to fill in, a page to visit, an answer of their model, their folders. */
		asks: z.array(z.enum(['elicitation', 'elicitation-url', 'sampling', 'roots'])).default([]),
		/** Longest wait for a whole answer. */
		timeoutMs: z.int().min(1).max(3_600_000).default(120_000),
		/** Largest message of this server, and never more than `limits.replyMb`: while one is read and looked at, nobody else is served. */
		resultMb: z.number().min(0.001).max(1_024).default(4),
		/** Most sockets to this server. */
		connections: z.int().min(1).max(4_096).default(256),
	})
	.refine(({stdio, url}) => (stdio === undefined) !== (url === undefined), 'a server has either stdio or a url')
	.refine(({url, transport}) => url !== undefined || transport === undefined, 'transport is for a server with a url')
	.refine(
		({bearer, basic, oauth, headers = {}}) =>
			[bearer, basic, oauth, Object.keys(headers).find(name => name.toLowerCase() === 'authorization')].filter(way => way !== undefined)
				.length <= 1,
		'one of bearer, basic, oauth and an authorization header is enough',
	)
	.refine(({stdio, bearer, basic, oauth}) => !stdio || !(bearer ?? basic ?? oauth), 'a process gets its secrets in env');
export type Server = z.output<typeof server>;
