import pg from 'pg';
import {GatewayError} from '../../errors.ts';

const reasons: Readonly<Record<string, string>> = {
	ECONNREFUSED: 'refuses connections',
	ECONNRESET: 'broke the connection',
	EPIPE: 'broke the connection',
	ETIMEDOUT: 'does not answer',
	EHOSTUNREACH: 'cannot be reached',
	ENETUNREACH: 'cannot be reached',
	ENOENT: 'has no socket there',
	ENOTFOUND: 'has a host name that nobody knows',
	EAI_AGAIN: 'has a host name that could not be looked up',
	DEPTH_ZERO_SELF_SIGNED_CERT: 'shows a certificate that is not trusted',
	SELF_SIGNED_CERT_IN_CHAIN: 'shows a certificate that is not trusted',
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'shows a certificate that is not trusted',
	ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate for another name',
	CERT_HAS_EXPIRED: 'shows a certificate that has expired',
	'28P01': 'refuses the password',
	'28000': 'refuses this user',
	'3D000': 'has no database of that name',
	'42501': 'does not permit this user to do that',
	'25006': 'is read-only',
	'53100': 'has no space left on its disk',
	'53200': 'is out of memory',
	'53300': 'has too many connections',
	'57014': 'took too long',
	'55P03': 'is locked by another process',
	'40P01': 'is locked by another process',
	'57P01': 'is shutting down',
	'57P02': 'is shutting down',
	'57P03': 'is starting up or shutting down',
};

/** What the driver says without a code. */
const sayings: readonly [RegExp, string][] = [
	[/timeout/i, 'does not answer'],
	[/terminated|not queryable|connection error/i, 'broke the connection'],
	[/password must be a string/i, 'asks for a password'],
	[/does not support SSL/i, 'does not speak TLS'],
];

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

/** Values that cannot be stored (22), that break a rule (23), or a statement no server would run (42, 54): the fault of one write alone. */
export const isOwnFault = (error: unknown): boolean => /^(22|23|42|54|21)[0-9A-Z]{3}$/.test(codeOf(error)) && codeOf(error) !== '42501';

/** Another transaction was in the way; nothing was written, and the next try may do. */
export const isConflict = (error: unknown): boolean => codeOf(error) === '40P01' || codeOf(error) === '40001';

/** After this a connection is of no more use: it broke, it hangs, or it leads to a server that no longer takes writes. */
export const isFatal = (error: unknown): boolean =>
	error instanceof pg.DatabaseError ? /^(08|57P|25006)/.test(codeOf(error)) : !(error instanceof GatewayError);

const reasonOf = (error: unknown): string =>
	reasons[codeOf(error)] ?? sayings.find(([saying]) => saying.test(error instanceof Error ? error.message : ''))?.[1] ?? 'failed';

export const unavailable = (error: unknown, name = 'The store'): GatewayError =>
	error instanceof GatewayError ? error : new GatewayError('store_unavailable', `${name} ${reasonOf(error)}.`, {cause: error});
