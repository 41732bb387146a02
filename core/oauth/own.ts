import {hash} from 'node:crypto';
import type {Logger} from 'pino';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import {type Asker, type Credential, oauthFailure, openHeldToken} from './credential.ts';
import type {Known} from './discover.ts';
import type {Held, TokenRequests} from './tokens.ts';

type Options = {
	server: string;
	oauth: ResolvedOAuth;
	discover: () => Promise<Known>;
	requests: TokenRequests;
	log: Logger;
	now?: () => number;
};

const none = async (): Promise<undefined> => undefined;

/** The gateway's own token (client credentials), whoever asks. It is kept in memory alone. */
export const clientCredentials = ({server, oauth, discover, requests, log, now = Date.now}: Options): Credential => {
	const ask = async (): Promise<Held> => {
		try {
			const known = await discover();
			const scope = known.scopes.join(' ');
			return await requests.grant(known, {
				client_id: oauth.clientId!,
				grant_type: 'client_credentials',
				...(scope !== '' && {scope}),
			});
		} catch (thrown) {
			throw oauthFailure(server, thrown, log);
		}
	};
	const {token, renewed} = openHeldToken(server, ask, now);
	return {token: () => token(), renewed: (_, refused) => renewed(refused), refusal: none};
};

const tokenType = 'urn:ietf:params:oauth:token-type:access_token';
const mostCallers = 5_000;

/** A JWT, as an identity provider gives to users; a key of this gateway's is nothing that anybody else is shown. */
const isExchangeable = ({principal, token}: Asker): boolean =>
	principal.key === undefined && token !== undefined && /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);

/** For the token that a caller came with another one, for this server (RFC 8693). The caller's own is shown to the token endpoint alone. */
export const tokenExchange = ({server, oauth, discover, requests, log, now = Date.now}: Options): Credential => {
	type Exchanged = ReturnType<typeof openHeldToken>;
	const exchanged = new Map<string, Exchanged>();

	const ask = async (subject: string): Promise<Held> => {
		try {
			const known = await discover();
			const scope = known.scopes.join(' ');
			const held = await requests.grant(known, {
				client_id: oauth.clientId!,
				grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
				subject_token: subject,
				subject_token_type: tokenType,
				requested_token_type: tokenType,
				...(oauth.audience !== undefined && {audience: oauth.audience}),
				...(scope !== '' && {scope}),
			});
			if (held.accessToken === subject) throw new Error("the token endpoint gave the caller's own token back");
			return held;
		} catch (thrown) {
			throw oauthFailure(server, thrown, log);
		}
	};

	const exchangedOf = (asker: Asker): Exchanged => {
		if (!isExchangeable(asker))
			throw new GatewayError(
				'denied',
				`"${server}" is asked in the name of a user of the identity provider: come with its token, not with a key.`,
			);
		const subject = asker.token!;
		const name = hash('sha256', subject, 'base64url');
		const known = exchanged.get(name);
		if (known) return known;
		if (exchanged.size >= mostCallers) for (const [key, one] of exchanged) if (one.isOver()) exchanged.delete(key);
		const [oldest] = exchanged.keys();
		if (exchanged.size >= mostCallers && oldest !== undefined) exchanged.delete(oldest);
		const made = openHeldToken(server, () => ask(subject), now);
		exchanged.set(name, made);
		return made;
	};

	return {
		token: async asker => exchangedOf(asker).token(),
		renewed: async (asker, refused) => exchangedOf(asker).renewed(refused),
		refusal: none,
	};
};
