import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {json} from 'node:stream/consumers';

/** The classifier that the plugin asks: a server of our own, on a free port. Everything with a launch code in it is secret. */
export const startClassifier = async () => {
	const server = createServer(async (req, res) => {
		const {text} = (await json(req)) as {text: string[]};
		const label = text.some(part => part.includes('launch code')) ? 'secret' : 'public';
		res.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify({label}));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	const {port} = server.address() as AddressInfo;
	return {
		host: `127.0.0.1:${port}`,
		close() {
			server.close();
			server.closeAllConnections();
		},
	};
};
