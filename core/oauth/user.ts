import {InvalidClientError, InvalidGrantError} from '@modelcontextprotocol/sdk/server/auth/errors.js';
import type {Logger} from 'pino';
import type {ResolvedOAuth} from '../config/resolve.ts';
import {GatewayError} from '../errors.ts';
import {type Asker, aheadMs, type Credential, holderOf, isFresh, oauthFailure} from './credential.ts';
import type {Discover} from './discover.ts';
import type {Link, Links} from './links.ts';
import type {Held, TokenRequests} from './tokens.ts';

type Options = {
	server: string;
	url: string;
	oauth: ResolvedOAuth;
	discover: Discover;
	requests: TokenRequests;
	links: Links;
	/** The error that carries the link at which this asker connects. */
	invite: (asker: Asker, scopes?: readonly string[]) => Promise<GatewayError>;
	/** The name it has registered under is not known to the authorization server any more. */
	forgetClient: (asker: Asker) => Promise<void>;
	/** True for one caller at most among all processes. */
	once: (name: string, expiresAt: number) => Promise<boolean>;
	log: Logger;
	now?: () => number;
};

/** Whoever may spend a refresh token may until this and the next span are over: longer than an authorization server may take. */
const spanMs = 10_000;
const patienceMs = 12_000;
const lookMs = 250;
const mostTries = 5;
/** A token that is refused right after it came would be refused again. */
const newMs = 5_000;
/** Users whose refresh failed in the last seconds; beyond, it is tried sooner than need be. */
const mostFailed = 1_000;

/** What stands in the store of a token that came just now. */
export const linkOf = (held: Held, facts: Pick<Link, 'issuer' | 'client' | 'url'>, now: number): Omit<Link, 'generation'> => ({
	...held,
	...facts,
	...(held.expiresAt !== undefined && {lifeMs: held.expiresAt - now}),
});

/** RFC 6750, section 3, in a challenge that is a stranger's. */
const scopesIn = (challenge: string | undefined): string[] => {
	const [, text = ''] = /\bscope="([\x20\x21\x23-\x5b\x5d-\x7e]{1,1000})"/.exec(challenge ?? '') ?? [];
	return text.split(' ').filter(scope => scope !== '');
};

/** Each user's own tokens (authorization code). Before one ends it is refreshed, by one process of all: a refresh token may be good once. */
export const userTokens = ({
	server,
	url,
	oauth,
	discover,
	requests,
	links,
	invite,
	forgetClient,
	once,
	log,
	now = Date.now,
}: Options): Credential => {
	const refreshing = new Map<string, Promise<Link>>();
	const failed = new Map<string, {generation: string; at: number; error: GatewayError}>();

	/** What was issued under another config is nothing. */
	const fits = (link: Link): boolean =>
		link.url === url && (oauth.issuer ?? link.issuer) === link.issuer && (oauth.clientId ?? link.client.clientId) === link.client.clientId;

	const linked = async (asker: Asker): Promise<Link> => {
		const {principal} = asker;
		if (principal.tenant === 'anonymous' && principal.key === undefined && principal.user === undefined)
			throw new GatewayError('denied', `"${server}" is asked in the name of a user: come with a key.`);
		const link = await links.of(server, holderOf(principal));
		if (link && fits(link)) return link;
		throw await invite(asker);
	};

	/** The refresh token before this one is used up: a store that is away for a moment must not cost a user's connection. */
	const kept = async (holder: string, link: Omit<Link, 'generation'>): Promise<Link> => {
		for (let tries = 1; ; tries++) {
			try {
				return await links.put(server, holder, link);
			} catch (thrown) {
				if (tries === mostTries) throw thrown;
				await new Promise(resolve => setTimeout(resolve, lookMs * tries));
			}
		}
	};

	const spent = async (link: Link, asker: Asker): Promise<Link> => {
		const holder = holderOf(asker.principal);
		try {
			const known = await discover();
			// What one authorization server issued is shown to no other.
			if (known.issuer !== link.issuer) throw await invite(asker);
			const {issuer, client} = link;
			const held = await requests.refresh(known, client, link.refreshToken!);
			const scopes = held.scopes ?? link.scopes;
			return await kept(holder, linkOf({...held, ...(scopes && {scopes})}, {issuer, client, url}, now()));
		} catch (thrown) {
			// A name that the gateway registered by itself may be forgotten there.
			const isOver = thrown instanceof InvalidGrantError || (thrown instanceof InvalidClientError && oauth.clientId === undefined);
			if (!isOver) throw oauthFailure(server, thrown, log);
			if (thrown instanceof InvalidClientError) await forgetClient(asker);
			const newer = await links.of(server, holder);
			if (newer && newer.generation !== link.generation) return newer;
			await links.drop(server, holder);
			throw await invite(asker);
		}
	};

	const mayRefresh = async ({generation}: Link): Promise<boolean> => {
		const span = Math.floor(now() / spanMs);
		const claim = (at: number): Promise<boolean> => once(`oauth.refresh:${generation}:${at}`, (at + 2) * spanMs);
		return (await claim(span)) && (await claim(span + 1));
	};

	const refresh = async (link: Link, asker: Asker): Promise<Link> => {
		const holder = holderOf(asker.principal);
		const before = failed.get(holder);
		if (before?.generation === link.generation && now() - before.at < spanMs * 2) throw before.error;
		for (const until = now() + patienceMs; now() < until; ) {
			if (await mayRefresh(link)) {
				try {
					return await spent(link, asker);
				} catch (thrown) {
					const isTheirs = thrown instanceof GatewayError && thrown.code !== 'connect_required';
					if (failed.size >= mostFailed) failed.clear();
					if (isTheirs) failed.set(holder, {generation: link.generation, at: now(), error: thrown});
					throw thrown;
				}
			}
			await links.changed(server, holder, lookMs);
			const there = await links.of(server, holder);
			if (!there) throw await invite(asker);
			if (there.generation !== link.generation) return there;
		}
		throw new GatewayError('upstream_timeout', `The token for "${server}" was not refreshed in time.`);
	};

	const refreshed = (link: Link, asker: Asker): Promise<Link> => {
		const holder = holderOf(asker.principal);
		const known = refreshing.get(holder);
		if (known) return known;
		const under = refresh(link, asker).finally(() => refreshing.delete(holder));
		refreshing.set(holder, under);
		return under;
	};

	const tokenOf = async (asker: Asker): Promise<string> => {
		const link = await linked(asker);
		if (isFresh(link, now(), Math.min(aheadMs, (link.lifeMs ?? aheadMs) / 2))) return link.accessToken;
		const isGood = isFresh(link, now(), 0);
		if (link.refreshToken === undefined) {
			if (isGood) return link.accessToken;
			throw await invite(asker);
		}
		try {
			return (await refreshed(link, asker)).accessToken;
		} catch (thrown) {
			if (isGood && thrown instanceof GatewayError && thrown.code !== 'connect_required') return link.accessToken;
			throw thrown;
		}
	};

	return {
		token: tokenOf,
		async renewed(asker, refused) {
			const link = await linked(asker);
			if (link.accessToken !== refused) return link.accessToken;
			discover.forget();
			const isNew = link.expiresAt !== undefined && link.lifeMs !== undefined && now() - (link.expiresAt - link.lifeMs) < newMs;
			if (link.refreshToken === undefined || isNew) throw await invite(asker);
			return (await refreshed(link, asker)).accessToken;
		},
		async refusal(asker, challenge) {
			const had = await links.of(server, holderOf(asker.principal));
			return invite(asker, [...new Set([...(had?.scopes ?? []), ...scopesIn(challenge)])]);
		},
	};
};
