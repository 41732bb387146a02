import {
	discoverAuthorizationServerMetadata,
	discoverOAuthProtectedResourceMetadata,
	extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import type {AuthorizationServerMetadata} from '@modelcontextprotocol/sdk/shared/auth.js';
import {checkResourceAllowed} from '@modelcontextprotocol/sdk/shared/auth-utils.js';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import type {Reach} from './reach.ts';

/** The authorization server of an MCP server, and what tokens for it are asked for (RFC 8707). */
export type Known = {
	issuer: string;
	metadata: AuthorizationServerMetadata;
	/** It says with every answer whose it is (RFC 9207). */
	saysIssuer: boolean;
	resource: string;
	scopes: readonly string[];
};

/** What is known for a while; `forget` has it asked for anew, since a server that refuses may have moved. */
export type Discover = {(): Promise<Known>; forget(): void};

const freshMs = 600_000;

const wrong = (why: string): GatewayError => new GatewayError('upstream_malformed', `The metadata of the authorization server ${why}.`);

/** Remembers an answer for ten minutes; those who ask meanwhile wait for the same one. What failed is not remembered. */
const remembered = (ask: () => Promise<Known>, now: () => number): Discover => {
	let kept: {at: number; value: Promise<Known>} | undefined;
	const known = (): Promise<Known> => {
		if (kept && now() - kept.at < freshMs) return kept.value;
		const asked = {at: now(), value: ask()};
		kept = asked;
		asked.value.catch(() => {
			if (kept === asked) kept = undefined;
		});
		return asked.value;
	};
	const forget = (): void => {
		kept = undefined;
	};
	return Object.assign(known, {forget});
};

type Options = {url: string; oauth: ResolvedOAuth; reach: Reach; now?: () => number};

/**
 * Finds it: the config's, or the one that the MCP server names (RFC 9728), by its own metadata (RFC 8414, OpenID Connect Discovery), which
 * has to name itself by the very address it was asked at. Rejects with `upstream_malformed`, or as Reach does.
 */
export const openDiscovery = ({url, oauth, reach, now = Date.now}: Options): Discover => {
	const {fetch: fetchFn, permit} = reach;

	/** What the MCP server says to whoever comes without a token (RFC 6750, RFC 9728). */
	const challenge = async () => {
		const headers = {'content-type': 'application/json', accept: 'application/json, text/event-stream'};
		const body = JSON.stringify({jsonrpc: '2.0', id: 1, method: 'ping'});
		return extractWWWAuthenticateParams(await fetchFn(url, {method: 'POST', headers, body}));
	};

	const named = async (): Promise<{issuer: string; resource: string; scopes: readonly string[]}> => {
		const {issuer, resource = url, scopes} = oauth;
		if (issuer !== undefined) return {issuer, resource, scopes};
		const {resourceMetadataUrl, scope} = await challenge();
		if (resourceMetadataUrl) permit(resourceMetadataUrl);
		const found = await discoverOAuthProtectedResourceMetadata(url, resourceMetadataUrl && {resourceMetadataUrl}, fetchFn);
		const [first] = found.authorization_servers ?? [];
		if (first === undefined) throw wrong('is not named by the MCP server');
		if (!checkResourceAllowed({requestedResource: url, configuredResource: found.resource})) throw wrong('is for another resource');
		const asked = scope?.split(' ').filter(one => one !== '') ?? found.scopes_supported ?? [];
		return {issuer: first, resource: oauth.resource ?? found.resource, scopes: scopes.length > 0 ? scopes : asked};
	};

	return remembered(async () => {
		const {issuer, resource, scopes} = await named();
		permit(issuer);
		let text = '';
		// What the SDK makes of a document leaves out what it does not know.
		const keeping: Reach['fetch'] = async (...asked) => {
			const response = await fetchFn(...asked);
			text = await response.clone().text();
			return response;
		};
		const metadata = await discoverAuthorizationServerMetadata(issuer, {fetchFn: keeping});
		if (!metadata) throw wrong('is not to be had');
		// Exactly, as RFC 8414 says in section 3.3: one that answers for another could have its tokens.
		if (metadata.issuer !== issuer) throw wrong('names another issuer');
		permit(metadata.token_endpoint);
		if (oauth.grant === 'authorization_code') {
			permit(metadata.authorization_endpoint);
			if (!metadata.code_challenge_methods_supported?.includes('S256')) throw wrong('does not offer PKCE with S256');
		}
		const said = JSON.parse(text) as {authorization_response_iss_parameter_supported?: unknown};
		return {issuer, metadata, saysIssuer: said.authorization_response_iss_parameter_supported === true, resource, scopes};
	}, now);
};
