import {numberIn} from '../llm/exact.ts';
import type {Message} from './rpc.ts';
import type {Site} from './site.ts';
import type {Answered} from './wire.ts';

type Answer = NonNullable<Answered['answer']>;
type Heard = (message: Message) => void;

type PendingAnswer = {promise: Promise<Answer>; failed(why: unknown): void; over(): void};

/** Requests whose answers come on one stream. */
export type PendingAnswers = {
	of(id: number, onMessage: Heard): PendingAnswer;
	/** What belongs to none of them is left out. */
	answered(answer: Answer): void;
	/** Whose a message is, where that can be said: by its progress token, or because only one waits. */
	meantBy(message: Message): Heard | undefined;
	failed(why: unknown): void;
};

export const openPendingAnswers = (): PendingAnswers => {
	const pending = new Map<unknown, {onMessage: Heard; resolve: (answer: Answer) => void; reject: (why: unknown) => void}>();
	return {
		of(id, onMessage) {
			const {promise, resolve, reject} = Promise.withResolvers<Answer>();
			// It may fail before anybody waits for it.
			promise.catch(() => undefined);
			pending.set(id, {onMessage, resolve, reject});
			return {promise, failed: reject, over: () => void pending.delete(id)};
		},
		answered: answer => pending.get(answer.id)?.resolve(answer),
		meantBy(message) {
			if (message.kind === 'notification' && message.method === 'notifications/progress')
				return pending.get(numberIn(message.params.progressToken))?.onMessage;
			const isOnes = message.kind === 'request' || (message.kind === 'notification' && message.method === 'notifications/message');
			const [only] = pending.values();
			return isOnes && pending.size === 1 ? only?.onMessage : undefined;
		},
		failed(why) {
			for (const {reject} of pending.values()) reject(why);
		},
	};
};

const mostChars = 2_000;

/** The path that a server names to send to. Throws `upstream_malformed` where it is not on the same origin. */
export const endpointIn = ({url, malformed}: Pick<Site, 'url' | 'malformed'>, text: string): string => {
	const to = text.length <= mostChars && URL.canParse(text, url.href) ? new URL(text, url) : undefined;
	// Credentials of the operator's go there.
	if (to?.origin !== url.origin || to.username !== '' || to.password !== '')
		throw malformed('names an endpoint that is not on its own origin');
	return to.pathname + to.search;
};
