import {hash, randomBytes} from 'node:crypto';
import {startAuthorization} from '@modelcontextprotocol/sdk/client/auth.js';
import {InvalidClientError} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type {Logger} from 'pino';
import * as z from 'zod';
import type {Principal} from '../../schemas/principal.ts';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import type {Client, Clients} from './clients.ts';
import {type Asker, holderOf, oauthFailure} from './credential.ts';
import type {Discover, Known} from './discover.ts';
import type {Links} from './links.ts';
import {callbackPath} from './paths.ts';
import type {Reach} from './reach.ts';
import type {Seal} from './seal.ts';
import type {TokenRequests} from './tokens.ts';
import {linkOf} from './user.ts';

/** A server at which users have accounts of their own. */
export type Place = {
	url: string;
	oauth: ResolvedOAuth;
	discover: Discover;
	requests: TokenRequests;
	reach: Reach;
};

const ticket = z.strictObject({server: z.string(), holder: z.string(), who: z.string(), scopes: z.array(z.string()), until: z.number()});
export type Ticket = z.output<typeof ticket>;

const state = z.strictObject({
	id: z.string(),
	server: z.string(),
	holder: z.string(),
	who: z.string(),
	verifier: z.string(),
	issuer: z.string(),
	clientId: z.string(),
	origin: z.string(),
	/** SHA-256 of what the browser was given to show. */
	browser: z.string(),
	until: z.number(),
});

/** How users connect their accounts: a link, a page that asks, the authorization server, and the way back. */
export type Connect = {
	/** The error that carries the link. */
	invite(server: string, asker: Asker, scopes?: readonly string[]): Promise<GatewayError>;
	/** What a link was made for, and where it leads. Rejects with `not_found`, `denied` or an `upstream_…`. */
	invited(server: string, sealed: string): Promise<{ticket: Ticket; known: Known; url: string}>;
	/** The address at which the user logs in. `browser` is what only this browser can show when it comes back. */
	begin(server: string, sealed: string, from: {origin: string; browser: string}): Promise<URL>;
	/** Takes what came back, once, and keeps the tokens. Rejects with `denied` for what is forged, used, late, of another browser or issuer. */
	finish(query: URLSearchParams, browser: string | undefined): Promise<{server: string; who: string}>;
	/** Forgets what the user entrusted; what the server itself gave away, the server has to take back. Rejects with `not_found`. */
	forget(server: string, principal: Principal): Promise<void>;
};

type Options = {
	places: ReadonlyMap<string, Place>;
	seal: Seal;
	links: Links;
	clients: Clients;
	once: (name: string, expiresAt: number) => Promise<boolean>;
	log: Logger;
	now?: () => number;
};

const ticketMs = 900_000;
const stateMs = 600_000;

const sha256 = (text: string): string => hash('sha256', text, 'base64url');
const denied = (message: string): GatewayError => new GatewayError('denied', message);
const again = 'Ask your client for a new link, and open it once.';

