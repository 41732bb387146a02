import * as z from 'zod';

/** As the ledger takes them, `*` for each account that is not named, and either of them for some models alone: `key:key_1/model:gpt-*`. */
export const scope = z
	.string()
	.min(1)
	.max(200)
	.regex(/^[^\p{Cc}]+$/u, 'an account has no control characters')
	.regex(/^(?!\/model:)((?!\/model:).)+(\/model:[^*\s]{0,89}\*?)?$/u, "a model, like fast or 'openai/gpt-*', may have a star at its end");

/** One account, with or without a model. */
export const account = scope.refine(name => !name.startsWith('*'), 'name one account');

const marker = '/model:';

/** `key:key_1` and `gpt-*` of `key:key_1/model:gpt-*`. */
export const partsOf = (scope: string): {holder: string; pattern?: string} => {
	const at = scope.indexOf(marker);
	return at < 0 ? {holder: scope} : {holder: scope.slice(0, at), pattern: scope.slice(at + marker.length)};
};

export const withModel = (holder: string, pattern: string): string => `${holder}${marker}${pattern}`;

const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name);

/** A pattern with a slash is about deployments (`provider/model`), one of which may come to serve the call; any other is about what the client asks for. */
export const isAbout = (pattern: string, model: string, deployments: readonly string[]): boolean =>
	pattern.includes('/') ? deployments.some(name => fits(pattern, name)) : fits(pattern, model);

const isTimeZone = (name: string): boolean => {
	try {
		return new Intl.DateTimeFormat('en', {timeZone: name}) !== undefined;
	} catch {
		return false;
	}
};

export const timeZone = z.string().max(60).refine(isTimeZone, 'an IANA time zone, like Europe/Berlin');

/** Shares of a limit, in percent, that are told when they are reached. */
export const notifyAt = z.array(z.int().min(1).max(1_000)).max(10);

/** Milliseconds since 1970 of an ISO 8601 moment. */
export const moment = z.iso.datetime({offset: true});
