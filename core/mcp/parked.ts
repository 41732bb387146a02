import {randomUUID} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import {isObject, type JsonObject} from '../llm/json.ts';
import {leave, type Waiting} from '../upstream/reply.ts';
import {judged, mostRounds, questionOf} from './asks.ts';
import type {Asking} from './link.ts';
import type {AskMethod} from './offer.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Channel} from './servers.ts';
import type {Turn} from './turn.ts';

type Open = {method: AskMethod; params: JsonObject; resolve: (answer: JsonObject) => void; reject: (error: Error) => void};

/** A request that a server with sessions works on, while its stateless client fetches what the server asks for. */
export type Call = {
	readonly id: string;
	readonly owner: string;
	readonly bound: string;
	round: number;
	/** Who waits for it now, and who did last. */
	turn: Turn | undefined;
	last: Turn;
	open: Map<string, Open>;
	/** Answers that came before their questions. */
	early: JsonObject;
	result: Promise<JsonObject>;
	/** Resolves when the server has asked for something. */
	asked: Promise<void>;
	waiting: Waiting;
	/** Ends it, when nobody has come for it by then. */
	late?: NodeJS.Timeout;
};

export type Parked = {
	/** Sends a request whose server may ask for something meanwhile. */
	begin(turn: Turn, channel: Channel, bound: string, early: JsonObject, send: (asking: Partial<Asking>) => Promise<JsonObject>): Call;
	find(id: unknown, bound: string, round: unknown): Call;
	/** Waits on behalf of `turn` until the result is there, or more is asked: then undefined. */
	next(call: Call, turn: Turn, responses: JsonObject): Promise<JsonObject | undefined>;
};

/** How long an answer is waited for, and how long questions that come together are gathered. */
const parkMs = 600_000;
const gatherMs = 25;
/** Of all whose clients have questions to answer. */
const mostAsking = 1_000;
/** Of one owner's that are under way, whether anything was asked or not. */
const mostUnderWay = 256;
/** Each keeps a connection to its server, of which there are a few hundred for everybody. */
const mostOfOne = 64;
const mostQuestions = 20;

const kinds: Record<AskMethod, string> = {'elicitation/create': 'elicitation', 'sampling/createMessage': 'sampling', 'roots/list': 'roots'};

const gone = (): RpcError =>
	new RpcError(
		rpcCodes.invalidParams,
		'requestState belongs to a request that is over, or waits in another process: call again without it.',
		{status: 400},
	);

/** The requests of this process that wait for their clients to come back. */
export const openParked = (): Parked => {
	const calls = new Map<string, Call>();
	/** How many of each owner's. */
	const counts = new Map<string, number>();
	const alarms = new Map<string, () => void>();

	const end = (call: Call): void => {
		if (calls.delete(call.id)) {
			const left = counts.get(call.owner)! - 1;
			if (left > 0) counts.set(call.owner, left);
			else counts.delete(call.owner);
		}
		alarms.delete(call.id);
		clearTimeout(call.late);
		for (const {reject} of call.open.values()) reject(new GatewayError('client_closed', 'The client did not come back.'));
		call.open.clear();
		leave(call.waiting);
	};

	/** Of one owner's that nobody waits for now, the oldest has to go. */
	const makeRoom = (owner: string): void => {
		const own = [...calls.values()].filter(call => !call.turn && call.owner === owner);
		if (own.length > mostOfOne) end(own[0]!);
	};

	const isFull = (): boolean => {
		let asking = 0;
		for (const {open} of calls.values()) if (open.size > 0) asking += 1;
		return asking >= mostAsking;
	};

	const rearm = (call: Call): void => {
		call.asked = new Promise(resolve => alarms.set(call.id, resolve));
	};

	return {
		begin(turn, channel, bound, early, send) {
			const {owner} = turn;
			const own = counts.get(owner) ?? 0;
			if (own >= mostUnderWay)
				throw new GatewayError('rate_limited', `${mostUnderWay} requests of this key to servers with sessions are under way.`);
			let questions = 0;
			let gathering: NodeJS.Timeout | undefined;
			const asked: Partial<Record<AskMethod, number>> = {};
			let fail = (_: Error): void => undefined;
			const lacks = new Promise<never>((_, reject) => {
				fail = reject;
			});
			const onAsk = async (given: string, said: JsonObject): Promise<JsonObject> => {
				const current = call.turn ?? call.last;
				if (++questions > mostQuestions) throw new RpcError(rpcCodes.internal, 'This asks too often.');
				let question: {method: AskMethod; params: JsonObject};
				try {
					question = questionOf(current, channel, given, said);
				} catch (thrown) {
					// Only its client could do something about it, so it is told.
					if (thrown instanceof RpcError && thrown.code === rpcCodes.missingCapability) fail(thrown);
					throw thrown;
				}
				const {method} = question;
				const params = await judged(current, channel, question);
				asked[method] = (asked[method] ?? 0) + 1;
				const key = `${kinds[method]}_${asked[method]}`;
				const answer = call.early[key];
				if (isObject(answer)) return answer;
				if (call.open.size === 0 && isFull()) {
					const full = new GatewayError('rate_limited', 'Too many requests wait for their clients here.');
					fail(full);
					throw full;
				}
				clearTimeout(gathering);
				gathering = setTimeout(() => {
					if (call.open.size > 0) alarms.get(call.id)?.();
				}, gatherMs);
				return new Promise((resolve, reject) => call.open.set(key, {method, params, resolve, reject}));
			};
			const call: Call = {
				...{id: randomUUID(), owner, bound, round: 0, turn, last: turn, open: new Map(), early, waiting: {left: false}},
				result: Promise.resolve({}),
				asked: Promise.resolve(),
			};
			rearm(call);
			calls.set(call.id, call);
			counts.set(owner, own + 1);
			call.result = Promise.race([
				lacks,
				send({
					waiting: call.waiting,
					onAsk,
					onProgress: params => call.turn?.onProgress?.(params),
					onLog: params => call.turn?.onLog?.(params),
				}),
			]);
			// It may end while nobody is there to hear of it.
			call.result.catch(() => undefined);
			return call;
		},

		find(id, bound, round) {
			const call = typeof id === 'string' ? calls.get(id) : undefined;
			if (call?.bound !== bound || call.round !== round || call.turn) throw gone();
			return call;
		},

		async next(call, turn, responses) {
			call.turn = turn;
			call.last = turn;
			const left = () => end(call);
			turn.waiting.onLeft = left;
			if (turn.waiting.left) left();
			for (const [key, answer] of Object.entries(responses)) {
				const open = call.open.get(key);
				if (!open || !isObject(answer)) continue;
				call.open.delete(key);
				open.resolve(answer);
			}
			if (call.open.size > 0) alarms.get(call.id)?.();
			try {
				const result = await Promise.race([call.result, call.asked.then(() => undefined)]);
				if (result !== undefined) {
					end(call);
					return result;
				}
			} catch (thrown) {
				end(call);
				throw thrown;
			} finally {
				if (turn.waiting.onLeft === left) turn.waiting.onLeft = undefined;
				call.turn = undefined;
			}
			call.round += 1;
			if (call.round > mostRounds) {
				end(call);
				throw new GatewayError('upstream_failed', `The MCP server "${turn.exchange.server}" asks for more than ${mostRounds} times.`);
			}
			rearm(call);
			const {round} = call;
			clearTimeout(call.late);
			call.late = setTimeout(() => {
				if (call.round === round && !call.turn) end(call);
			}, parkMs).unref();
			makeRoom(turn.owner);
			return undefined;
		},
	};
};
