import type {Answer, Question} from './answer.ts';
import type {Fields} from './json.ts';

/** One event of a stream as it goes over the wire. */
export type Frame = {
	wire: string;
	/** Whether it carries a part of the text or of a tool call's arguments. */
	carriesDelta: boolean;
};

export type Reason = 'key-missing' | 'key-wrong' | 'model-unknown' | 'path-unknown' | 'invalid' | 'injected';

/** A request that is answered with an error in the shape of its dialect. */
export class Refusal extends Error {
	readonly status: number;
	readonly reason: Reason;
	readonly retryAfterSeconds: number | undefined;

	/** `about` is the key, model or path in question, or for 'invalid' the whole message. */
	constructor(status: number, reason: Reason, about = '', retryAfterSeconds?: number) {
		super(about);
		this.status = status;
		this.reason = reason;
		this.retryAfterSeconds = retryAfterSeconds;
	}
}

/** How one provider's API reads and writes. */
export type Dialect = {
	requestIdHeader: string;
	/** Throws a Refusal when the provider would not accept the body. */
	question(body: Fields): Question;
	whole(question: Question, answer: Answer): Fields;
	frames(question: Question, answer: Answer): Iterable<Frame>;
	error(refusal: Refusal, requestId: string): Fields;
	/** An error in the middle of a stream. */
	errorFrame(refusal: Refusal, requestId: string): string;
	models(ids: string[]): Fields;
	model(id: string): Fields;
};
