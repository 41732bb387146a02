import {readFileSync} from 'node:fs';
import {createServer, type Socket} from 'node:net';

/** Stands in for responder.c where there is no C compiler: same arguments, same answers, about three times the cost. */
const [port, jsonFile = '', sseFile = ''] = process.argv.slice(2);
const json = readFileSync(jsonFile);
const parts = readFileSync(sseFile, 'latin1')
	.split('\0')
	.map(part => Buffer.from(part, 'latin1'));

function stream(socket: Socket, next = 0) {
	if (next === parts.length || socket.destroyed) return;
	socket.write(parts[next] ?? '');
	setImmediate(stream, socket, next + 1);
}

function serve(socket: Socket) {
	let head = '';
	let left = 0;
	let streams = false;
	let before = '';

	const ended = () => {
		if (streams) stream(socket);
		if (!streams) socket.write(json);
		head = before = '';
		streams = false;
	};

	const take = (bytes: Buffer) => {
		left -= bytes.length;
		const edges = `${before}${bytes.toString('latin1', 0, 512)} ${bytes.toString('latin1', Math.max(0, bytes.length - 512))}`;
		streams ||= edges.includes('"stream":true');
		before = edges.slice(-512);
		if (left <= 0) ended();
	};

	socket.setNoDelay(true);
	socket.on('error', () => socket.destroy());
	socket.on('data', bytes => {
		if (left > 0) return take(bytes);
		head += bytes.toString('latin1');
		const end = head.indexOf('\r\n\r\n') + 4;
		if (end === 3) return;
		left = Number(/\r\ncontent-length: *(\d+)/i.exec(head.slice(0, end))?.[1] ?? 0);
		const body = Buffer.from(head.slice(end), 'latin1');
		if (body.length || left === 0) take(body);
	});
}

createServer(serve).listen(Number(port), '127.0.0.1', () => console.log('ready'));
