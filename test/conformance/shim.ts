import {once} from 'node:events';
import {createServer, request} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Upstream} from './upstream.ts';

/** A door in front of `target` that adds a key to what passes, for a runner that has no flag for headers; all else goes on as it came. */
export const startShim = async (target: string, key: string): Promise<Upstream> => {
	const {hostname, port, pathname} = new URL(target);
	const server = createServer((req, res) => {
		const headers = {...req.headers, authorization: `Bearer ${key}`};
		const onward = request({hostname, port, path: pathname, method: req.method, headers}, reply => {
			res.writeHead(reply.statusCode!, reply.headers);
			res.flushHeaders();
			reply.pipe(res);
			reply.once('error', () => res.destroy());
		});
		onward.once('error', () => res.destroy());
		res.once('close', () => onward.destroy());
		req.pipe(onward);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
		async close() {
			server.closeAllConnections();
			server.close();
		},
	};
};