export const openConnect = ({places, seal, links, clients, once, log, now = Date.now}: Options): Connect => {
	const placeOf = (server: string): Place => {
		const place = places.get(server);
		if (place) return place;
		throw new GatewayError('not_found', 'There is no server of that name to connect to.');
	};

	const clientOf = async (server: string, known: Known, origin: string): Promise<Client> => {
		try {
			return await clients.of({server, ...placeOf(server), known, origin});
		} catch (thrown) {
			throw oauthFailure(server, thrown, log);
		}
	};

	const opened = async (server: string, sealed: string): Promise<Ticket> => {
		const {data} = ticket.safeParse(await seal.open('oauth-ticket', sealed));
		if (!data || data.server !== server) throw denied(`This is no link of this gateway’s. ${again}`);
		if (data.until < now()) throw denied(`This link is too old. ${again}`);
		return data;
	};

	const known = async (server: string): Promise<Known> => {
		try {
			return await placeOf(server).discover();
		} catch (thrown) {
			throw oauthFailure(server, thrown, log);
		}
	};

	return {
		async invite(server, asker, scopes = []) {
			const {principal, origin} = asker;
			const facts: Ticket = {
				server,
				holder: holderOf(principal),
				who: principal.user ?? principal.id,
				scopes: [...scopes],
				until: now() + ticketMs,
			};
			const link = `${origin()}/oauth/connect/${server}?ticket=${await seal.close('oauth-ticket', facts)}`;
			const message = `Your account at "${server}" is not connected${scopes.length > 0 ? ' for this' : ''}. Open this link in a browser, then ask again: ${link}`;
			return new GatewayError('connect_required', message, {link});
		},

		async invited(server, sealed) {
			const {url} = placeOf(server);
			return {ticket: await opened(server, sealed), known: await known(server), url};
		},

		async begin(server, sealed, {origin, browser}) {
			const place = placeOf(server);
			const {holder, who, scopes: lacking} = await opened(server, sealed);
			const found = await known(server);
			const {issuer, metadata, resource} = found;
			const {clientId} = await clientOf(server, found, origin);
			const redirectUri = `${origin}${callbackPath}`;
			const scope = [...new Set([...found.scopes, ...lacking])].join(' ');
			const asked = {metadata, clientInformation: {client_id: clientId}, redirectUrl: redirectUri, ...(scope !== '' && {scope}), resource};
			const {authorizationUrl, codeVerifier: verifier} = await startAuthorization(issuer, asked);
			const id = randomBytes(16).toString('base64url');
			const facts = {id, server, holder, who, verifier, issuer, clientId, origin, browser: sha256(browser), until: now() + stateMs};
			authorizationUrl.searchParams.set('state', await seal.close('oauth-state', facts));
			place.reach.permit(authorizationUrl);
			return authorizationUrl;
		},

		async finish(query, browser) {
			for (const name of ['state', 'code', 'iss', 'error'])
				if (query.getAll(name).length > 1) throw denied(`What came back says ${name} twice.`);
			const {data} = state.safeParse(await seal.open('oauth-state', query.get('state') ?? ''));
			if (!data) throw denied(`Nobody here has asked for this. ${again}`);
			if (data.until < now()) throw denied(`This took too long. ${again}`);
			// Somebody else's answer, handed on to this browser or away from it, connects nobody's account to another one's key.
			if (browser === undefined || sha256(browser) !== data.browser) throw denied(`This was begun in another browser. ${again}`);
			if (!(await once(`oauth.state:${data.id}`, data.until + stateMs))) throw denied(`This has been used. ${again}`);
			const {server, holder, who, verifier, issuer, clientId, origin} = data;
			const place = placeOf(server);
			const found = await known(server);
			// RFC 9207: whose answer this is, before anything else of it is believed.
			const iss = query.get('iss');
			if (found.issuer !== issuer || (iss === null ? found.saysIssuer : iss !== issuer))
				throw denied(`Another authorization server answered. ${again}`);
			const error = query.get('error');
			if (error !== null)
				throw denied(`The authorization server says no: ${/^[\w.-]{1,60}$/.test(error) ? error : 'an error of its own'}.`);
			const code = query.get('code');
			if (code === null || code === '') throw denied(`Nothing came back to connect with. ${again}`);
			const client = await clientOf(server, found, origin);
			if (client.clientId !== clientId) throw denied(`This gateway goes by another name there by now. ${again}`);
			try {
				const held = await place.requests.redeem(found, client, {code, verifier, redirectUri: `${origin}${callbackPath}`});
				await links.put(server, holder, linkOf(held, {issuer, client, url: place.url}, now()));
			} catch (thrown) {
				if (thrown instanceof InvalidClientError) await clients.forget({server, known: found, origin});
				throw oauthFailure(server, thrown, log);
			}
			return {server, who};
		},

		async forget(server, principal) {
			placeOf(server);
			await links.drop(server, holderOf(principal));
		},
	};
};
