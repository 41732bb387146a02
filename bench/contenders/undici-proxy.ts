import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import {Pool} from 'undici';

/**
 * The least a Node proxy can do: bytes in, `dispatch`, bytes out. It checks nothing and knows no policy.
 * node undici-proxy.ts PORT UPSTREAM_ORIGIN
 */
const [port = '', origin = ''] = process.argv.slice(2);
const upstream = new Pool(origin, {connections: 512});

const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding']);

function without(headers: IncomingMessage['headers'], dropped: Set<string>) {
	const kept: IncomingMessage['headers'] = {};
	for (const name in headers) if (!dropped.has(name)) kept[name] = headers[name];
	return kept;
}

const unsent = new Set([...hopByHop, 'host', 'content-length', 'expect']);

function forward(req: IncomingMessage, res: ServerResponse, body: Buffer) {
	upstream.dispatch(
		{path: req.url ?? '/', method: 'POST', headers: without(req.headers, unsent), body},
		{
			onRequestStart(controller) {
				res.on('close', () => {
					if (!res.writableFinished) controller.abort(new Error('the client left'));
				});
				res.on('drain', () => controller.resume());
			},
			onResponseStart(_, status, headers) {
				res.writeHead(status, without(headers, hopByHop));
			},
			onResponseData(controller, chunk) {
				if (!res.write(chunk)) controller.pause();
			},
			onResponseEnd() {
				res.end();
			},
			onResponseError(_, error) {
				if (res.headersSent) return res.destroy(error);
				res.writeHead(502).end();
			},
		},
	);
}

const server = createServer((req, res) => {
	const parts: Buffer[] = [];
	req.on('data', part => parts.push(part));
	req.on('end', () => forward(req, res, parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
});
server.listen(Number(port), '127.0.0.1', () => console.log('ready'));
process.on('SIGTERM', () => process.exit());
