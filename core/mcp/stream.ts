import type {ServerResponse} from 'node:http';
import type {JsonObject} from '../llm/json.ts';
import type {Waiting} from '../upstream/reply.ts';
import type {Kept} from './replay.ts';

/** A reply as server-sent events; its head goes out with the first of them. */
export type Stream = {
	readonly begun: boolean;
	begin(): void;
	/** False where it was left out: its client reads too slowly, or is gone and does not come back. */
	send(message: JsonObject): boolean;
	/** The answer to one of several requests on this stream: it goes out however much is unread. */
	answer(message: JsonObject): void;
	/** How many bytes its client has not read yet. */
	unread(): number;
	/** The last message, as text. */
	end(text: string): void;
	close(): void;
	comment(): void;
	/** Ends the reply, not the stream: what is sent from now on waits for a client that comes back. */
	part(): void;
	/** Its client is gone; true where what is sent from now on waits for it to come back. */
	left(): boolean;
};

/** What a client may leave unread: beyond, what is not an answer is left out. */
const mostUnread = 1_048_576;

/** The head of every stream. */
export const beginEvents = (res: ServerResponse, exchangeId: string): void => {
	res.writeHead(200, {
		'content-type': 'text/event-stream; charset=utf-8',
		'cache-control': 'no-cache, no-transform',
		'x-accel-buffering': 'no',
		'x-sallyport-exchange': exchangeId,
	});
	res.flushHeaders();
};

/** One message as an event, with an id where a client may come back for what follows it. */
export const eventOf = (text: string, id?: string): string => `event: message\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`;

/** `keep`: opens what remembers its messages, when it begins. */
export const openStream = (res: ServerResponse, exchangeId: string, keep?: () => Kept): Stream => {
	let kept: Kept | undefined;
	const begin = (): void => {
		if (stream.begun || res.destroyed) return;
		stream.begun = true;
		beginEvents(res, exchangeId);
		kept = keep?.();
		if (kept) res.write(kept.first);
	};
	const write = (text: string): void => {
		if (!res.destroyed && !res.writableEnded) res.write(text);
	};
	// A field and not a getter: V8 gives each object with one a shape of its own, which holds on to the whole request until a major collection.
	const stream: Stream & {begun: boolean} = {
		begun: false,
		begin,
		send(message) {
			begin();
			const text = JSON.stringify({jsonrpc: '2.0', ...message});
			const id = kept?.add(text);
			const isTaken = res.writableLength < mostUnread && !res.destroyed;
			if (isTaken) write(eventOf(text, id));
			return isTaken || kept !== undefined;
		},
		answer(message) {
			begin();
			write(eventOf(JSON.stringify(message)));
		},
		unread: () => res.writableLength,
		comment() {
			begin();
			write(': still here\n\n');
		},
		end(text) {
			begin();
			const id = kept?.add(text);
			kept?.end();
			write(eventOf(text, id));
			res.end();
		},
		close: () => res.end(),
		part() {
			begin();
			if (kept) res.end();
		},
		left() {
			kept?.left();
			return kept !== undefined;
		},
	};
	return stream;
};

const aliveMs = 15_000;
const lookMs = 2_000;

/** Keeps a stream open that nobody asked anything on, until its client leaves, it is cut, or `isOver`: there is nothing on it to finish. */
export const idleStream = (stream: Pick<Stream, 'begin' | 'comment'>, waiting: Waiting, isOver: () => boolean): Promise<void> => {
	stream.begin();
	return new Promise(resolve => {
		const over = () => {
			clearInterval(comments);
			clearInterval(looks);
			resolve();
		};
		const comments = setInterval(stream.comment, aliveMs).unref();
		const looks = setInterval(() => isOver() && over(), lookMs).unref();
		if (waiting.left) over();
		else waiting.onLeft = over;
	});
};
