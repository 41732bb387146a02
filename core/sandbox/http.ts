import {lookup as systemLookup} from 'node:dns/promises';
import {isIP, type LookupFunction} from 'node:net';
import {Agent, errors, Pool} from 'undici';
import type {HttpRequest, HttpResponse} from '../../plugin-sdk/host.ts';
import {GatewayError} from '../errors.ts';
import {addressIn, atAddress, covered, type Grant, grantOf, kindOf, urlOf} from './addresses.ts';

/** Every address of a name. */
export type Lookup = (hostname: string) => Promise<readonly {address: string}[]>;

export type GuardedFetch = {
	/**
	 * Asks a granted host, follows at most five redirects to granted hosts, and resolves with the whole answer, whatever its status. Rejects with
	 * `denied`, `invalid_request`, `upstream_unreachable`, `upstream_timeout`, `upstream_too_large`, `upstream_failed`, `upstream_malformed` or
	 * `shutting_down`. Never connects to an address that is neither public nor named, and never sends twice.
	 */
	fetch(request: HttpRequest): Promise<HttpResponse>;
	/** Ends every connection; what still runs fails with `shutting_down`. */
	close(): Promise<void>;
};

type Hop = {url: URL; method: string; headers: Record<string, string>; body?: string; from?: string};

const defaultTimeoutMs = 10_000;
const maxBytes = 5_000_000;
const usualRedirects = 5;
const connectionsPerOrigin = 8;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const redirects = new Set([301, 302, 303, 307, 308]);

/** Headers that frame a message or belong to one connection (RFC 9110, section 7.6.1), and those that are ours to say. */
const notTheirs =
	/^(host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|content-length|accept-encoding|http2-settings|proxy-.*)$/;
const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** More than the Fetch standard drops: a plugin's key may travel in any header. */
const credential = /auth|cookie|key|secret|token/;
const aboutTheBody = /^content-/;

const denied = ({url, from}: Pick<Hop, 'url' | 'from'>, why: string, grant?: string): GatewayError => {
	const line = grant === undefined ? '' : `; add grants: {http: ['${grant}']} to its entry in gateway.config.ts`;
	return new GatewayError('denied', `${from ? `${from} redirected to ` : ''}${url.host || 'this URL'} ${why}${line}`);
};

const invalid = (param: string, message: string): GatewayError => new GatewayError('invalid_request', message, {param});

/** What no list can allow. */
const unlendable = ({protocol, username, password}: URL): string | undefined => {
	if (protocol !== 'http:' && protocol !== 'https:') return `is asked with ${protocol}, and only http: and https: are lent`;
	return username === '' && password === '' ? undefined : 'has a user name or password before it; send an authorization header';
};

const permit = (hop: Pick<Hop, 'url' | 'from'>, grants: readonly Grant[]): void => {
	const why = unlendable(hop.url);
	if (why !== undefined) throw denied(hop, why);
	if (covered(hop.url, grants)) return;
	const address = addressIn(hop.url);
	const kind = address === '' ? undefined : kindOf(address);
	throw denied(hop, `${kind ? `(${kind}) ` : ''}is not among the hosts this plugin may ask`, hop.url.host);
};

/** Whether the list alone lets a plugin ask for this URL; the address behind a name is checked when it is connected to. */
export const hostAllowed = (url: string | URL, hosts: readonly string[]): boolean => {
	const asked = urlOf(String(url));
	return asked !== undefined && unlendable(asked) === undefined && covered(asked, hosts.map(grantOf));
};

/** Net connects to what this hands over and to nothing else, so there is no second answer of DNS to be fooled by. */
const checkedLookup =
	(url: URL, grants: readonly Grant[], lookup: Lookup): LookupFunction =>
	(hostname, {all}, callback) => {
		const resolved = async (): Promise<{address: string; family: number}[]> => {
			const found = await lookup(hostname);
			if (found.length === 0) throw new GatewayError('upstream_unreachable', `${url.host} has no address.`);
			for (const {address} of found) {
				const kind = kindOf(address);
				if (kind === undefined) continue;
				if (isIP(address) === 0 || address.includes('%')) throw denied({url}, `resolves to something that is ${kind}`);
				const itself = atAddress(url, address);
				if (covered(itself, grants)) continue;
				throw denied({url}, `resolves to ${address} (${kind}), which has to be named itself`, itself.host);
			}
			return found.map(({address}) => ({address, family: isIP(address)}));
		};
		resolved().then(
			found => (all ? callback(null, found) : callback(null, found[0]!.address, found[0]!.family)),
			(thrown: Error) => callback(thrown, ''),
		);
	};

