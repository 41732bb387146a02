import type {IncomingHttpHeaders} from 'node:http';
import type {ResolvedConfig} from '../config.ts';
import {GatewayError} from '../errors.ts';

const hostname = (host: string): string =>
	(host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':')[0]!).toLowerCase();

const isLoopback = (name: string): boolean => name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);

/**
 * The origin that clients call this gateway by: what the config says, or on loopback whatever name of loopback they used, which
 * `refuseStrangers` has looked at. Throws `not_found` where nobody knows.
 */
export const originOf = ({listen, publicUrl}: Pick<ResolvedConfig, 'listen' | 'publicUrl'>, {host = ''}: IncomingHttpHeaders): string => {
	if (publicUrl !== undefined) return publicUrl;
	if (isLoopback(hostname(listen)) && isLoopback(hostname(host)) && URL.canParse(`http://${host}`)) return new URL(`http://${host}`).origin;
	throw new GatewayError('not_found', 'This gateway does not know its own address; see publicUrl.');
};

/**
 * Refuses a request that a web page made in somebody's browser, by whatever name it got here (DNS rebinding): a gateway on loopback is
 * called by names of loopback, or by one that the config knows; and a page has to be from here, or named. Throws `denied`.
 */
export const refuseStrangers = (
	{listen, mcp, publicUrl}: Pick<ResolvedConfig, 'listen' | 'mcp' | 'publicUrl'>,
	{host = '', origin}: IncomingHttpHeaders,
): void => {
	const name = hostname(host);
	const bound = hostname(listen);
	const known = publicUrl === undefined ? mcp.hosts : [...mcp.hosts, hostname(new URL(publicUrl).host)];
	const isOurs = known.some(own => own.toLowerCase() === name) || (isLoopback(bound) ? isLoopback(name) : true);
	if (!isOurs) throw new GatewayError('denied', 'This gateway does not go by that name; see mcp.hosts.');
	if (origin === undefined || mcp.origins.includes(origin) || origin === publicUrl) return;
	const from = URL.canParse(origin) ? new URL(origin) : undefined;
	// The same name and port: a page of this gateway's own, or a tool on this machine.
	if (from && (from.host === host.toLowerCase() || (isLoopback(bound) && isLoopback(hostname(from.host))))) return;
	throw new GatewayError('denied', 'No page of that origin may call this gateway; see mcp.origins.');
};
