import {hash} from 'node:crypto';
import {registerClient} from '@modelcontextprotocol/sdk/client/auth.js';
import * as z from 'zod';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import type {Kv} from '../store/kv.ts';
import type {Known} from './discover.ts';
import {clientMetadata, clientPath} from './paths.ts';
import type {Reach} from './reach.ts';
import type {Seal} from './seal.ts';

/** What the gateway is called at an authorization server. A secret is here only where it was given with the name. */
export const client = z.strictObject({
	clientId: z.string().min(1).max(2_000),
	clientSecret: z.string().min(1).max(2_000).optional(),
	/** How it was registered to show that. */
	method: z.string().max(100).optional(),
});
export type Client = z.output<typeof client>;

const registered = client.extend({
	/** Milliseconds since 1970; the secret is good until then. */
	expiresAt: z.number().optional(),
});

type Asked = {server: string; oauth: ResolvedOAuth; reach: Reach; known: Known; origin: string};

export type Clients = {
	/**
	 * The config's name; the address of the gateway's own document, where those are taken and it has TLS; or one it registers under by itself, once, and
	 * keeps sealed in the store. Rejects with `upstream_refused` where none of these is to be had.
	 */
	of(asked: Asked): Promise<Client>;
	/** It is not known there any more: the next one registers anew. */
	forget(asked: Pick<Asked, 'server' | 'known' | 'origin'>): Promise<void>;
};

const namespace = '@oauth';

const rowOf = ({server, known: {issuer}, origin}: Pick<Asked, 'server' | 'known' | 'origin'>): string =>
	`client:${server}:${hash('sha256', JSON.stringify([issuer, origin]), 'base64url')}`;

/** Nothing to keep, where that is enough: PKCE says who began. */
const methodFor = ({metadata}: Known): string => {
	const supported = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
	return ['none', 'client_secret_basic', 'client_secret_post'].find(method => supported.includes(method)) ?? 'none';
};

export const openClients = (kv: Pick<Kv, 'space' | 'put'>, seal: Seal, now = Date.now): Clients => {
	const {get} = kv.space(namespace);

	const kept = async (row: string): Promise<Client | undefined> => {
		const text = get(row);
		if (text === undefined) return undefined;
		const {data} = registered.safeParse(await seal.open(row, String(JSON.parse(text))));
		if (!data || (data.expiresAt !== undefined && data.expiresAt < now())) return undefined;
		const {expiresAt: _, ...found} = data;
		return found;
	};

	return {
		async of(asked) {
			const {oauth, reach, known, origin} = asked;
			const {metadata, issuer} = known;
			if (oauth.clientId !== undefined) return {clientId: oauth.clientId};
			// A client id that is an address has https (client id metadata documents).
			if (metadata.client_id_metadata_document_supported === true && origin.startsWith('https:'))
				return {clientId: `${origin}${clientPath}`};
			const row = rowOf(asked);
			const before = await kept(row);
			if (before) return before;
			if (metadata.registration_endpoint === undefined)
				throw new GatewayError('upstream_refused', 'The authorization server wants clients to be registered by hand: write clientId.');
			reach.permit(metadata.registration_endpoint);
			const found = await registerClient(issuer, {
				metadata,
				clientMetadata: clientMetadata(origin, methodFor(known)),
				fetchFn: reach.fetch,
			});
			const {client_id: clientId, client_secret: clientSecret, client_secret_expires_at: ends, token_endpoint_auth_method: method} = found;
			const made = client.parse({clientId, ...(clientSecret && {clientSecret}), ...(method && {method})});
			const until = clientSecret && ends ? {expiresAt: ends * 1_000} : {};
			await kv.put(namespace, {[row]: JSON.stringify(await seal.close(row, {...made, ...until}))});
			return made;
		},
		forget: asked => kv.put(namespace, {[rowOf(asked)]: null}),
	};
};
