import {BlockList, isIP} from 'node:net';
import {GatewayError} from '../errors.ts';

/** One entry of `grants.http`; `host` as a URL spells it, `port` empty for the scheme's own. */
export type Grant = {wildcard: boolean; host: string; port: string};

/** IANA's special-purpose registries (RFC 6890 and updates), and the addresses at which clouds answer with a machine's credentials. */
const refused: Record<string, string[]> = {
	metadata: ['169.254.169.254/32', '168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128', 'fd20:ce::254/128'],
	loopback: ['127.0.0.0/8', '::1/128'],
	unspecified: ['0.0.0.0/8', '::/128'],
	private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
	'link-local': ['169.254.0.0/16', 'fe80::/10'],
	'carrier-grade NAT': ['100.64.0.0/10'],
	multicast: ['224.0.0.0/4', 'ff00::/8'],
	// 6to4 and Teredo are retired (RFC 7526) and wrap an IPv4 address each, so they are refused whatever that is.
	tunnel: ['2002::/16', '2001::/32'],
	reserved: [
		...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '240.0.0.0/4'],
		...['2001::/23', '2001:db8::/32', '3fff::/20'],
	],
};

/** Where an IPv4 address may stand inside an IPv6 one and still be reached: mapped, and NAT64 (RFC 6052). */
const wrappings = ['::ffff:', '64:ff9b::'];

const listed = (ranges: string[]): BlockList => {
	const list = new BlockList();
	for (const range of ranges) {
		const [network = '', prefix = ''] = range.split('/');
		if (isIP(network) === 6) {
			list.addSubnet(network, Number(prefix), 'ipv6');
			continue;
		}
		list.addSubnet(network, Number(prefix), 'ipv4');
		for (const wrapping of wrappings) list.addSubnet(wrapping + network, 96 + Number(prefix), 'ipv6');
	}
	return list;
};

const kinds = Object.entries(refused).map(([kind, ranges]) => [kind, listed(ranges)] as const);
const globalUnicast = listed(['2000::/3', ...wrappings.map(wrapping => `${wrapping}0.0.0.0/96`)]);

/** Why an address is not of the public internet (`loopback`, `private`, `metadata`, …); nothing when it is. */
export const kindOf = (address: string): string | undefined => {
	const family = isIP(address);
	if (family === 0) return 'not an address';
	// A zone belongs to this machine's own links; a global address has none.
	if (address.includes('%')) return 'link-local';
	const kind = kinds.find(([, list]) => list.check(address, family === 6 ? 'ipv6' : 'ipv4'))?.[0];
	if (kind !== undefined || family === 4) return kind;
	return globalUnicast.check(address, 'ipv6') ? undefined : 'reserved';
};

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

/** Names that DNS and a config can spell: nothing that would have to be quoted in the line an error asks for. */
const hostShape = /^(\[[0-9a-f:]+\]|[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*)$/;

/** The URL as it will be connected to, its host's trailing dot gone. Nothing when it is none, or has neither name nor address where http needs one. */
export const urlOf = (text: string, base?: URL): URL | undefined => {
	const url = URL.parse(text, base?.href);
	if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return url ?? undefined;
	url.hostname = url.hostname.replace(/\.$/, '');
	return hostShape.test(url.hostname) ? url : undefined;
};

const grantShape = /^(\*\.)?(\[[\da-f:.]+\]|[^\s*:/?#@%\\[\]]+)(?::(\d{1,5}))?$/i;

/** Reads 'name', 'name:port', '*.name', '192.0.2.1:8080' or '[2001:db8::1]:80'; throws `denied` for what would not mean what it says. */
export const grantOf = (text: string): Grant => {
	const [, wild, name = '', port = ''] = grantShape.exec(text) ?? [];
	const host = name && urlOf(`http://${name}`)?.hostname;
	const wrong = (mend: string): GatewayError => new GatewayError('denied', `grants.http: '${text}' is not a host. ${mend}`);
	if (!host || (port !== '' && (Number(port) < 1 || Number(port) > 65_535))) {
		throw wrong("Write 'name.example', 'name.example:8443', '*.name.example', '192.0.2.1:8080' or '[2001:db8::1]:8080'.");
	}
	const family = isIP(bare(host));
	if (wild && family) throw wrong('An address has no sub-domains.');
	if (family === 4 && name !== host) throw wrong(`Write the address as it is: '${host}${port && `:${port}`}'.`);
	return {wildcard: wild !== undefined, host, port: port && String(Number(port))};
};

const defaultPorts: Record<string, string> = {'http:': '80', 'https:': '443'};

/** Whether a grant names this URL's host and port. Addresses are matched exactly, names with any sub-domain where the grant says `*.`. */
export const covered = ({hostname, port, protocol}: URL, grants: readonly Grant[]): boolean =>
	grants.some(grant => {
		if (grant.port === '' ? port !== '' : grant.port !== (port || defaultPorts[protocol])) return false;
		return grant.wildcard ? hostname.endsWith(`.${grant.host}`) && isIP(hostname) === 0 : hostname === grant.host;
	});

/** `url` with an address in place of its host. */
export const atAddress = ({protocol, port}: URL, address: string): URL =>
	new URL(`${protocol}//${isIP(address) === 6 ? `[${address}]` : address}${port && `:${port}`}`);

/** An address that is the URL's own host, without brackets; empty for a name. */
export const addressIn = ({hostname}: URL): string => (isIP(bare(hostname)) === 0 ? '' : bare(hostname));
