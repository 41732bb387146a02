import {createHmac, randomBytes} from 'node:crypto';
import {GatewayError} from '../errors.ts';
import {exactly} from '../llm/exact.ts';
import type {JsonObject} from '../llm/json.ts';
import type {Message} from './rpc.ts';
import {RpcError, rpcCodes} from './rpc.ts';
import type {Shared} from './shared.ts';
import type {Stream} from './stream.ts';

type Answer = Pick<Extract<Message, {kind: 'answer'}>, 'result' | 'error'>;

/** Questions to clients that hold a stream open, whose answers come with requests of their own, perhaps to another process. */
export type Push = {
	/** Puts a question on a stream. Rejects with what the client says against it, or `client_closed` when `over` is called first. */
	ask(stream: Stream, owner: string, question: {method: string; params: JsonObject}): {answer: Promise<JsonObject>; over(): void};
	/** An answer of this client's; what nobody asked it is left aside. */
	answered(owner: string, id: unknown, answer: Answer): void;
};

const nonceBytes = 12;
const tagChars = 22;

/** What goes to another process goes through the store, and into the memory of each. */
const mostAnswerChars = 1_048_576;

const passedOn = (answer: Answer): string => {
	const text = JSON.stringify(answer);
	return text.length <= mostAnswerChars ? text : JSON.stringify({error: {code: rpcCodes.internal, message: 'too large'}} satisfies Answer);
};

/** Ids are sealed to the session that is asked: only its own client can answer, and nobody can make one up. */
export const openPush = (key: Buffer, shared: Shared): Push => {
	const waiting = new Map<string, (answer: Answer) => void>();
	const sealed = (nonce: string, owner: string): string =>
		createHmac('sha256', key).update(`ask\n${nonce}\n${owner}`).digest('base64url').slice(0, tagChars);

	shared.onChange('answer', (id, value) => {
		const take = waiting.get(id);
		if (!take || value === null) return;
		take(exactly(value) as Answer);
		shared.drop('answer', id);
	});

	return {
		ask(stream, owner, {method, params}) {
			const nonce = randomBytes(nonceBytes).toString('base64url');
			const id = `${nonce}.${sealed(nonce, owner)}`;
			let over = (): void => undefined;
			const answer = new Promise<JsonObject>((resolve, reject) => {
				waiting.set(id, ({result, error}) => {
					waiting.delete(id);
					// A client's own words of why are not for servers.
					if (error) reject(new RpcError(error.code, 'The client does not answer this.'));
					else resolve(result ?? {});
				});
				over = () => {
					if (waiting.delete(id)) reject(new GatewayError('client_closed', 'The client left before it answered.'));
				};
			});
			if (!stream.send({id, method, params})) over();
			return {answer, over};
		},

		answered(owner, id, answer) {
			if (typeof id !== 'string') return;
			const [nonce = '', tag = ''] = id.split('.');
			if (id !== `${nonce}.${tag}` || sealed(nonce, owner) !== tag) return;
			const take = waiting.get(id);
			if (take) take(answer);
			// Another process asked.
			else shared.put('answer', id, passedOn(answer), 60_000);
		},
	};
};
