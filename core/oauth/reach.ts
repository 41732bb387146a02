import {GatewayError} from '../errors.ts';
import {addressIn, covered, type Grant, grantOf, kindOf, urlOf} from '../sandbox/addresses.ts';
import {type GuardedFetch, guardedFetch} from '../sandbox/http.ts';

/** How authorization servers are asked: no redirect is followed, and no address is reached that is neither public nor named by the config. */
export type Reach = {
	/** As `fetch`, for what the OAuth helpers of the SDK ask. Rejects with `denied` for an address that may not be, or as GuardedFetch does. */
	fetch(url: string | URL, init?: RequestInit): Promise<Response>;
	/** Throws `denied` for an address that may not be, for a browser too: https, or one that the config names. */
	permit(url: string | URL): URL;
	close(): Promise<void>;
};

const mostHosts = 20;
const timeoutMs = 8_000;

const refused = (url: string, why: string): GatewayError => new GatewayError('denied', `${url.slice(0, 200)} ${why}`);

/** `named`: hosts as the config spells them, which may be private and asked over http. */
export const openReach = (named: readonly string[]): Reach => {
	const grants: Grant[] = named.map(grantOf);
	const ways = new Map<string, GuardedFetch>();

	const wayTo = (url: URL): GuardedFetch => {
		const host = covered(url, grants) ? '' : url.host;
		const known = ways.get(host);
		if (known) return known;
		const [oldest] = ways.keys();
		if (ways.size >= mostHosts && oldest !== undefined) {
			void ways.get(oldest)?.close();
			ways.delete(oldest);
		}
		const way = guardedFetch({hosts: host === '' ? named : [host], mostRedirects: 0});
		ways.set(host, way);
		return way;
	};

	const permit = (asked: string | URL): URL => {
		const url = urlOf(String(asked));
		if (!url) throw refused(String(asked), 'is no address');
		if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused(url.protocol, 'is not how an authorization server is asked');
		if (url.username !== '' || url.password !== '') throw refused(url.host, 'has a user name or password before it');
		if (covered(url, grants)) return url;
		if (url.protocol !== 'https:') throw refused(url.host, 'is asked without TLS');
		const address = addressIn(url);
		const kind = address === '' ? undefined : kindOf(address);
		if (kind !== undefined) throw refused(url.host, `is ${kind}, and not named in the config`);
		return url;
	};

	return {
		permit,
		async fetch(asked, init = {}) {
			const url = permit(asked);
			const headers = Object.fromEntries(new Headers(init.headers));
			const body = init.body === undefined || init.body === null ? undefined : String(init.body);
			const answer = await wayTo(url).fetch({
				url: url.href,
				method: init.method ?? 'GET',
				headers,
				...(body !== undefined && {body}),
				timeoutMs,
			});
			const bodyless = answer.status === 204 || answer.status === 304;
			return new Response(bodyless ? null : answer.body, {status: answer.status, headers: answer.headers});
		},
		async close() {
			await Promise.all([...ways.values()].map(way => way.close()));
		},
	};
};
