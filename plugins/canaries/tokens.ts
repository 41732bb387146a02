import type {Host, Json} from '../../plugin-sdk/index.ts';
import {hmacSha256} from '../webhooks/sha256.ts';
import {utf8} from '../webhooks/text.ts';
import type {Config} from './config.ts';

type Lent = Pick<Host<Config>, 'config' | 'kv' | 'random' | 'secrets'>;

/** 32 characters that are neither taken for another nor changed by case. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
export const tokenChars = 24;

const kept = 1_000;
const made = new Map<string, string>();

/** The same for the same secret and owner, and not to be guessed without the secret: 120 bits. */
export const tokenOf = (secret: string, tenant: string, session: string | null): string => {
	const owner = JSON.stringify([tenant, session]);
	const name = `${secret}\n${owner}`;
	const known = made.get(name);
	if (known !== undefined) return known;
	const bytes = hmacSha256(utf8(secret), utf8(`canary ${owner}`));
	const token = Array.from(bytes.subarray(0, tokenChars), byte => alphabet[byte & 31]!).join('');
	if (made.size >= kept) made.clear();
	made.set(name, token);
	return token;
};

const row = 'secret:';

/** What tokens are made of: the first makes those that are put, all of them those that are looked for. `put` keeps one that is made just now. */
const secretsFor = ({config, kv, random, secrets}: Lent): {all: string[]; put?: Record<string, Json>} => {
	// Two replicas that begin at once make one each: the first of the rows counts, and what the other had put is known too.
	const rows = kv.list(row).map(({value}) => String(value));
	if (config.secret !== undefined) return {all: [secrets.get(config.secret), ...rows]};
	if (rows.length > 0) return {all: rows};
	const {value} = random.secret('');
	return {all: [value], put: {[`${row}${random.uuid()}`]: value}};
};

/** The token to put, and all that are looked for in this exchange. */
export const tokensFor = (
	{tenant, session}: {tenant: string; session?: string | undefined},
	lent: Lent,
): {token: string; all: string[]; put?: Record<string, Json>} => {
	const {per, watch} = lent.config;
	const {all: secrets, put} = secretsFor(lent);
	const of = per === 'session' ? (session ?? null) : null;
	const own = secrets.map(secret => tokenOf(secret, tenant, of));
	return {token: own[0]!, all: [...own, ...watch], ...(put && {put})};
};
