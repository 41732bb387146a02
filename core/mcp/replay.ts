import {randomBytes} from 'node:crypto';
import {exactly} from '../llm/exact.ts';
import {isId, type RpcId} from './rpc.ts';

/** What was sent on one stream, for its client to fetch after it broke off. */
export type Kept = {
	/** The event that begins it: its id and when to come back (2025-11-25). */
	readonly first: string;
	/** Remembers a message; answers the id of its event. */
	add(text: string): string;
	/** Nothing follows. */
	end(): void;
	/** Its client has left the reply: somebody has to come back for it. */
	left(): void;
};

type Message = {number: number; text: string};

/** Gets what is sent after the last one that its client saw. */
export type Follower = {message(text: string, id: string): void; end(): void};

export type Replays = {
	/** `onLost` is called when nobody comes back for it in time; `request` is what the stream answers. */
	open(owner: string, onLost: () => void, request?: RpcId): Kept;
	/** Which request the event `lastId` was for, where its stream is in another process, or gone: it says so itself. */
	requestElsewhere(lastId: string): RpcId | undefined;
	/**
	 * What is kept of what follows the event `lastId` of this owner's: its end is, whatever had to make room for it. Answers how to stop;
	 * undefined where there is no such event, or its stream is no longer kept.
	 */
	follow(owner: string, lastId: string, follower: Follower): (() => void) | undefined;
};

const retryMs = 1_000;
const graceMs = 10_000;
/** How long a stream that has ended is kept. */
const keptMs = 60_000;
const mostStreams = 2_000;
const mostPerOwner = 20;
const mostBytes = 1_048_576;
/** Of all streams together, in characters. */
const mostHeld = 67_108_864;

/** Longer ids are not repeated in every event. */
const mostIdChars = 200;

const nameFor = (request: RpcId | undefined): string => {
	const text = JSON.stringify(request ?? null);
	const random = randomBytes(12).toString('base64url');
	return request === undefined || text.length > mostIdChars ? random : `${random}~${Buffer.from(text).toString('base64url')}`;
};

const requestIn = (stream: string): RpcId | undefined => {
	const [, encoded] = /^[\w-]{16}~([\w-]{1,300})$/.exec(stream) ?? [];
	if (encoded === undefined) return undefined;
	try {
		const id = exactly(Buffer.from(encoded, 'base64url').toString());
		return isId(id) ? id : undefined;
	} catch {
		// Nobody here wrote it.
		return undefined;
	}
};

/** Of which stream an event is, and which of its events. */
const eventIn = (id: string): {stream: string; number: number} => {
	const [stream = '', number = ''] = id.split('.');
	return {stream, number: /^\d{1,9}$/.test(number) ? Number(number) : Number.NaN};
};

type Record = {
	owner: string;
	messages: Message[];
	/** How many there were. */
	count: number;
	bytes: number;
	isOver: boolean;
	follower?: Follower | undefined;
	timer?: NodeJS.Timeout;
	onLost: () => void;
};

/** The streams of sessions that can be taken up again, each bounded, and all of them; of too many the oldest are forgotten. */
export const openReplays = (): Replays => {
	const streams = new Map<string, Record>();
	let held = 0;

	const forget = (id: string): void => {
		const record = streams.get(id);
		if (!record) return;
		clearTimeout(record.timer);
		streams.delete(id);
		held -= record.bytes;
		// Its client has left, and would find nothing.
		if (record.timer && !record.isOver && !record.follower) record.onLost();
	};

	const keep = (stream: string, record: Record, message: Message): void => {
		const before = record.bytes;
		record.messages.push(message);
		record.bytes += message.text.length;
		while (record.bytes > mostBytes && record.messages.length > 1) record.bytes -= record.messages.shift()!.text.length;
		held += record.bytes - before;
		for (const oldest of streams.keys()) {
			if (held <= mostHeld) return;
			if (oldest !== stream) forget(oldest);
		}
	};

	const makeRoom = (owner: string): void => {
		const own = [...streams].filter(([, record]) => record.owner === owner);
		if (own.length >= mostPerOwner) forget(own[0]![0]);
		const [oldest] = streams.keys();
		if (streams.size >= mostStreams && oldest !== undefined) forget(oldest);
	};

	return {
		open(owner, onLost, request) {
			makeRoom(owner);
			const stream = nameFor(request);
			const record: Record = {owner, messages: [], count: 0, bytes: 0, isOver: false, onLost};
			streams.set(stream, record);
			return {
				first: `id: ${stream}.0\nretry: ${retryMs}\ndata: \n\n`,
				add(text) {
					const number = ++record.count;
					const id = `${stream}.${number}`;
					if (streams.has(stream)) keep(stream, record, {number, text});
					record.follower?.message(text, id);
					return id;
				},
				end() {
					record.isOver = true;
					record.follower?.end();
					clearTimeout(record.timer);
					record.timer = setTimeout(() => forget(stream), keptMs).unref();
				},
				left() {
					if (record.isOver || record.follower) return;
					clearTimeout(record.timer);
					record.timer = setTimeout(record.onLost, graceMs).unref();
				},
			};
		},

		requestElsewhere(lastId) {
			const {stream} = eventIn(lastId);
			return streams.has(stream) ? undefined : requestIn(stream);
		},

		follow(owner, lastId, follower) {
			const {stream, number: last} = eventIn(lastId);
			const record = streams.get(stream);
			if (record?.owner !== owner || !(last <= record.count)) return undefined;
			record.follower?.end();
			for (const {number, text} of record.messages) if (number > last) follower.message(text, `${stream}.${number}`);
			if (record.isOver) {
				follower.end();
				return () => undefined;
			}
			clearTimeout(record.timer);
			record.follower = follower;
			return () => {
				if (record.follower !== follower) return;
				record.follower = undefined;
				if (!record.isOver) record.timer = setTimeout(record.onLost, graceMs).unref();
			};
		},
	};
};
