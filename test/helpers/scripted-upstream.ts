import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setImmediate as soon} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';

/** What it answers, byte for byte; each of `pieces` is written by itself. */
export type Script = {
	status?: number;
	headers?: Record<string, string>;
	pieces: readonly (string | Uint8Array)[] /** Holds the rest back until it resolves. */;
	between?: (piece: number) => Promise<unknown>;
};

/** A provider that answers the request whose first message names a script with that script. */
export const scriptedUpstream = async (t: Pick<ExecutionContext, 'teardown'>) => {
	const scripts = new Map<string, Script>();
	let named = 0;
	const server = createServer(async (req, res) => {
		let body = '';
		for await (const piece of req.setEncoding('utf8')) body += piece;
		const name = (JSON.parse(body) as {messages: {content: string}[]}).messages[0]!.content;
		const {status = 200, headers = {}, pieces, between} = scripts.get(name)!;
		scripts.delete(name);
		res.socket?.setNoDelay(true);
		res.writeHead(status, {'content-type': 'text/event-stream', ...headers});
		res.flushHeaders();
		for (const [index, piece] of pieces.entries()) {
			if (piece.length > 0) res.write(piece);
			await (between ? between(index) : soon());
		}
		res.end();
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		server.closeAllConnections();
	});
	return {
		baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		/** The words to ask with. */
		script(next: Script): string {
			const name = `script ${++named}`;
			scripts.set(name, next);
			return name;
		},
	};
};
