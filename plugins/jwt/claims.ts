import type {identify} from '../../plugin-sdk/index.ts';
import type {Config, From} from './config.ts';
import {type Claims, claimAt, type Token} from './decode.ts';

type Principal = Parameters<typeof identify>[0];

/** Why a token is not good, in words that its bearer may read. */
export type Refused = {code: 'unauthenticated' | 'key_expired'; message: string};

const refused = (message: string, code: Refused['code'] = 'unauthenticated'): Refused => ({code, message});

const seconds = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** The last moment of a Date (ECMA-262, section 21.4.1.1). */
const lastMoment = 8.64e15;

/** Until when a token is good, in milliseconds since 1970, clocks' tolerance included. */
export const endOf = ({exp, iat}: Claims, {toleranceSeconds, maxAgeSeconds}: Config): number => {
	const age = maxAgeSeconds === undefined ? Number.POSITIVE_INFINITY : (seconds(iat) ?? 0) + maxAgeSeconds;
	return Math.min(Math.floor((Math.min(seconds(exp) ?? 0, age) + toleranceSeconds) * 1_000), lastMoment);
};

const againstTimes = (claims: Claims, config: Config, now: number): Refused | undefined => {
	const {exp, nbf, iat} = claims;
	const latest = now / 1_000 + config.toleranceSeconds;
	if (seconds(exp) === undefined) return refused('This token has no end.');
	if (nbf !== undefined && (seconds(nbf) === undefined || seconds(nbf)! > latest)) return refused('This token is not good yet.');
	if (iat !== undefined && (seconds(iat) === undefined || seconds(iat)! > latest)) return refused('This token is from the future.');
	if (config.maxAgeSeconds !== undefined && iat === undefined) return refused('This token does not say how old it is.');
	return endOf(claims, config) <= now ? refused('This token has expired.', 'key_expired') : undefined;
};

const kindOf = ({typ}: Claims): string =>
	typ === undefined
		? 'jwt'
		: String(typ)
				.toLowerCase()
				.replace(/^application\//, '');

/** The doors of one gateway are each a resource, and the common one leads to all of them. */
const resourcesOf = (resource: string | undefined, {resource: isAudience}: Config): string[] =>
	!isAudience || resource === undefined ? [] : [resource, resource.replace(/(\/mcp)\/[^/]+$/, '$1')];

/** Why a token whose signature holds is not one for this gateway; at an MCP door, for `resource`. */
export const against = ({header, payload}: Token, config: Config, now: number, resource?: string): Refused | undefined => {
	const {audience, types, require} = config;
	if (payload.iss !== config.issuer) return refused('This token is of another issuer.');
	if (header.crit !== undefined) return refused('This token asks for more than is understood here.');
	if (!types.some(type => type.toLowerCase() === kindOf(header))) return refused('This is not a token to call with.');
	// RFC 9449 and RFC 8705: such a token is worth nothing without the proof that it belongs to whoever shows it.
	if (payload.cnf !== undefined) return refused('This token is bound to a key that is not shown.');
	const audiences = listOf(payload.aud);
	const wanted = [...(audience === undefined ? [] : listOf(audience)), ...resourcesOf(resource, config)];
	if (!wanted.some(one => audiences.includes(one))) return refused('This token is for somebody else.');
	for (const {claim, is} of require) {
		const found = claimAt(payload, claim);
		const fits = is === undefined ? found !== undefined : listOf(found).some(value => listOf(is).includes(value));
		if (!fits) return refused('This token lacks a claim that is required here.');
	}
	return againstTimes(payload, config, now);
};

/** As in virtual-keys: no `/`, `:`, `|`, `~` or `*`, which have a meaning in accounts, scopes and patterns. */
const shapes = {
	tenant: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
	team: /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
	user: /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}$/,
} as const;
const tagShape = /^[\w.:/@+-]{1,150}$/;
const mostTags = 50;

/** RFC 6749, section 3.3, and RFC 8693, section 4.2; some issuers write a list. */
const scopeShape = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;
const mostScopes = 100;
const scopesIn = (value: unknown): string[] =>
	(typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value.map(String) : []).filter(scope => scope !== '');

/** The one name that a mapping finds: `undefined` for none where none is allowed, a refusal for none or several otherwise. */
const nameFrom = (payload: Claims, from: From, what: keyof typeof shapes): {name?: string} | Refused => {
	if ('value' in from) return {name: from.value};
	const {claim, map, optional} = from;
	const found = listOf(claimAt(payload, claim)).filter(value => typeof value === 'string' || typeof value === 'number');
	const names = map ? found.flatMap(value => (Object.hasOwn(map, String(value)) ? [map[String(value)]!] : [])) : found.map(String);
	const [name, ...others] = new Set(names);
	if (name === undefined) return optional ? {} : refused(`This token does not say which ${what} it is of.`);
	if (others.length > 0) return refused(`This token says several things about which ${what} it is of.`);
	return shapes[what].test(name) ? {name} : refused(`This token's ${what} has a name that cannot be one here.`);
};

const isRefused = (value: {name?: string} | Refused): value is Refused => 'code' in value;

/** Who the bearer of a token is, as the config maps its claims. */
export const principalOf = (payload: Claims, config: Config): Principal | Refused => {
	const {tenant, team, user, tags} = config.principal;
	const found = {
		tenant: nameFrom(payload, tenant, 'tenant'),
		team: team ? nameFrom(payload, team, 'team') : {},
		user: nameFrom(payload, user, 'user'),
	};
	for (const value of Object.values(found)) if (isRefused(value)) return value;
	const named = found as Record<keyof typeof found, {name?: string}>;
	if (named.tenant.name === undefined) return refused('This token does not say which tenant it is of.');
	if (named.user.name === undefined) return refused('This token does not say which user it is of.');
	const [of, in_, who] = [named.tenant.name, named.team.name, named.user.name];
	const own = tags ? listOf(claimAt(payload, tags.claim)).filter(tag => tag !== undefined) : [];
	if (own.length > mostTags || !own.every(tag => typeof tag === 'string' && tagShape.test(tag)))
		return refused('This token has tags that cannot be any here.');
	const scopes = config.scopes && scopesIn(claimAt(payload, config.scopes.claim));
	if (scopes && (scopes.length > mostScopes || !scopes.every(scope => scopeShape.test(scope))))
		return refused('This token has scopes that cannot be any.');
	const account = `user:${of}/${who}`;
	return {
		id: account,
		tenant: of,
		...(in_ !== undefined && {team: in_}),
		user: who,
		tags: own.map(tag => `${tags!.prefix}${tag}`),
		accounts: [`tenant:${of}`, ...(in_ === undefined ? [] : [`team:${of}/${in_}`]), account],
		...(scopes && {scopes}),
		expiresAt: endOf(payload, config),
	};
};

export const isRefusal = (value: Principal | Refused): value is Refused => 'code' in value;
