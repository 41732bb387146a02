import {hash} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import type {Principal} from '../schemas/principal.ts';
import {GatewayError} from './errors.ts';
import type {Exchange} from './exchange.ts';
import type {Fields, Hooks} from './hooks.ts';

type Credential = {scheme?: string; token?: string};

const maxTokenChars = 8_192;

/** The one credential of a request: `authorization`, `x-api-key` or `x-goog-api-key`. Two that differ are refused, not chosen from. */
const credentialOf = (headers: IncomingHttpHeaders): Credential => {
	const {authorization} = headers;
	const found: Credential[] = [];
	if (authorization !== undefined) {
		const space = authorization.indexOf(' ');
		const scheme = space < 0 ? authorization : authorization.slice(0, space);
		// What is there and cannot be read is a credential that is not good, and never none.
		found.push({scheme: scheme.toLowerCase(), token: space < 0 ? '' : authorization.slice(space + 1).trim()});
	}
	for (const name of ['x-api-key', 'x-goog-api-key']) {
		const token = headers[name];
		if (typeof token === 'string') found.push({scheme: name, token});
	}
	const [first, ...others] = found;
	if (others.some(({token}) => token !== first!.token))
		throw new GatewayError('unauthenticated', 'There are two different credentials; send one.');
	if (first?.token && first.token.length > maxTokenChars)
		throw new GatewayError('unauthenticated', 'The credential is too long to be one.');
	return first ?? {};
};

const anonymous: Principal = {id: 'anonymous', tenant: 'anonymous', tags: [], accounts: []};

/** Asks pre-auth who is there, and notes it on the exchange. Throws `unauthenticated` when nobody can say. */
export const identify = async (
	hooks: Hooks,
	exchange: Exchange,
	headers: IncomingHttpHeaders,
	admitAnyone: boolean,
): Promise<Principal> => {
	const credential = credentialOf(headers);
	const fields: Fields = path => {
		switch (path) {
			case 'method':
				return exchange.method;
			case 'path':
				return exchange.path;
			case 'ip':
				return exchange.ip;
			case 'surface':
				return exchange.surface;
			case 'resource':
				return exchange.resource;
			case 'credential.scheme':
				return credential.scheme;
			case 'credential.token':
				return credential.token;
			case 'credential.sha256':
				return credential.token === undefined ? undefined : hash('sha256', credential.token, 'hex');
			default:
				return headerField(headers, path);
		}
	};
	await hooks.ask('pre-auth', exchange, fields, (verdict, {plugin}) => {
		if (verdict.verdict !== 'identify') return undefined;
		exchange.principal = verdict.principal;
		exchange.identifiedBy = plugin.name;
		exchange.endsAt = verdict.principal.expiresAt;
		return 'end';
	});
	// A key that nobody knows is refused even where anybody may come without one.
	const isAnonymous = admitAnyone && (credential.token === undefined || !hooks.listens('pre-auth', exchange));
	exchange.principal ??= isAnonymous ? anonymous : undefined;
	if (exchange.principal) {
		exchange.tags = tagsOf(exchange, headers);
		exchange.session = sessionOf(headers);
		return exchange.principal;
	}
	throw new GatewayError('unauthenticated', credential.token ? 'This key is not known here.' : 'There is no key in the request.');
};

const tag = /^[\w.:/@+-]{1,200}$/;
const mostOwnTags = 20;

/** The tags of a principal, and those that a trusted one names itself. What anybody else names is noted as ignored, and nothing more. */
const tagsOf = (exchange: Exchange, headers: IncomingHttpHeaders): string[] => {
	const {tags, mayTag} = exchange.principal!;
	const named = headers['x-sallyport-tags'];
	if (named === undefined) return [...tags];
	if (!mayTag) {
		exchange.annotations['tags.ignored'] = true;
		return [...tags];
	}
	const own = String(named)
		.split(',')
		.map(text => text.trim());
	if (own.length <= mostOwnTags && own.every(text => tag.test(text))) return [...new Set([...tags, ...own])];
	throw new GatewayError(
		'invalid_request',
		`x-sallyport-tags is up to ${mostOwnTags} tags with commas between them, of letters, digits and . _ : / @ + -.`,
		{param: 'x-sallyport-tags'},
	);
};

/** What the client calls the run that this exchange is part of. */
const sessionOf = (headers: IncomingHttpHeaders): string | undefined => {
	const session = headers['x-sallyport-session'];
	if (session === undefined) return undefined;
	if (typeof session === 'string' && /^[\w.:-]{1,200}$/.test(session)) return session;
	throw new GatewayError('invalid_request', 'x-sallyport-session is up to 200 letters, digits, dots, colons, dashes and underscores.', {
		param: 'x-sallyport-session',
	});
};

const secretHeaders = new Set(['authorization', 'x-api-key', 'x-goog-api-key', 'cookie', 'proxy-authorization']);

/** `headers.<name>`, but never one that holds a credential: those are `credential.*`. */
export const headerField = (headers: IncomingHttpHeaders, path: string): string | undefined => {
	const name = path.slice('headers.'.length).toLowerCase();
	const value = secretHeaders.has(name) ? undefined : headers[name];
	return Array.isArray(value) ? value.join(', ') : value;
};
