import type {ServerResponse} from 'node:http';
import type {JsonObject} from '../llm/json.ts';
import type {Waiting} from '../upstream/reply.ts';

/** A reply as server-sent events; its head goes out with the first of them. */
export type Stream = {
	readonly begun: boolean;
	begin(): void;
	send(message: JsonObject): void;
	/** The last message, as text. */
	end(text: string): void;
	close(): void;
	comment(): void;
};

/** What a client may leave unread: beyond, what is not an answer is left out. */
const mostUnread = 1_048_576;

export const openStream = (res: ServerResponse, exchangeId: string): Stream => {
	let begun = false;
	const begin = (): void => {
		if (begun || res.destroyed) return;
		begun = true;
		res.writeHead(200, {
			'content-type': 'text/event-stream; charset=utf-8',
			'cache-control': 'no-cache, no-transform',
			'x-accel-buffering': 'no',
			'x-sallyport-exchange': exchangeId,
		});
		res.flushHeaders();
	};
	const write = (text: string): void => {
		begin();
		if (!res.destroyed) res.write(text);
	};
	return {
		get begun() {
			return begun;
		},
		begin,
		send(message) {
			if (res.writableLength < mostUnread) write(`event: message\ndata: ${JSON.stringify({jsonrpc: '2.0', ...message})}\n\n`);
		},
		comment: () => write(': still here\n\n'),
		end(text) {
			write(`event: message\ndata: ${text}\n\n`);
			res.end();
		},
		close: () => res.end(),
	};
};

const aliveMs = 15_000;

/** Keeps a stream open that nobody asked anything on, until its client leaves or it is cut. */
export const idleStream = (stream: Stream, waiting: Waiting): Promise<void> => {
	stream.begin();
	const timer = setInterval(stream.comment, aliveMs).unref();
	return new Promise(resolve => {
		const over = () => {
			clearInterval(timer);
			resolve();
		};
		if (waiting.left) over();
		else waiting.onLeft = over;
	});
};
