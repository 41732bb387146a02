import {once} from 'node:events';
import {connect, type Socket} from 'node:net';

export type RawReply = {status: number; headers: Record<string, string>; body: string};

/** A connection that says exactly these bytes; what comes back is in `text()`. */
export const rawConnection = async (url: string): Promise<{socket: Socket; text(): string; closed: Promise<unknown>}> => {
	const {hostname, port} = new URL(url);
	const socket = connect(Number(port), hostname);
	const pieces: Buffer[] = [];
	socket.on('data', piece => pieces.push(piece)).on('error', () => undefined);
	const closed = once(socket, 'close').catch(() => undefined);
	await once(socket, 'connect');
	return {socket, text: () => Buffer.concat(pieces).toString('latin1'), closed};
};

const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/;

/** The replies in what came back, which all say their length. */
export const repliesIn = (text: string): RawReply[] => {
	const replies: RawReply[] = [];
	for (let rest = text, found = head.exec(rest); found; found = head.exec(rest)) {
		const lines = found[2]!.split('\r\n').filter(line => line !== '');
		const headers = Object.fromEntries(
			lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
		);
		const length = Number(headers['content-length'] ?? 0);
		const body = rest.slice(found[0].length, found[0].length + length);
		if (body.length < length) break;
		replies.push({status: Number(found[1]), headers, body});
		rest = rest.slice(found[0].length + length);
	}
	return replies;
};

/** Sends bytes on a connection of their own and waits for so many replies, or for the end of the connection. */
export const rawExchange = async (url: string, bytes: string | Buffer, {replies = 1, withinMs = 5_000} = {}): Promise<RawReply[]> => {
	const {socket, text, closed} = await rawConnection(url);
	let isClosed = false;
	void closed.then(() => {
		isClosed = true;
	});
	socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
	const until = performance.now() + withinMs;
	while (!isClosed && repliesIn(text()).length < replies && performance.now() < until) await new Promise(resolve => setTimeout(resolve, 5));
	socket.destroy();
	return repliesIn(text());
};
