import {exchangeAuthorization, fetchToken, type OAuthClientProvider, refreshAuthorization} from '@modelcontextprotocol/sdk/client/auth.js';
import {createPrivateKeyJwtAuth} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type {OAuthTokens} from '@modelcontextprotocol/sdk/shared/auth.js';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import type {Client} from './clients.ts';
import type {Known} from './discover.ts';
import type {Reach} from './reach.ts';

/** A token to show to a server, and how to come by the next one. Moments are milliseconds since 1970; without an end it is good until it is refused. */
export type Held = {accessToken: string; refreshToken?: string; scopes?: string[]; expiresAt?: number};

/** What stands in a header, and is no longer than one may be. */
const shape = /^[\x21-\x7e]{1,16000}$/;

const heldFrom = (
	{access_token: accessToken, token_type: type, expires_in: seconds, refresh_token: refreshToken, scope}: OAuthTokens,
	now: number,
): Held => {
	if (type.toLowerCase() !== 'bearer' || !shape.test(accessToken) || (refreshToken !== undefined && !shape.test(refreshToken)))
		throw new GatewayError('upstream_malformed', 'The authorization server answered with a token that cannot be shown.');
	return {
		accessToken,
		...(refreshToken !== undefined && {refreshToken}),
		...(scope !== undefined && {scopes: scope.split(' ').filter(one => one !== '')}),
		...(seconds !== undefined && {expiresAt: now + seconds * 1_000}),
	};
};

export type TokenRequests = {
	/** A token for a grant of the gateway's own making, by its parameters. */
	grant(known: Known, params: Record<string, string>): Promise<Held>;
	redeem(known: Known, client: Client, code: {code: string; verifier: string; redirectUri: string}): Promise<Held>;
	refresh(known: Known, client: Client, refreshToken: string): Promise<Held>;
};

/** Asks token endpoints. Rejects with the SDK's OAuthError for what the endpoint refuses, or as Reach does. */
export const tokenRequests = (
	{clientSecret, privateKey, algorithm}: ResolvedOAuth,
	{fetch: fetchFn}: Reach,
	now = Date.now,
): TokenRequests => {
	/** The key signs for us; otherwise the secret is shown as the endpoint likes it, in a header or in the form. */
	const clientOf = ({issuer}: Known, {clientId, clientSecret: given, method}: Client) => {
		const secret = given ?? clientSecret;
		const clientInformation = {
			client_id: clientId,
			issuer,
			...(secret !== undefined && {client_secret: secret}),
			...(method !== undefined && {token_endpoint_auth_method: method}),
		};
		if (privateKey === undefined) return {clientInformation};
		const sign = createPrivateKeyJwtAuth({issuer: clientId, subject: clientId, privateKey, alg: algorithm, audience: issuer});
		const addClientAuthentication: OAuthClientProvider['addClientAuthentication'] = async (headers, params, url, metadata) => {
			params.set('client_id', clientId);
			await sign(headers, params, url, metadata);
		};
		return {clientInformation, addClientAuthentication};
	};

	return {
		async grant(known, {client_id: clientId = '', ...params}) {
			const {clientInformation, addClientAuthentication} = clientOf(known, {clientId});
			const provider: OAuthClientProvider = {
				redirectUrl: undefined,
				clientMetadata: {redirect_uris: []},
				clientInformation: () => clientInformation,
				...(addClientAuthentication && {addClientAuthentication}),
				prepareTokenRequest: () => new URLSearchParams(params),
				tokens: () => undefined,
				saveTokens: () => undefined,
				redirectToAuthorization: () => undefined,
				saveCodeVerifier: () => undefined,
				codeVerifier: () => '',
			};
			const {issuer, metadata, resource} = known;
			return heldFrom(await fetchToken(provider, issuer, {metadata, resource, fetchFn}), now());
		},
		async redeem(known, client, {code, verifier, redirectUri}) {
			const {issuer, metadata, resource} = known;
			const asked = {authorizationCode: code, codeVerifier: verifier, redirectUri, resource};
			return heldFrom(await exchangeAuthorization(issuer, {metadata, ...clientOf(known, client), ...asked, fetchFn}), now());
		},
		async refresh(known, client, refreshToken) {
			const {issuer, metadata, resource} = known;
			const asked = {refreshToken, resource};
			return heldFrom(await refreshAuthorization(issuer, {metadata, ...clientOf(known, client), ...asked, fetchFn}), now());
		},
	};
};
