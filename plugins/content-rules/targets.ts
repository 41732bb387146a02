/** What an address may lead to. */
export type Allowed = {
	/** `docs.acme.example`, or `*.acme.example` for all below it. */
	hosts: readonly string[];
	/** In small letters, without the colon. */
	schemes: readonly string[];
};

/** `open`: it may still become either. */
export type Judged = 'allowed' | 'unknown' | 'open';

/** Longer names of hosts, with who logs in there, are none that anybody put on a list. */
const mostAuthority = 300;

/** Behind these, browsers read a host whether there are slashes or not, and take `\` for one. */
const hosted = new Set(['http', 'https', 'ftp', 'ws', 'wss']);

const schemeOf = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const plainHost = /^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*$/u;
const trailing = /[.,;:!?'"*_~)\]}|]+$/;

/** A host as it is compared: small, composed, without the dot that may end it. A name in punycode is another name than what it stands for. */
export const plainHostOf = (host: string): string => host.normalize('NFKC').toLowerCase().replace(/\.$/, '');

/** Whether somebody put this on the list: any sign but those of a name and a port, a user before an `@` too, makes it nobody's. */
const isListed = (authority: string, {hosts}: Allowed): boolean => {
	const host = plainHostOf(authority.replace(/:\d{1,5}$/, ''));
	if (!plainHost.test(host)) return false;
	return hosts.some(allowed => (allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed));
};

const authorityIn = (rest: string, whole: boolean, allowed: Allowed): Judged => {
	const end = rest.search(/[/\\?#]/);
	if (end < 0 && !whole) return rest.length > mostAuthority ? 'unknown' : 'open';
	const authority = end < 0 ? rest : rest.slice(0, end);
	return isListed(authority, allowed) ? 'allowed' : 'unknown';
};

/**
 * Where an address leads, as browsers read it (https://url.spec.whatwg.org/#concept-basic-url-parser): blanks before it and ends of lines in
 * it are not there. `whole` says that nothing of it follows. What names no host and no scheme leads to where one is already.
 */
export const judgeTarget = (written: string, whole: boolean, allowed: Allowed): Judged => {
	const target = written.replace(/[\t\n\r]/g, '').replace(/^[\u0000- ]+/, '');
	const [named, scheme = ''] = schemeOf.exec(target) ?? [];
	if (named === undefined) {
		if (/^[/\\]{2}/.test(target)) return authorityIn(target.replace(/^[/\\]+/, ''), whole, allowed);
		// A scheme is letters; what ends before its colon may still get one.
		return !whole && (/^[/\\]?$/.test(target) || /^[A-Za-z][A-Za-z0-9+.-]{0,40}$/.test(target)) ? 'open' : 'allowed';
	}
	const known = scheme.toLowerCase();
	// A word before a colon, and nothing behind it, leads nowhere.
	if (target.length === named.length) return whole ? 'allowed' : 'open';
	if (!allowed.schemes.includes(known)) return 'unknown';
	if (!hosted.has(known)) return 'allowed';
	const rest = target.slice(named.length);
	// Some take `https:evil.example` for a path, and browsers for a host.
	const slashes = /^[/\\]*/.exec(rest)![0].length;
	if (slashes === rest.length && !whole) return rest.length > mostAuthority ? 'unknown' : 'open';
	return authorityIn(rest.slice(slashes), whole, allowed);
};

/** The same for an address among words, which the signs behind it do not belong to. */
export const judgeBare = (written: string, whole: boolean, allowed: Allowed): Judged =>
	judgeTarget(whole ? written.replace(trailing, '') : written, whole, allowed);

/** The same for a name among words that begins with `www.` and has no scheme before it. */
export const judgeName = (written: string, whole: boolean, allowed: Allowed): Judged =>
	authorityIn(whole ? written.replace(trailing, '') : written, whole, allowed);
