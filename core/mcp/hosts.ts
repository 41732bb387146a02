import type {IncomingHttpHeaders} from 'node:http';
import type {ResolvedConfig} from '../config.ts';
import {GatewayError} from '../errors.ts';

const hostname = (host: string): string =>
	(host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':')[0]!).toLowerCase();

const isLoopback = (name: string): boolean => name === 'localhost' || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);

/**
 * Refuses a request that a web page made in somebody's browser, by whatever name it got here (DNS rebinding): a gateway on loopback is
 * called by names of loopback, or by one that the config knows; and a page has to be from here, or named. Throws `denied`.
 */
export const refuseStrangers = ({listen, mcp}: Pick<ResolvedConfig, 'listen' | 'mcp'>, {host = '', origin}: IncomingHttpHeaders): void => {
	const name = hostname(host);
	const bound = hostname(listen);
	const isOurs = mcp.hosts.some(own => own.toLowerCase() === name) || (isLoopback(bound) ? isLoopback(name) : true);
	if (!isOurs) throw new GatewayError('denied', 'This gateway does not go by that name; see mcp.hosts.');
	if (origin === undefined || mcp.origins.includes(origin)) return;
	const from = URL.canParse(origin) ? new URL(origin) : undefined;
	// The same name and port: a page of this gateway's own, or a tool on this machine.
	if (from && (from.host === host.toLowerCase() || (isLoopback(bound) && isLoopback(hostname(from.host))))) return;
	throw new GatewayError('denied', 'No page of that origin may call this gateway; see mcp.origins.');
};