const brokeOff = new Set(['UND_ERR_SOCKET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

/** Causes are text: a parser's error carries the bytes it stumbled over. */
const failure = (host: string, thrown: unknown): GatewayError => {
	if (thrown instanceof GatewayError) return thrown;
	const code = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
	const cause = `${code}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
	if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED')
		return new GatewayError('shutting_down', 'The gateway is stopping.', {cause});
	if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
		return new GatewayError('upstream_too_large', `${host} answered with more than ${maxBytes} bytes.`, {cause});
	}
	if (code === 'UND_ERR_CONNECT_TIMEOUT')
		return new GatewayError('upstream_timeout', `${host} did not take the connection in time.`, {cause});
	if (brokeOff.has(code)) return new GatewayError('upstream_failed', `${host} broke the connection off.`, {cause});
	// A parser's error has no code of its own in undici 8.12.
	if (thrown instanceof errors.HTTPParserError || code === 'UND_ERR_HEADERS_OVERFLOW') {
		return new GatewayError('upstream_malformed', `${host} answered with something that is not HTTP/1.1.`, {cause});
	}
	return new GatewayError('upstream_unreachable', `${host} could not be reached.`, {cause});
};

const firstHop = ({url: text, method: asked = 'GET', headers: given = {}, body}: HttpRequest): Hop => {
	const url = urlOf(text);
	if (!url) throw invalid('url', 'url is not a URL with a host name or an address in it');
	const method = asked.toUpperCase();
	if (!methods.has(method)) throw invalid('method', `method is not one of ${[...methods].join(', ')}`);
	if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw invalid('body', `${method} has no body`);
	const headers: Record<string, string> = {};
	for (const [key, value] of Object.entries(given)) {
		const name = key.toLowerCase();
		if (!headerName.test(name)) throw invalid('headers', 'a header name has a character that names cannot have');
		if (notTheirs.test(name)) throw invalid(`headers.${name}`, `${name} is the gateway's to set`);
		if (Object.hasOwn(headers, name)) throw invalid(`headers.${name}`, `${name} is there twice`);
		if (!headerValue.test(value)) throw invalid(`headers.${name}`, `${name} has a character that values cannot have`);
		headers[name] = value;
	}
	return {url, method, headers, body};
};

/** The next request, as the Fetch standard rewrites it (section 4.4, HTTP-redirect fetch). */
const redirected = ({url: before, method, headers, body}: Hop, status: number, location: string | string[]): Hop => {
	const url = typeof location === 'string' ? urlOf(location, before) : undefined;
	if (!url) throw new GatewayError('upstream_malformed', `${before.host} redirected to something that is not a URL.`);
	const bodyless = (status === 303 && method !== 'GET' && method !== 'HEAD') || ((status === 301 || status === 302) && method === 'POST');
	const kept = Object.entries(headers).filter(
		([name]) => !(bodyless && aboutTheBody.test(name)) && (url.origin === before.origin || !credential.test(name)),
	);
	const next = {url, headers: Object.fromEntries(kept), from: before.host};
	return bodyless ? {...next, method: 'GET'} : {...next, method, body};
};

/** One plugin's way out: the hosts its config grants, over connections nobody else uses. Throws `denied` when `hosts` has an entry that is none. */
export const guardedFetch = ({
	hosts,
	lookup = hostname => systemLookup(hostname, {all: true}),
	mostRedirects = usualRedirects,
}: {
	hosts: readonly string[];
	lookup?: Lookup;
	/** 0: none is followed, and one is `upstream_failed`. */
	mostRedirects?: number;
}): GuardedFetch => {
	const grants = hosts.map(grantOf);
	const agent = new Agent({
		factory: origin =>
			new Pool(origin, {
				connections: connectionsPerOrigin,
				allowH2: false,
				keepAliveMaxTimeout: 30_000,
				maxResponseSize: maxBytes,
				// The one timer that covers every hop is in `fetch`.
				headersTimeout: 0,
				bodyTimeout: 0,
				connect: {timeout: defaultTimeoutMs, lookup: checkedLookup(new URL(origin), grants, lookup)},
			}),
	});

	const send = async ({url, method, headers, body}: Hop, signal: AbortSignal) => {
		try {
			const answer = await agent.request({
				origin: url.origin,
				path: url.pathname + url.search,
				method,
				headers: {'user-agent': 'sallyport', ...headers, 'accept-encoding': 'identity'},
				body,
				signal,
			});
			return {status: answer.statusCode, headers: answer.headers, body: await answer.body.text()};
		} catch (thrown) {
			throw failure(url.host, thrown);
		}
	};

	const follow = async (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> => {
		let hop = firstHop(request);
		for (let followed = 0; ; followed++) {
			permit(hop, grants);
			const {status, headers, body} = await send(hop, signal);
			if (!redirects.has(status) || headers.location === undefined) {
				const encoding = headers['content-encoding'];
				if (body !== '' && encoding !== undefined && encoding !== 'identity') {
					throw new GatewayError('upstream_malformed', `${hop.url.host} encoded its answer, though it was asked not to.`);
				}
				const lines = Object.entries(headers).map(([name, value = '']) => [name, typeof value === 'string' ? value : value.join(', ')]);
				return {status, headers: Object.fromEntries(lines), body};
			}
			if (followed === mostRedirects)
				throw new GatewayError('upstream_failed', `${hop.url.host} redirected more than ${mostRedirects} times.`);
			hop = redirected(hop, status, headers.location);
		}
	};

	return {
		async fetch(request) {
			const {timeoutMs = defaultTimeoutMs} = request;
			const late = Promise.withResolvers<never>();
			const stop = new AbortController();
			const timer = setTimeout(() => {
				const error = new GatewayError('upstream_timeout', `${urlOf(request.url)?.host} did not answer within ${timeoutMs} ms.`);
				stop.abort(error);
				// A request that still waits for its connection does not hear the signal.
				late.reject(error);
			}, timeoutMs);
			try {
				return await Promise.race([follow(request, stop.signal), late.promise]);
			} finally {
				clearTimeout(timer);
			}
		},
		close: () => agent.destroy(),
	};
};
