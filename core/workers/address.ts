import {createServer} from 'node:net';

export type Address = {
	host: string;
	port: number;
	/** Each process has a socket of its own there, and the kernel deals out connections. */
	reusePort?: boolean;
};

/** What `listen` in the config names. */
export const addressOf = (listen: string): Address => {
	const colon = listen.lastIndexOf(':');
	return {host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1))};
};

/** Listens for a moment, and answers the port it got. Rejects as node does. */
const tryOut = (address: Address): Promise<number> =>
	new Promise((done, failed) => {
		const server = createServer();
		server.once('error', failed);
		server.listen(address, () => {
			const bound = server.address();
			server.close(() => done(typeof bound === 'object' && bound ? bound.port : address.port));
		});
	});

/** Systems without it, or with one that deals out nothing (https://nodejs.org/api/net.html#serverlistenoptions-callback). */
const lackOfIt = new Set(['ENOTSUP', 'ENOPROTOOPT', 'EINVAL']);

/**
 * Where every process of a gateway is to listen: a port for 0, and `reusePort` where the system has it. Rejects when the address
 * is taken, by another gateway that shares its port among processes too.
 */
export const sharedAddress = async (listen: string): Promise<Address> => {
	const {host, port: wanted} = addressOf(listen);
	const address = {host, port: await tryOut({host, port: wanted})};
	try {
		await tryOut({...address, reusePort: true});
		return {...address, reusePort: true};
	} catch (error) {
		if (lackOfIt.has(String((error as NodeJS.ErrnoException).code))) return address;
		throw error;
	}
};
