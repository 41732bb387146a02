import {OAuthError} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type {Logger} from 'pino';
import type {Principal} from '../../schemas/principal.ts';
import {GatewayError} from '../errors.ts';
import type {Held} from './tokens.ts';

/** On whose behalf a server is asked. */
export type Asker = {
	principal: Principal;
	/** What the client came with as a bearer; it goes to nobody but the token endpoint of a token exchange. */
	token: string | undefined;
	/** By which origin the client knows this gateway. Throws `not_found` where nobody knows. */
	origin: () => string;
};

/** What a server is shown, for each asker's requests. */
export type Credential = {
	/** Rejects with `connect_required`, `denied`, or an `upstream_…` that says what the authorization server did. */
	token(asker: Asker): Promise<string>;
	/** Another one, since the server refused this. Rejects likewise, with `upstream_refused` where there is no other. */
	renewed(asker: Asker, refused: string): Promise<string>;
	/** What to tell when the server refuses what even the best token of this asker may: by its challenge, perhaps. */
	refusal(asker: Asker, challenge: string | undefined): Promise<GatewayError | undefined>;
};

/** Whose tokens they are: the user's, through whatever key; where a key is nobody's in particular, its own. */
export const holderOf = ({tenant, id, user, key}: Principal): string =>
	JSON.stringify(user === undefined ? ['key', tenant, id, key ?? null] : ['user', tenant, user]);

/** A token this close to its end is exchanged for another before it is shown. */
export const aheadMs = 60_000;

/** Still good when the server looks at it; one that lives no longer than that is used for half its life. */
export const isFresh = ({expiresAt}: Held, now: number, ahead = aheadMs): boolean => expiresAt === undefined || expiresAt - now > ahead;

/** What its words are made of: they are a stranger's, and go to a client or into a log. */
const plain = (code: string): string => (/^[\w.-]{1,60}$/.test(code) ? code : 'an error of its own');

/** What became of a question to an authorization server, as an error of the gateway's; what it said stays in the log. */
export const oauthFailure = (server: string, thrown: unknown, log: Logger): GatewayError => {
	// What is no doing of the authorization server's.
	if (thrown instanceof GatewayError && ['connect_required', 'store_unavailable', 'shutting_down'].includes(thrown.code)) return thrown;
	const reason =
		thrown instanceof OAuthError ? plain(thrown.errorCode) : thrown instanceof Error ? thrown.message.slice(0, 300) : 'unknown';
	log.warn({server, reason}, 'an authorization server gave no token');
	if (thrown instanceof OAuthError)
		return new GatewayError('upstream_refused', `The authorization server of "${server}" gives no token: ${plain(thrown.errorCode)}.`);
	if (thrown instanceof GatewayError && (thrown.code === 'upstream_timeout' || thrown.code === 'upstream_unreachable'))
		return new GatewayError('upstream_unreachable', `The authorization server of "${server}" does not answer.`);
	return new GatewayError('upstream_refused', `The authorization server of "${server}" cannot be used; the gateway's log says why.`);
};

/** A server that refuses new tokens too is not given a third within this time. */
const pauseMs = 5_000;

/** Keeps one token in memory, and asks for the next one once, whoever needs it meanwhile. */
export const openHeldToken = (server: string, ask: () => Promise<Held>, now: () => number) => {
	let held: Held | undefined;
	let asking: Promise<Held> | undefined;
	let renewedAt = Number.NEGATIVE_INFINITY;
	let lifeMs = Number.POSITIVE_INFINITY;

	const next = (): Promise<Held> => {
		asking ??= ask()
			.then(found => {
				held = found;
				lifeMs = (found.expiresAt ?? Number.POSITIVE_INFINITY) - now();
				return found;
			})
			.finally(() => {
				asking = undefined;
			});
		return asking;
	};

	return {
		async token(): Promise<string> {
			if (held && isFresh(held, now(), Math.min(aheadMs, lifeMs / 2))) return held.accessToken;
			const before = held;
			try {
				return (await next()).accessToken;
			} catch (thrown) {
				// It is good for a moment yet.
				if (before && isFresh(before, now(), 0)) return before.accessToken;
				throw thrown;
			}
		},
		async renewed(refused: string): Promise<string> {
			if (held && held.accessToken !== refused) return held.accessToken;
			// Another one is on its way already.
			if (asking) return (await asking).accessToken;
			if (now() - renewedAt < pauseMs) throw new GatewayError('upstream_refused', `The MCP server "${server}" does not accept its tokens.`);
			renewedAt = now();
			return (await next()).accessToken;
		},
		isOver: (): boolean => held !== undefined && !isFresh(held, now(), 0),
	};
};
