import type {Logger} from 'pino';
import type {ResolvedOAuth, ResolvedServer} from '../config/resolve.ts';
import type {ResolvedConfig} from '../config.ts';
import type {Kv} from '../store/kv.ts';
import type {Store} from '../store/store.ts';
import {openClients} from './clients.ts';
import {type Connect, openConnect, type Place} from './connect.ts';
import type {Credential} from './credential.ts';
import {openDiscovery} from './discover.ts';
import {openLinks} from './links.ts';
import {clientCredentials, tokenExchange} from './own.ts';
import {openReach} from './reach.ts';
import {openSeal, sealingKey} from './seal.ts';
import {tokenRequests} from './tokens.ts';
import {userTokens} from './user.ts';

/** How the gateway logs in to MCP servers. */
export type OAuth = {
	/** By server. */
	credentials: ReadonlyMap<string, Credential>;
	/** Where a server is asked with its users' own accounts. */
	connect?: Connect;
	close(): Promise<void>;
};

type Options = {config: ResolvedConfig; store: Pick<Store, 'once'>; kv: Pick<Kv, 'space' | 'put' | 'onChange'>; log: Logger};

type Asked = ResolvedServer & {url: string; oauth: ResolvedOAuth};
const isAsked = (entry: [string, ResolvedServer]): entry is [string, Asked] => entry[1].url !== undefined && entry[1].oauth !== undefined;

/** A host that the config names; this machine's own name means its own addresses. */
const hostsOf = (address: string): string[] => {
	const {host, hostname, port} = new URL(address);
	return hostname === 'localhost' ? [host, ...['127.0.0.1', '[::1]'].map(own => (port === '' ? own : `${own}:${port}`))] : [host];
};

const placeAt = ({url, oauth}: Asked): Place => {
	const own = [url, ...(oauth.issuer === undefined ? [] : [oauth.issuer])].flatMap(hostsOf);
	const reach = openReach([...own, ...oauth.hosts]);
	return {url, oauth, reach, discover: openDiscovery({url, oauth, reach}), requests: tokenRequests(oauth, reach)};
};

/** Asks nobody yet. Throws `internal` where the sealing key is none. */
export const openOAuth = ({config, store, kv, log}: Options): OAuth => {
	const once = (name: string, expiresAt: number): Promise<boolean> => store.once(name, expiresAt);
	const places = new Map(
		Object.entries(config.servers)
			.filter(isAsked)
			.map(([name, server]) => [name, placeAt(server)] as const),
	);
	const credentials = new Map<string, Credential>();
	for (const [server, place] of places) {
		if (place.oauth.grant === 'client_credentials') credentials.set(server, clientCredentials({server, ...place, log}));
		if (place.oauth.grant === 'token_exchange') credentials.set(server, tokenExchange({server, ...place, log}));
	}
	const close = async (): Promise<void> => {
		await Promise.all([...places.values()].map(({reach}) => reach.close()));
	};
	const ofUsers = new Map([...places].filter(([, {oauth}]) => oauth.grant === 'authorization_code'));
	if (ofUsers.size === 0) return {credentials, close};
	const seal = openSeal(sealingKey(config));
	const links = openLinks(kv, seal);
	const clients = openClients(kv, seal);
	const connect = openConnect({places: ofUsers, seal, links, clients, once, log});
	for (const [server, place] of ofUsers)
		credentials.set(
			server,
			userTokens({
				server,
				...place,
				links,
				once,
				log,
				invite: (asker, scopes) => connect.invite(server, asker, scopes),
				forgetClient: async ({origin}) => clients.forget({server, known: await place.discover(), origin: origin()}),
			}),
		);
	return {credentials, connect, close};
};
