import type {Host, Json} from '../../plugin-sdk/index.ts';
import type {Config} from './config.ts';

type Lent = Pick<Host<Config>, 'config' | 'http' | 'clock' | 'log'>;

/** The issuer's keys as they are known now. Moments are milliseconds since 1970. */
const memory: {
	keys?: readonly Json[];
	/** The same as text, to see a change. */
	text: string;
	/** When the issuer last said so, and when it was last asked. */
	toldAt: number;
	askedAt: number;
	asking?: Promise<void> | undefined;
	/** What is to be forgotten when the keys are others. */
	onChange: (() => void)[];
} = {text: '', toldAt: 0, askedAt: Number.NEGATIVE_INFINITY, onChange: []};

const timeoutMs = 5_000;
const mostChars = 500_000;
const mostKeys = 100;
/** Whoever invents key ids must not make us ask the issuer each time. */
const pauseMs = 30_000;
/** The same while there is no key at all: then everybody waits for it. */
const shortPauseMs = 5_000;

const isObject = (value: unknown): value is {[key: string]: Json} => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON object from an address, or why there is none. */
const fetched = async (url: string, {http}: Lent): Promise<{[key: string]: Json} | string> => {
	const {value, error} = await http.fetch({url, timeoutMs, headers: {accept: 'application/json'}});
	if (error) return `${url}: ${error.message}`;
	if (value.status !== 200) return `${url} answered ${value.status}`;
	if (value.body.length > mostChars) return `${url} answered with ${value.body.length} characters`;
	try {
		const json: unknown = JSON.parse(value.body);
		if (isObject(json)) return json;
	} catch {
		// Said below.
	}
	return `${url} answered with something that is not a JSON object`;
};

/** RFC 8414 and OpenID Connect Discovery: the issuer's own word on where its keys are. */
const addressOfKeys = async (lent: Lent): Promise<{url: string} | string> => {
	const {issuer, jwksUrl} = lent.config;
	if (jwksUrl !== undefined) return {url: jwksUrl};
	const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
	const found = await fetched(url, lent);
	if (typeof found === 'string') return found;
	if (found.issuer !== issuer) return `${url} is the configuration of another issuer`;
	return typeof found.jwks_uri === 'string' ? {url: found.jwks_uri} : `${url} names no jwks_uri`;
};

const keysNow = async (lent: Lent): Promise<Json[] | string> => {
	const address = await addressOfKeys(lent);
	if (typeof address === 'string') return address;
	const found = await fetched(address.url, lent);
	if (typeof found === 'string') return found;
	if (!Array.isArray(found.keys)) return `${address.url} has no list of keys`;
	const keys = found.keys.filter(key => isObject(key) && typeof key.kty === 'string');
	return keys.length > mostKeys ? `${address.url} has ${keys.length} keys` : keys;
};

/** Asks the issuer, once for all who wait; what was known before stays when it cannot answer. */
const ask = async (lent: Lent): Promise<void> => {
	const found = await keysNow(lent);
	if (typeof found === 'string') {
		lent.log.warn('the keys of the issuer could not be read', {reason: found.slice(0, 500)});
		return;
	}
	memory.toldAt = lent.clock.now();
	const text = JSON.stringify(found);
	if (text === memory.text) return;
	memory.keys = found;
	memory.text = text;
	for (const forget of memory.onChange) forget();
};

const asked = (lent: Lent): Promise<void> => {
	if (memory.asking) return memory.asking;
	memory.askedAt = lent.clock.now();
	memory.asking = ask(lent).finally(() => {
		memory.asking = undefined;
	});
	return memory.asking;
};

const mayAsk = ({clock}: Lent): boolean => clock.now() - memory.askedAt >= (memory.keys ? pauseMs : shortPauseMs);

/** Calls `forget` whenever the issuer has other keys than before. */
export const onOtherKeys = (forget: () => void): void => void memory.onChange.push(forget);

/** Whether keys are known and not older than `keepSeconds`; has them looked at again when it is time, which nobody waits for. */
export const areKept = (lent: Lent): boolean => {
	const {refreshSeconds, keepSeconds} = lent.config;
	if (memory.keys === undefined) return false;
	const age = lent.clock.now() - memory.toldAt;
	if (age >= refreshSeconds * 1_000 && mayAsk(lent)) void asked(lent);
	return age < keepSeconds * 1_000;
};

/** The issuer's keys; the same object as long as they are the same. Throws when there are none: then nobody can tell whose a token is. */
export const knownKeys = async (lent: Lent): Promise<readonly Json[]> => {
	if (!areKept(lent)) {
		if (memory.asking || mayAsk(lent)) await asked(lent);
		if (!areKept(lent)) throw new Error('the keys of the issuer are not to be had');
	}
	return memory.keys!;
};

/** The keys after asking again, for a token whose key nobody knows; the same as before where the issuer was asked a moment ago. */
export const newerKeys = async (lent: Lent): Promise<readonly Json[]> => {
	if (memory.asking || mayAsk(lent)) await asked(lent);
	return knownKeys(lent);
};
