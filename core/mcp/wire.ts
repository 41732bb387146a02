import type {JsonObject} from '../llm/json.ts';
import type {Asker} from '../oauth/credential.ts';
import type {Waiting} from '../upstream/reply.ts';
import type {Message} from './rpc.ts';

export type Posting = {
	waiting: Waiting;
	headers: Readonly<Record<string, string>>;
	timeoutMs: number;
	/** On whose behalf; undefined where it belongs to the conversation and to no request in it. */
	asker?: Asker | undefined;
	/** Told of a 401 or 403, and of its `www-authenticate`, before it is an error. */
	onRefused?: (status: number, challenge: string | undefined) => void;
	/** Sends what belongs to this and is a request by itself: where that is refused, it alone is sent again. */
	apart?: <T>(send: (posting: Posting) => Promise<T>) => Promise<T>;
	/** A stream stands from here on. */
	onOpen?: (() => void) | undefined;
	/** The server waits for somebody else, and its time does not run. */
	isHeld?: () => boolean;
	/** It closed its stream before the answer, and is asked for the rest (2025-11-25, polling). */
	onPolled?: (() => void) | undefined;
};

/** How a stream that stays came to its end: it stood and is over, its server has none, or does not know what it was asked of (404). */
export type StreamEnd = 'ended' | 'missing' | 'forgotten';

/** Where a stream broke off, and when to come back. */
export type Place = {lastId?: string; retryMs: number};

/** What came back: the head, and the messages that were in it, in order, each told while it comes; `answer` ends it. */
export type Wire = {
	/** Sends one message. Resolves with the head and the answer to `id`; without an id when its receipt was confirmed. */
	post(message: JsonObject, id: number | undefined, posting: Posting, onMessage: (message: Message) => void): Promise<Answered>;
	/** The stream of what a server says unasked, until it ends, from `place` on, which is kept. Rejects where it could not be opened for now. */
	listen(posting: Posting, onMessage: (message: Message) => void, place?: Place): Promise<StreamEnd>;
	/** A request whose answer is a stream that stays, until it ends. Rejects as `listen` does. */
	follow(message: JsonObject, posting: Posting, onMessage: (message: Message) => void): Promise<StreamEnd>;
	/** Whether a session is known to have ended, so that what stands on it has to be begun anew. */
	isGone?: (headers: Readonly<Record<string, string>>) => boolean;
	/** Ends a session; nobody waits for what the server says to it. */
	drop(headers: Readonly<Record<string, string>>): void;
	close(): Promise<void>;
};

export type Answered = {status: number; sessionId: string | undefined; answer: Extract<Message, {kind: 'answer'}> | undefined};

const mostRetryMs = 30_000;

/** What a block of a stream says beside its data, in its first lines. */
export const noteIn = (place: Place, raw: Buffer): void => {
	const head = raw.toString('latin1', 0, 300);
	const id = /^id: ?([^\r\n]{1,250})/m.exec(head)?.[1];
	const retry = /^retry: ?(\d{1,6})\r?$/m.exec(head)?.[1];
	if (id !== undefined) place.lastId = id;
	if (retry !== undefined) place.retryMs = Math.min(mostRetryMs, Number(retry));
};
