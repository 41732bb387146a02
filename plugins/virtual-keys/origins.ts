import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
/** A network and the length of its prefix; an IPv4 network is IPv4 even where it was written as IPv6 (RFC 4291, section 2.5.5.2). */
export type Range = readonly [network: Address, prefix: number];

const shape = /^([0-9.]+|[0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/;

/** Undefined for what is not an address in its usual notation: no zones, and none of the old forms like 0x7f.1. */
const readAddress = (text: string): Address | undefined => {
	if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
	// ipaddr.js would read ::1.2.3.4 as ::ffff:1.2.3.4.
	if (!text.includes(':') || /^::\d+\./.test(text)) return undefined;
	return ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
};

const plain = (address: Address): Address =>
	address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress() ? (address as ipaddr.IPv6).toIPv4Address() : address;

const networkOf = (address: Address, prefix: number): Address => {
	const text = `${address}/${prefix}`;
	return address.kind() === 'ipv4' ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
};

/** An address, or a range in CIDR notation (RFC 4632); undefined when it is neither. */
export const readRange = (text: string): Range | undefined => {
	const [, written = '', length] = shape.exec(text) ?? [];
	const address = readAddress(written);
	if (!address) return undefined;
	const bits = address.kind() === 'ipv4' ? 32 : 128;
	const prefix = length === undefined ? bits : Number(length);
	if (prefix > bits) return undefined;
	const bare = plain(address);
	if (bare === address) return [networkOf(address, prefix), prefix];
	return prefix < 96 ? [networkOf(address, prefix), prefix] : [networkOf(bare, prefix - 96), prefix - 96];
};

/** As it is stored and shown: the network itself, whatever address in it was named. */
export const written = (text: string): string => {
	const range = readRange(text);
	return range ? `${range[0]}/${range[1]}` : text;
};

const matches = (address: Address, [network, prefix]: Range): boolean =>
	address.kind() === network.kind() && address.match(network as ipaddr.IPv4 & ipaddr.IPv6, prefix);

/** Whether a client's address lies in one of the ranges; what is no address lies in none. */
export const isWithin = (ip: string, ranges: readonly Range[]): boolean => {
	const zone = ip.indexOf('%');
	const address = readAddress(zone < 0 ? ip : ip.slice(0, zone));
	if (!address) return false;
	const bare = plain(address);
	return ranges.some(range => matches(bare, range));
};

/** Whether each of `narrow` lies within one of `wide`. */
export const areWithin = (narrow: readonly string[], wide: readonly string[]): boolean => {
	const ranges = rangesOf(wide);
	return rangesOf(narrow).every(([network, prefix]) => ranges.some(range => prefix >= range[1] && matches(network, range)));
};

/** The ranges of texts that `readRange` has accepted before. */
export const rangesOf = (texts: readonly string[]): Range[] => texts.map(readRange).filter(range => range !== undefined);
